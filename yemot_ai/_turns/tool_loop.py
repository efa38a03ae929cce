"""The calls of tools in one turn: each is a step in the ledger, run at most once.

All calls of a message of the model are stored before the first one runs. So a worker that takes the turn
over knows them, and what they have returned: it continues where the other one was lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from yemot_ai._runtime.tasks import name_task
from yemot_ai._turns.ledger import Ledger
from yemot_ai._turns.work import RunningTurn, TurnResult, running_tool
from yemot_ai.errors import ProviderError, ToolError, ToolFailedError, ToolNotConfirmedError, ToolUnknownError
from yemot_ai.errors.code_errors import report_code_error
from yemot_ai.errors.source_place import describe_function
from yemot_ai.providers.provider import (
    JSON,
    Reply,
    ToolCall,
    ToolCalls,
    ToolRequest,
    ToolRound,
    Usage,
)
from yemot_ai.sessions import Session, ToolUse, Turn
from yemot_ai.tools.consent import is_consent
from yemot_ai.tools.context import ToolContext
from yemot_ai.tools.declaration import Tool
from yemot_ai.tools.observation import report_tool_start
from yemot_ai.tools.results import MAX_RESULT, UNKNOWN, failure_text, refusal, result_text
from yemot_ai.tools.schema import ArgumentsError
from yemot_ai.tools.toolbox import Toolbox

__all__ = ["CallFunction", "ConversationTools", "ToolLoop"]

log = logging.getLogger("yemot_ai")

CallFunction = Callable[..., Awaitable[Any]]
"""Calls a developer's function: ``await call(function, *arguments, **named)``."""

NOT_RUN: Final = "was not run: the caller did not agree"

WAITS: Final = (
    "was not run, because the caller is asked about an earlier call: call it again after the answer"
)

HAS_RUN: Final = "the tool has run, but its result cannot be shown: do not call it again for this"

TOO_MANY: Final = "this turn has had all of its calls: answer now"


@dataclass(frozen=True, slots=True)
class ConversationTools:
    """What the model of a conversation may call.

    Args:
        toolbox: the tools.
        ledger: runs each call once.
        call_function: calls the function of a tool.
    """

    toolbox: Toolbox
    ledger: Ledger
    call_function: CallFunction

    async def start(
        self, turn: RunningTurn, session: Session, before: Turn | None, unheard: Sequence[Turn], text: str
    ) -> ToolLoop:
        """Return the calls of a turn: those that were stored before a worker was lost, and a confirmed one.

        Args:
            turn: the turn, while its work runs.
            session: the session.
            before: the answered turn before.
            unheard: the turns since then, whose answers the caller has not heard, or only in part.
            text: what the caller said.
        """
        loop = ToolLoop(turn, self.toolbox, self.ledger, self.call_function, session.phone)
        await loop.resume(session)
        waiting = _waiting_step(session, before)
        if waiting is not None and not loop.rounds and not unheard and is_consent(text):
            await loop.run_confirmed(waiting)
        return loop

    def with_notes(
        self, prompt: str, session: Session, before: Turn | None, unheard: Sequence[Turn], text: str
    ) -> str:
        """Return the prompt after what the model does not know: what tools did, and what was refused.

        Args:
            prompt: the prompt.
            session: the session.
            before: the answered turn before.
            unheard: the turns since then, as for ``start``.
            text: what the caller said.
        """
        waiting = _waiting_step(session, before)
        notes = [_note(session.tools_of(turn.id)) for turn in unheard if turn != before]
        if waiting is not None and before is not None:
            # The question was the answer of that turn: the model has no result of its other calls.
            others = _note([step for step in session.tools_of(before.id) if step != waiting])
            said = next((turn.text for turn in unheard), text)
            refused = "" if is_consent(said) else f"[{_shown_call(waiting)} {NOT_RUN}]"
            notes = [others, refused, *notes]
        elif before in unheard and before is not None:
            notes = [_note(session.tools_of(before.id)), *notes]
        return " ".join(filter(None, (*notes, prompt)))


@dataclass(slots=True)
class ToolLoop:
    """The calls of tools in one turn.

    Args:
        turn: the turn, while its work runs.
        toolbox: the tools.
        ledger: runs each call once.
        call_function: calls the function of a tool.
        phone: the caller's number.

    Attributes:
        rounds: what the model has called in this turn, and the results.
        kept_pieces: how many pieces of the answer belong to messages that need not be asked again.
        question: what the caller has to be asked before a tool of the last round runs; "" for nothing.
    """

    turn: RunningTurn
    toolbox: Toolbox
    ledger: Ledger
    call_function: CallFunction
    phone: str
    rounds: list[ToolRound] = field(default_factory=list)
    kept_pieces: int = 0
    question: str = ""

    @property
    def request(self) -> ToolRequest:
        """What the model gets: the tools, and what they have returned."""
        may_call = self._count < self.toolbox.max_calls
        return ToolRequest(self.toolbox.specs, tuple(self.rounds), may_call)

    def whole_reply(self, reply: Reply, usages: Iterable[Usage | None]) -> Reply:
        """Return the reply with all that the model has said in this turn, and all of its tokens.

        Args:
            reply: the last message.
            usages: those of all messages.
        """
        if not self.rounds:
            return reply
        texts = (*(each.text.strip() for each in self.rounds), reply.text)
        reported = [usage for usage in usages if usage is not None]
        usage = sum(reported, Usage()) if reported else None
        return replace(reply, text=" ".join(filter(None, texts)), usage=usage)

    @property
    def _count(self) -> int:
        return sum(len(each.calls) for each in self.rounds)

    async def resume(self, session: Session) -> None:
        """Go on where another worker was lost: finish the calls that it has stored."""
        steps = session.tools_of(self.turn.id)
        for number in sorted({step.tool.round for step in steps if step.tool}):
            calls = [step for step in steps if step.tool and step.tool.round == number]
            await self._run_round(calls)

    async def run_confirmed(self, waiting: Turn) -> None:
        """Run the call that has waited for the caller's consent."""
        if waiting.tool is not None:
            use = replace(waiting.tool, round=1, preface="", said_at=0, confirmed=True)
            await self._store_and_run([use])

    async def run(self, calls: ToolCalls) -> None:
        """Run what the model has called.

        Raises:
            CallEndedError: the caller has hung up.
            ProviderError: the model has called tools although it had to answer.
        """
        if self._count >= self.toolbox.max_calls:
            raise ProviderError("the model calls tools instead of answering: see Limits(tool_calls=…)")
        self.turn.stream.end_sentence()  # what the model has said is heard while the tools run
        self.kept_pieces = len(self.turn.stream.pieces)
        uses = [self._use(call, len(self.rounds) + 1) for call in calls.calls]
        uses[0] = replace(uses[0], preface=calls.text)
        await self._store_and_run(uses, calls.state)

    def forget_states(self) -> None:
        """Forget what only the provider session of this turn knows, because the conversation is rebuilt."""
        self.rounds = [replace(each, state=None) for each in self.rounds]

    def _use(self, call: ToolCall, number: int) -> ToolUse:
        tool = self.toolbox.find(call.name)
        says, retry = (tool.says, tool.retry) if tool else ("", False)
        arguments = call.arguments[: MAX_RESULT + 1]  # the session is bounded
        return ToolUse(call.name, arguments, call.id, number, retry=retry, says=says)

    async def _store_and_run(self, uses: Sequence[ToolUse], state: JSON = None) -> None:
        steps = [
            Turn(f"{self.turn.id}.tool{number}", "", parent=self.turn.id, tool=use)
            for number, use in enumerate(uses, self._count + 1)
        ]
        await self.turn.record(steps)
        await self._run_round(steps, state)

    async def _run_round(self, steps: Sequence[Turn], state: JSON = None) -> None:
        """Run the calls of one message, one after the other, and keep the results for the model."""
        allowed, done = max(self.toolbox.max_calls - self._count, 0), list[Turn]()
        for number, step in enumerate(steps):
            refusal = TOO_MANY if number >= allowed else WAITS if any(map(_question_of, done)) else ""
            done.append(await self._run_step(step, refusal))
        uses = [step.tool for step in steps if step.tool]
        calls = tuple(ToolCall(use.call_id, use.name, use.arguments) for use in uses)
        self.rounds.append(ToolRound(calls, tuple(map(_result_of, done)), uses[0].preface, state))
        self.question = next(filter(None, map(_question_of, done)), "")

    async def _run_step(self, step: Turn, refusal: str) -> Turn:
        """Run a call once; with a ``refusal``, that is its result."""
        call_id = self.turn.session.call_id
        work = functools.partial(self._work, step, refusal)
        try:
            return await self.ledger.run_once(call_id, step, work)
        except asyncio.CancelledError:  # the turn is over, and the tool with it
            await self.ledger.cancel_turns(call_id, (step.id,))
            raise

    async def _work(self, step: Turn, refusal: str, running: RunningTurn) -> TurnResult:
        use = step.tool
        if use is None:
            raise AssertionError(step)
        tool = self.toolbox.find(use.name)
        if tool is None:
            name, known = use.name[:64], ", ".join(self.toolbox.tools)
            raise ToolFailedError(f"there is no tool {name!r}; there are {known}", tool=name)
        if refusal:
            raise ToolFailedError(refusal, tool=tool.name)
        if len(use.arguments) > MAX_RESULT:
            raise ToolFailedError(f"the arguments have more than {MAX_RESULT} characters", tool=tool.name)
        with self._developers_code(tool):
            try:
                arguments = tool.signature.parse(use.arguments)
            except ArgumentsError as error:
                raise ToolError(f"wrong arguments: {error}") from None
            question = tool.question(arguments) if tool.confirm and not use.confirmed else ""
        if question:
            raise ToolNotConfirmedError(question=question, tool=tool.name)
        return await self._call(tool, arguments, step, running)

    async def _call(
        self, tool: Tool, arguments: Mapping[str, Any], step: Turn, running: RunningTurn
    ) -> TurnResult:
        state = copy.deepcopy(dict(self.turn.state))
        call_id = running.session.call_id
        service_id = step.tool.call_id if step.tool else ""
        context = ToolContext(
            call_id, self.phone, self.turn.id, service_id, key=f"{call_id}:{step.id}", state=state
        )
        first = (context,) if tool.signature.takes_context else ()
        running_tool.set(call_id)
        name_task(call_id, f"the tool {tool.name}")
        try:
            async with asyncio.timeout(tool.timeout):
                run = functools.partial(self.call_function, tool.function, *first, **arguments)
                with self._developers_code(tool):
                    replacement = report_tool_start(call_id, step)
                    returned = await (run() if replacement is None else replacement(arguments, run))
        except TimeoutError:
            log.warning("call %s: the tool %s took more than %g s", call_id, tool.name, tool.timeout)
            raise ToolUnknownError(f"it took more than {tool.timeout:g} s", tool=tool.name) from None
        with self._developers_code(tool, HAS_RUN):
            result, saved = result_text(returned), json.loads(json.dumps(state))
        changed = saved != self.turn.state
        if changed:
            self.turn.state.clear()
            self.turn.state.update(saved)
        return TurnResult(answer=result, state=saved if changed else None)

    @contextlib.contextmanager
    def _developers_code(self, tool: Tool, what: str = "the tool failed") -> Iterator[None]:
        """Let the model learn why foreign code has failed: a ``ToolError`` is for it, others are logged."""
        try:
            yield
        except ToolError as error:
            raise ToolFailedError(refusal(error), tool=tool.name) from None
        except (Exception, SystemExit) as error:
            raise self._failure(tool, error, what) from error

    def _failure(self, tool: Tool, error: BaseException, what: str) -> ToolFailedError:
        log.error(
            "call %s: the tool %s failed, and the model learns it",
            self.turn.session.call_id,
            describe_function(tool.function),
            exc_info=error,
        )
        report_code_error(f"the tool {tool.name}", error)
        return ToolFailedError(f"{what} ({type(error).__name__})", tool=tool.name)


def _waiting_step(session: Session, turn: Turn | None) -> Turn | None:
    """Return the run of a tool that waits for consent since ``turn``; None if there is none."""
    steps = session.tools_of(turn.id) if turn is not None else ()
    return next((step for step in steps if _question_of(step)), None)


def _note(steps: Sequence[Turn]) -> str:
    """Return what tools did, as a note for the model; "" for nothing."""
    return " ".join(f"[{_shown_call(step)}: {_result_of(step)}]" for step in steps)


def _shown_call(step: Turn) -> str:
    return f"{step.tool.name}({step.tool.arguments})" if step.tool else step.id


def _question_of(step: Turn) -> str:
    failure = step.failure
    if failure is None or failure.kind != ToolNotConfirmedError.kind:
        return ""
    return str(failure.fields.get("question", ""))


def _result_of(step: Turn) -> str:
    """Return the result of a run as text for the model."""
    if step.failure is None:
        return step.answer if step.is_done and not step.interrupted else failure_text(UNKNOWN)
    if step.failure.kind == ToolUnknownError.kind:
        return failure_text(f"{step.failure.message}: {UNKNOWN}")
    return failure_text(step.failure.message)
