"""One turn of an agent: calls the developer's function, and asks the AI if that returns None."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import yemot_flow

from yemot_ai._calls.runtime import Runtime
from yemot_ai._runtime.tasks import name_task
from yemot_ai._turns.work import RunningTurn, TurnResult, TurnWork
from yemot_ai.ai import current_run
from yemot_ai.errors import AgentFunctionError, CallEndedError, ConfigurationError, ProviderError
from yemot_ai.errors.code_errors import report_code_error
from yemot_ai.errors.source_place import describe_function, function_name, function_place
from yemot_ai.flow.agent.loop import AgentLoop, AwaitAnswer, AwaitTranscript, Pending
from yemot_ai.flow.call import AICall, AsyncAICall, BaseCall, CallFactory
from yemot_ai.flow.compat.awaitables import DONE
from yemot_ai.flow.handler_run import HandlerInterrupted, HandlerRun, check_saveable
from yemot_ai.flow.handlers.local_calls import LocalCalls
from yemot_ai.flow.request_log.repetition import RepetitionCounter
from yemot_ai.flow.value_names import turn_name
from yemot_ai.protocol import Play, Read, Request, Response
from yemot_ai.providers.provider import JSON, Exchange
from yemot_ai.sessions import Session, Turn, Visit

__all__ = ["Agent", "AgentFunction", "AgentTurns", "AsyncAgent", "BaseAgent"]

log = logging.getLogger("yemot_ai")


@dataclass(frozen=True, slots=True)
class BaseAgent:
    """What ``Agent`` and ``AsyncAgent`` have in common.

    Attributes:
        text: what the caller said.
        history: the earlier exchanges of this conversation.
    """

    text: str
    history: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class Agent(BaseAgent):
    """The second argument of a plain function ``(call, agent)``."""

    _call: AICall

    def ask(self, text: str, *, instructions: str | None = None) -> str:
        """Ask the AI something other than what the caller said."""
        return self._call.ask_ai(text, instructions=instructions)


@dataclass(frozen=True, slots=True)
class AsyncAgent(BaseAgent):
    """The second argument of an async function ``(call, agent)``."""

    _call: AsyncAICall

    def ask(self, text: str, *, instructions: str | None = None) -> Coroutine[Any, Any, str]:
        """Do what ``Agent.ask`` does, awaited."""
        return self._call.ask_ai(text, instructions=instructions)


AgentFunction: TypeAlias = (
    Callable[[AICall, str], str | None]
    | Callable[[AICall, Agent], str | None]
    | Callable[[AsyncAICall, str], Awaitable[str | None]]
    | Callable[[AsyncAICall, AsyncAgent], Awaitable[str | None]]
)
"""A developer's function ``(call, text)`` or ``(call, agent)``."""


class AgentTurns:
    """Runs the turns of agents, on the engine's loop."""

    def __init__(self, runtime: Runtime, new_call: CallFactory, local_calls: LocalCalls) -> None:
        self._ledger = runtime.ledger
        self._engine = runtime.engine
        self._new_call = new_call
        self._local_calls = local_calls
        self._repetitions = RepetitionCounter()

    async def run_turn(self, loop: AgentLoop, pending: Pending, request: Request) -> Turn:
        """Answer one utterance, or transcribe one recording, exactly once.

        Raises:
            CallEndedError: the caller has hung up.
        """
        if isinstance(pending, AwaitTranscript):
            return await pending.transcriber.transcribe(
                request.call_key, pending.turn_id, pending.path, answered_by=turn_name(pending.turn)
            )
        turn, work = self._turn_and_work(loop, pending, request)
        return await self._ledger.run_once(request.call_key, turn, work)

    async def run_until_pieces(self, loop: AgentLoop, pending: Pending, request: Request) -> None:
        """Do what ``run_turn`` does, but return as soon as there are new pieces to speak.

        Raises:
            CallEndedError: the caller has hung up.
        """
        if not loop.is_streaming or not isinstance(pending, AwaitAnswer):
            await self.run_turn(loop, pending, request)
            return
        turn, work = self._turn_and_work(loop, pending, request)
        await self._ledger.run_until_pieces(request.call_key, turn, work, more_than=pending.pieces)

    def _turn_and_work(
        self, loop: AgentLoop, pending: AwaitAnswer, request: Request
    ) -> tuple[Turn, TurnWork]:
        work = functools.partial(self._work, loop, pending.text, request)
        # With its conversation, until it is known who answers: a turn that is left early counts as asked.
        return Turn(pending.turn_id, pending.text, loop.conversation.name), work

    async def _work(self, loop: AgentLoop, text: str, request: Request, turn: RunningTurn) -> TurnResult:
        """Call the developer's function, and ask the model if that returns None."""
        turn.stream.start_ownership_checks()
        turn.conversation = ""
        session = turn.session
        run = HandlerRun(
            session.call_id,
            step_prefix=f"{turn.id}.",
            values={},
            names_before=(session.visit or Visit()).names_before,
            rewrite=loop.dialog.rewrite,
            turn_id=turn.id,
            line_ids=request.line_ids,
        )
        call = self._new_call(
            run,
            session,
            request,
            self._local_calls.get_or_create(session.call_id).attributes,
            is_async=loop.is_async,
            conversation=loop.conversation,
        )
        current_run.set(run)
        name_task(session.call_id, f"the agent of extension {loop.extension!r}")
        try:
            answer = await self._call_function(loop, run, call, _second_argument(loop, session, text, call))
            state = _saveable_state(call, loop.function)
            if answer is None and run.outcome is None:
                spoken = turn.stream.spoken_before = _render_messages(run.take_queue())
                result = await loop.conversation.answer(
                    turn, text=text, stream=loop.is_streaming, state=call.state
                )
                state = _saveable_state(call, loop.function)  # its tools may have changed it
                changed = None if state == session.state else state
                return replace(result, spoken=spoken, state=changed) if spoken or changed else result
            changed = None if state == session.state else state
            done = _turn_result(run, answer, loop.function)
            if not done.outcome and not done.spoken and not loop.dialog.to_messages(done.answer):
                self._warn_of_empty_answer(session.call_id, loop)
            return replace(done, state=changed)
        except AgentFunctionError as error:
            log.exception("call %s: %s", session.call_id, error.kind)
            report_code_error(f"the agent of extension {loop.extension!r}", error.__cause__ or error)
            raise
        except asyncio.CancelledError:  # the turn is over, and its steps with it
            await self._ledger.cancel_turns(session.call_id, run.step_ids)
            raise

    def _warn_of_empty_answer(self, call_id: str, loop: AgentLoop) -> None:
        dropped = self._repetitions.count("empty answer")
        if dropped is not None:
            log.warning(
                "call %s: %s returned a text without anything to speak, and the caller hears the apology: "
                "return what to say, or None to let the AI answer%s",
                call_id,
                describe_function(loop.function),
                f" ({dropped} more like this were not logged)" if dropped else "",
            )

    async def _call_function(
        self, loop: AgentLoop, run: HandlerRun, call: BaseCall, second: str | BaseAgent
    ) -> str | None:
        function = loop.function
        answer = None
        try:
            answer = await self._engine.call(function, call, second)
        except HandlerInterrupted:
            pass
        except (ProviderError, CallEndedError):
            raise
        except yemot_flow.CallInterrupted as error:
            raise _function_error(function, "used yemot-flow's Call; use the call that it gets") from error
        except (Exception, SystemExit) as error:  # foreign code: the caller hears an apology
            raise _function_error(function, f"raised {type(error).__name__}") from error
        try:
            run.check_awaited()
        except ConfigurationError as error:
            raise _function_error(function, f"failed: {error}") from error
        if answer is DONE:
            return None
        if answer is not None and not isinstance(answer, str):
            raise _function_error(function, f"returned {type(answer).__name__}; return a text, or None")
        return answer


def _saveable_state(call: BaseCall, function: Callable[..., Any]) -> Mapping[str, JSON]:
    try:
        return check_saveable(call.state, function)
    except ConfigurationError as error:
        raise _function_error(function, f"failed: {error}") from error


def _second_argument(loop: AgentLoop, session: Session, text: str, call: BaseCall) -> str | BaseAgent:
    if not loop.wants_agent:
        return text
    history = session.history(loop.conversation.name)
    if isinstance(call, AsyncAICall):
        return AsyncAgent(text, history, call)
    if isinstance(call, AICall):
        return Agent(text, history, call)
    raise AssertionError(call)


def _turn_result(run: HandlerRun, answer: str | None, function: Callable[..., Any]) -> TurnResult:
    outcome = run.outcome
    if outcome is not None:
        if isinstance(tuple(outcome)[-1], Read):
            what = "used read(): the agent itself listens; ask in a plain handler"
            raise _function_error(function, what, run.read_place)
        return TurnResult(answer=answer or "", outcome=str(run.build_response()))
    queue = run.take_queue()
    return TurnResult(answer=answer or "", spoken=_render_messages(queue))


def _render_messages(queue: tuple[Any, ...]) -> str:
    return str(Response((Play(queue),))).removeprefix("id_list_message=") if queue else ""


def _function_error(function: Callable[..., Any], what: str, place: str = "") -> AgentFunctionError:
    name, place = function_name(function), place or function_place(function)
    message = f"the agent's function {name} {what}"
    return AgentFunctionError(f"{place}: {message}" if place else message, function=name, place=place)
