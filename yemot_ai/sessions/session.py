"""The session: the immutable, versioned record of one call, which JSON can represent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Self

from yemot_ai.providers.provider import JSON, Exchange
from yemot_ai.sessions.turn import Turn, TurnFailure, TurnStatus
from yemot_ai.sessions.visit import Visit

__all__ = ["RING_SIZE", "CachedResponse", "HandlerOutcome", "Session"]

RING_SIZE = 4
"""How many responses are cached for repeated requests."""

_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})
"""Shared by all sessions: there are many, and an empty dictionary takes 64 bytes."""


def _empty() -> Mapping[str, Any]:
    return _EMPTY


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A request and its response, so that a repeated request gets the same response.

    Attributes:
        request: the fingerprint of the request; its values are in the visit.
        time: ``ApiTime``; None if the line is configured not to send it.
        answer: the response.
        left: whether the response leads out of the extension.
    """

    request: str
    time: int | None
    answer: str
    left: bool = False


@dataclass(frozen=True, slots=True)
class HandlerOutcome:
    """The result of a handler run, for the worker that gets the next request.

    Attributes:
        run: names the run within the call.
        answer: the rendered response; if the handler failed, its apology ("" for the usual one).
        failed: the handler raised an exception.
    """

    run: str
    answer: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """The record of one call.

    Attributes:
        call_id: what identifies the call: its ``ApiCallId``, unless ``AIFlow(call_key=…)`` says otherwise.
        version: counts the saves; a save over a newer version is refused.
        phone: the caller's number ("" when withheld).
        ended: the session is a tombstone: each further request gets a hang-up.
        started: Unix time in seconds of the call's first request (0: none yet).
        visit: the newest visit, None before the first.
        next_turn: the smallest turn number that this call has not used.
        names: the value names that the line has used so far, oldest first, with the names that the
            handlers read them by.
        turns: the ledger, oldest first.
        earlier: turns of earlier calls of this caller, if callers are remembered.
        recalled: whether ``earlier`` and its threads have been loaded.
        threads: per conversation, the provider's session value.
        restarted: the conversations that the caller has restarted in this call.
        retired: provider sessions that their conversations no longer use, with the conversations' names;
            they are deleted when the call ends.
        recent: the newest cached responses, newest last.
        finished: the outcomes of the newest handler runs, newest last.
        state: the developer's ``call.state``.
        faults: how many visits in a row ended with an internal error.
    """

    call_id: str
    version: int = 0
    phone: str = ""
    ended: bool = False
    started: float = 0.0
    visit: Visit | None = None
    next_turn: int = 1
    names: Mapping[str, str] = field(default_factory=_empty)
    turns: tuple[Turn, ...] = ()
    earlier: tuple[Turn, ...] = ()
    recalled: bool = False
    restarted: tuple[str, ...] = ()
    threads: Mapping[str, JSON] = field(default_factory=_empty)
    retired: tuple[tuple[str, JSON], ...] = ()
    recent: tuple[CachedResponse, ...] = ()
    finished: tuple[HandlerOutcome, ...] = ()
    state: Mapping[str, JSON] = field(default_factory=_empty)
    faults: int = 0

    def turn(self, turn_id: str) -> Turn | None:
        """Return a turn, or None; the search starts with the newest."""
        return next((turn for turn in reversed(self.turns) if turn.id == turn_id), None)

    def with_turn(self, turn: Turn) -> Self:
        """Return the session with ``turn`` replaced, or added if it is new.

        A step is added before its parent, because its model was asked before that of its parent.
        """
        ids = [old.id for old in self.turns]
        if turn.id in ids:
            place = ids.index(turn.id)
            return replace(self, turns=(*self.turns[:place], turn, *self.turns[place + 1 :]))
        place = ids.index(turn.parent) if turn.parent in ids else len(ids)
        return replace(self, turns=(*self.turns[:place], turn, *self.turns[place:]))

    def with_thread(self, conversation: str, session: JSON) -> Self:
        """Return the session with the provider session of ``conversation``."""
        if conversation in self.threads and self.threads[conversation] == session:
            return self
        return replace(self, threads={**self.threads, conversation: session})

    def without_thread(self, conversation: str) -> Self:
        """Return the session with the provider session of ``conversation`` retired, if there is one."""
        if conversation not in self.threads:
            return self
        threads = dict(self.threads)
        retired = conversation, threads.pop(conversation)
        return replace(self, threads=threads, retired=(*self.retired, retired))

    def with_response(self, response: CachedResponse, visit: Visit | None = None) -> Self:
        """Return the session with the response to a request cached, and with ``visit`` if it is given."""
        return replace(self, recent=(*self.recent, response)[-RING_SIZE:], visit=visit or self.visit)

    def find_outcome(self, run: str) -> HandlerOutcome | None:
        """Return the outcome of a run, or None."""
        return next((outcome for outcome in self.finished if outcome.run == run), None)

    def with_outcome(self, outcome: HandlerOutcome) -> Self:
        """Return the session with the outcome of a run."""
        return replace(self, finished=(*self.finished, outcome)[-RING_SIZE:])

    def history(self, conversation: str) -> tuple[Exchange, ...]:
        """Return the exchanges of ``conversation``: what was said and heard."""
        return tuple(Exchange(turn.text, turn.answer) for turn in self.answered_turns(conversation))

    def last_answered_turn(self, conversation: str) -> Turn | None:
        """Return the newest of ``answered_turns``, or None."""
        for turns in (self.turns, self.earlier):
            for turn in reversed(turns):
                if turn.conversation == conversation and turn.has_answer and not turn.forgotten:
                    return turn
        return None

    def unheard_turns(self, conversation: str, *, until: str) -> tuple[Turn, ...]:
        """Return the turns after the newest whole answer of ``conversation``: failed, or interrupted.

        Args:
            conversation: the conversation.
            until: the turn that is asked now, which is not among them.
        """
        unheard: list[Turn] = []
        for turn in reversed(self.turns):
            if turn.conversation != conversation or turn.id == until:
                continue
            if turn.forgotten or (turn.status is TurnStatus.ANSWERED and not turn.interrupted):
                break
            unheard.append(turn)
        return tuple(reversed(unheard))

    def answered_turns(self, conversation: str) -> tuple[Turn, ...]:
        """Return the turns of ``conversation`` that have an answer, those of earlier calls included."""
        return tuple(
            turn
            for turn in (*self.earlier, *self.turns)
            if turn.conversation == conversation and turn.has_answer and not turn.forgotten
        )

    def with_restart(self, conversation: str) -> Self:
        """Return the session with ``conversation`` restarted: its turns forgotten, its thread retired."""
        turns = tuple(
            replace(turn, forgotten=True) if turn.conversation in {conversation, ""} else turn
            for turn in self.turns
        )
        earlier = tuple(turn for turn in self.earlier if turn.conversation != conversation)
        return replace(
            self.without_thread(conversation),
            turns=turns,
            earlier=earlier,
            restarted=tuple(dict.fromkeys((*self.restarted, conversation))),
        )

    def with_interruption(self, turn_id: str, spoken: str) -> Self:
        """Return the session with a turn ended after the ``spoken`` part of its answer.

        Also if the whole answer is stored. Its unfinished steps end without an answer, and all of its steps
        if nothing was spoken. The provider does not know how much was spoken: its session is retired, and
        the next turn rebuilds the conversation. Nothing of a running turn is known to its provider while
        nothing was spoken.
        """
        turn = self.turn(turn_id)
        if turn is None:
            return self
        session = self if spoken else self.without_unspoken_steps(turn_id)
        if turn.is_done and not turn.answer:
            return session
        failed = turn.status is TurnStatus.FAILED or not spoken
        status = TurnStatus.FAILED if failed else TurnStatus.ANSWERED
        session = session.with_turn(
            replace(turn, status=status, owner="", answer=spoken, pieces=(), interrupted=True)
        )
        for step in self._steps_of(turn_id):
            if not step.is_done:
                session = session.with_turn(
                    replace(step, status=TurnStatus.FAILED, owner="", interrupted=True)
                )
        return session.without_thread(turn.conversation) if spoken or turn.is_done else session

    def _steps_of(self, turn_id: str) -> Iterator[Turn]:
        """Yield the steps of a turn, and theirs."""
        for step in self.turns:
            if step.parent == turn_id:
                yield step
                yield from self._steps_of(step.id)

    def tools_of(self, turn_id: str) -> tuple[Turn, ...]:
        """Return the runs of tools that the model has called in a turn, oldest first."""
        return tuple(turn for turn in self.turns if turn.parent == turn_id and turn.tool is not None)

    @property
    def open_question(self) -> str:
        """What a tool has asked the caller in the newest turn of an agent; "" if it waits for no consent."""
        newest = next((turn for turn in reversed(self.turns) if turn.number is not None), None)
        steps = self.tools_of(newest.id) if newest else ()
        failures = [
            step.failure for step in steps if step.failure and step.failure.kind == "tool_not_confirmed"
        ]
        return str(failures[0].fields.get("question", "")) if failures else ""

    def with_hangup(self) -> Self:
        """Return the session when its call ends: of each answer what was spoken of it.

        A turn that still runs, and of which nothing was spoken, is unchanged.
        """
        session, visit = self, self.visit or Visit()
        for turn in self.turns:
            number = turn.number
            if number is None or number < visit.first_turn or number <= visit.decided[0]:
                continue
            spoken_count = visit.spoken_progress.for_turn(number).spoken_count
            spoken = "".join(turn.pieces[:spoken_count]).strip()
            if not turn.is_spoken(spoken_count) and (spoken or turn.is_done):
                session = session.with_interruption(turn.id, spoken)
            elif not turn.is_done:
                session = session.without_unspoken_steps(turn.id)
        return session.without_unspoken_handler_steps()

    def with_spoken_handler_steps(self) -> Self:
        """Return the session when a response is sent that may speak the answers of a handler's steps."""
        visit, steps = self.visit or Visit(), self._handler_steps()
        return (
            self if steps == visit.spoken_steps else replace(self, visit=replace(visit, spoken_steps=steps))
        )

    def without_unspoken_handler_steps(self) -> Self:
        """Return the session when the run of a handler has ended without a response."""
        spoken = self.visit.spoken_steps if self.visit else ()
        return self.without_answers(step for step in self._handler_steps() if step not in spoken)

    def _handler_steps(self) -> tuple[str, ...]:
        """Return the turn ids of the handler's steps in this visit that are done."""
        prefix = (self.visit or Visit()).step_prefix
        return tuple(
            turn.id
            for turn in self.turns
            if turn.is_done and turn.tool is None and turn.id.startswith(prefix)
        )

    def without_unspoken_steps(self, turn_id: str, failure: TurnFailure | None = None) -> Self:
        """Return the session when a turn has ended and nothing was spoken: its steps have no answer, either.

        Args:
            turn_id: the turn whose function has asked the steps.
            failure: why the turn failed; None if the caller has interrupted it.
        """
        return self.without_answers([step.id for step in self.turns if step.parent == turn_id], failure)

    def without_answers(self, turn_ids: Iterable[str], failure: TurnFailure | None = None) -> Self:
        """Return the session with the answers of turns dropped, because no caller has heard them.

        The providers do not know that: their sessions are retired, and the next turn rebuilds the
        conversation.
        """
        session = self
        for turn in filter(None, map(self.turn, turn_ids)):
            if turn.answer and turn.tool is None:  # what a tool has done stays done
                why = turn.failure or failure
                unspoken = replace(
                    turn, status=TurnStatus.FAILED, answer="", failure=why, interrupted=why is None
                )
                session = session.with_turn(unspoken).without_thread(turn.conversation)
        return session

    def with_cut_off_answer(self, turn: Turn) -> Self:
        """Return the session with a turn that failed after its first piece; the pieces are its answer.

        The provider does not know how much was spoken: its session is retired, and the next turn rebuilds
        the conversation.
        """
        cut_off = replace(turn, owner="", answer="".join(turn.pieces).strip())
        return self.with_turn(cut_off).without_thread(turn.conversation)

    def tombstone(self) -> Self:
        """Return the tombstone of this session, without anything that was said."""
        return replace(type(self)(self.call_id), version=self.version, ended=True, next_turn=self.next_turn)
