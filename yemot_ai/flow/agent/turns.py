"""One turn of an agent: calls the developer's function, and asks the AI if that returns None."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import yemot_flow

from yemot_ai._turns.stream import AnswerStream
from yemot_ai._turns.work import TurnResult
from yemot_ai.ai import YemotAI, current_run
from yemot_ai.errors import AgentFunctionError, CallEndedError, ConfigurationError, ProviderError
from yemot_ai.flow.agent.loop import AgentLoop, AwaitAnswer, AwaitTranscript, Pending
from yemot_ai.flow.call import AICall
from yemot_ai.flow.compat.awaitable import AwaitableStr
from yemot_ai.flow.handler_run import HandlerInterrupted, HandlerRun, check_saveable
from yemot_ai.flow.handlers.local_calls import LocalCalls
from yemot_ai.flow.handlers.runner import HandlerRunner
from yemot_ai.flow.value_names import turn_name
from yemot_ai.protocol import Play, Read, Request, Response
from yemot_ai.providers.provider import Exchange
from yemot_ai.sessions import Session, Turn, Visit
from yemot_ai.sessions.retry import retry_while_store_is_away

__all__ = ["Agent", "AgentTurns", "check_signature"]

log = logging.getLogger("yemot_ai")


@dataclass(frozen=True, slots=True)
class Agent:
    """The second argument of a function ``(call, agent)``.

    Attributes:
        text: what the caller said.
        history: the earlier exchanges of this conversation.
    """

    text: str
    history: tuple[Exchange, ...]
    _call: AICall

    def ask(self, text: str, *, instructions: str | None = None) -> AwaitableStr:
        """Ask the AI something other than what the caller said; in an async function, await it."""
        return self._call.ask_ai(text, instructions=instructions)


class AgentTurns:
    """Runs the turns of agents, on the engine's loop."""

    def __init__(self, ai: YemotAI, handlers: HandlerRunner, local_calls: LocalCalls) -> None:
        self._ai = ai
        self._handlers = handlers
        self._local_calls = local_calls

    async def run_turn(self, loop: AgentLoop, pending: Pending, request: Request) -> Turn:
        """Answer one utterance, or transcribe one recording, exactly once.

        Raises:
            CallEndedError: the caller has hung up.
        """
        if isinstance(pending, AwaitTranscript):
            return await pending.transcriber.transcribe(
                request.call_id, pending.turn_id, pending.path, answered_by=turn_name(pending.turn)
            )
        return await self._answer(loop, pending, request)

    async def run_until_pieces(self, loop: AgentLoop, pending: Pending, request: Request) -> None:
        """Do what ``run_turn`` does, but return as soon as there are new pieces to speak.

        Raises:
            CallEndedError: the caller has hung up.
        """
        if not loop.is_streaming or not isinstance(pending, AwaitAnswer):
            await self.run_turn(loop, pending, request)
            return
        turn = asyncio.create_task(self.run_turn(loop, pending, request))
        pieces = asyncio.create_task(
            self._ai.ledger.wait_for_pieces(request.call_id, pending.turn_id, more_than=pending.pieces)
        )
        try:
            await asyncio.wait({turn, pieces}, return_when=asyncio.FIRST_COMPLETED)
            for task in (turn, pieces):
                if task.done():
                    task.result()
        finally:
            # This ends only the waiting: the ledger continues the turn.
            turn.cancel()
            pieces.cancel()

    async def _answer(self, loop: AgentLoop, pending: AwaitAnswer, request: Request) -> Turn:
        call_id = request.call_id
        if loop.function is None:
            ask = loop.conversation.ask_streaming if loop.is_streaming else loop.conversation.ask
            return await ask(call_id, pending.turn_id, pending.text)
        work = functools.partial(self._work_logged, loop, loop.function, pending, request)
        return await self._ai.ledger.run_once(call_id, Turn(pending.turn_id, pending.text), work)

    async def _work_logged(
        self,
        loop: AgentLoop,
        function: Callable[..., Any],
        pending: AwaitAnswer,
        request: Request,
        stream: AnswerStream,
    ) -> TurnResult:
        stream.start_ownership_checks()
        try:
            return await self._work(loop, function, pending, request, stream)
        except AgentFunctionError as error:
            log.exception("call %s: %s", request.call_id, error.kind)
            raise

    async def _work(
        self,
        loop: AgentLoop,
        function: Callable[..., Any],
        pending: AwaitAnswer,
        request: Request,
        stream: AnswerStream,
    ) -> TurnResult:
        call_id, store = request.call_id, self._ai.store
        loaded = await retry_while_store_is_away(
            lambda: store.load(call_id), f"call {call_id}: turn {pending.turn_id}"
        )
        session = loaded or Session(call_id)
        run = HandlerRun(
            call_id,
            turn_prefix=f"{pending.turn_id}.",
            values={},
            names_before=(session.visit or Visit()).names_before,
        )
        call = self._handlers.new_call(
            run, session, request, self._local_calls.get_or_create(call_id), conversation=loop.conversation
        )
        agent = Agent(pending.text, session.history(loop.conversation.name), call)
        current_run.set(run)
        answer = await self._call_function(function, call, agent if _wants_agent(function) else pending.text)
        before = ""
        if answer is None and run.outcome is None:
            if loop.is_streaming:
                before = _render_messages(run.take_queue())
                stream.speak_before(before)
            answer = await call.ask_step(pending.text, stream=stream if loop.is_streaming else None)
        state = check_saveable(call.state)
        result = _turn_result(run, answer, function)
        spoken = before or result.spoken
        return replace(result, spoken=spoken, state=None if state == session.state else state)

    async def _call_function(
        self, function: Callable[..., Any], call: AICall, second: str | Agent
    ) -> str | None:
        try:
            answer = await self._handlers.call_function(function, call, second)
        except HandlerInterrupted:
            return None
        except (ProviderError, CallEndedError):
            raise
        except yemot_flow.CallInterrupted as error:
            raise _function_error(function, "used yemot-flow's Call; use the call that it gets") from error
        except (Exception, SystemExit) as error:  # foreign code: the caller hears an apology
            raise _function_error(function, f"raised {type(error).__name__}") from error
        if answer is not None and not isinstance(answer, str):
            raise _function_error(function, f"returned {type(answer).__name__}; return a text, or None")
        return answer


def _turn_result(run: HandlerRun, answer: str | None, function: Callable[..., Any]) -> TurnResult:
    outcome = run.outcome
    if outcome is not None:
        if isinstance(tuple(outcome)[-1], Read):
            raise _function_error(function, "used read(): the agent itself listens; ask in a plain handler")
        return TurnResult(answer=answer or "", outcome=str(run.build_response()))
    queue = run.take_queue()
    return TurnResult(answer=answer or "", spoken=_render_messages(queue))


def _render_messages(queue: tuple[Any, ...]) -> str:
    return str(Response((Play(queue),))).removeprefix("id_list_message=") if queue else ""


def check_signature(function: Callable[..., Any]) -> None:
    """Check that an agent's function can be called with a call and a text.

    Raises:
        ConfigurationError: it cannot be called so.
    """
    try:
        inspect.signature(function).bind(None, None)
    except TypeError as error:
        name = getattr(function, "__qualname__", repr(function))
        raise ConfigurationError(f"{name} must take (call, text) or (call, agent): {error}") from error


def _wants_agent(function: Callable[..., Any]) -> bool:
    """Return whether the second parameter is named ``agent``."""
    names = list(inspect.signature(function).parameters)
    return len(names) > 1 and names[1] == "agent"


def _function_error(function: Callable[..., Any], what: str) -> AgentFunctionError:
    name = getattr(function, "__qualname__", repr(function))
    return AgentFunctionError(f"the agent's function {name} {what}", function=name)
