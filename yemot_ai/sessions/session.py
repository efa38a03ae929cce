"""A session: all that is remembered of one call. JSON-able, immutable, versioned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Self

from yemot_ai.providers.provider import JSON, Exchange
from yemot_ai.sessions.turn import Turn, TurnStatus
from yemot_ai.sessions.visit import Visit

__all__ = ["RING_SIZE", "CachedResponse", "HandlerOutcome", "Session"]

RING_SIZE = 4
"""How many answers are kept for a request that comes again."""

_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})
"""Shared by all sessions that have nothing in it: there are many, and an empty dictionary is 64 bytes."""


def _empty() -> Mapping[str, Any]:
    return _EMPTY


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A request and the answer it was given, so that it gets the same one when it comes again.

    Attributes:
        request: the request's mark: equal for equal requests. The request itself is in the visit.
        time: ``ApiTime``; None when the line is set not to send it.
        answer: what it was answered.
        left: whether the answer led out of the extension.
    """

    request: str
    time: int | None
    answer: str
    left: bool = False


@dataclass(frozen=True, slots=True)
class HandlerOutcome:
    """What a plain handler's run came to, for whichever worker the line asks next.

    Attributes:
        run: names the run within the call.
        answer: the rendered answer ("" when the handler failed).
        failed: the handler raised instead of deciding anything.
    """

    run: str
    answer: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """What is remembered of a call.

    Attributes:
        call_id: the call's ``ApiCallId``.
        version: counts the saves; a save over a newer version is refused.
        phone: the caller's number ("" when withheld).
        ended: a tombstone: the call is over, whatever still comes is told to hang up.
        started: Unix time in seconds of the call's first request (0: none yet).
        visit: the newest visit, None before the first.
        next_turn: the smallest turn number that this call has never used.
        names: the line's value names that were used so far, oldest first, with the names they were
            asked for by.
        turns: the ledger, oldest first.
        earlier: turns of earlier calls of this caller, where they are remembered.
        recalled: whether ``earlier`` and its threads were fetched.
        threads: per conversation, the provider's session value.
        restarted: the conversations that the caller has started anew in this call.
        retired: conversations' provider sessions that were put aside ("start anew") and are to be
            forgotten when the call ends.
        recent: the last answers, newest last.
        finished: what the newest runs of plain handlers came to, newest last.
        state: the developer's ``call.state``.
        faults: how many visits in a row ended in a fault of ours.
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
        """Find a turn; the newest ones are looked at first."""
        return next((turn for turn in reversed(self.turns) if turn.id == turn_id), None)

    def with_turn(self, turn: Turn) -> Self:
        """Put ``turn`` in its place in the ledger, or at its end."""
        if self.turn(turn.id) is None:
            return replace(self, turns=(*self.turns, turn))
        return replace(self, turns=tuple(turn if old.id == turn.id else old for old in self.turns))

    def with_thread(self, conversation: str, session: JSON) -> Self:
        """Remember the provider's session of ``conversation``."""
        return replace(self, threads={**self.threads, conversation: session})

    def without_thread(self, conversation: str) -> Self:
        """Put the provider's session of ``conversation`` aside, if there is one."""
        if conversation not in self.threads:
            return self
        threads = dict(self.threads)
        aside = conversation, threads.pop(conversation)
        return replace(self, threads=threads, retired=(*self.retired, aside))

    def with_response(self, response: CachedResponse) -> Self:
        """Remember the answer to a request."""
        return replace(self, recent=(*self.recent, response)[-RING_SIZE:])

    def find_outcome(self, run: str) -> HandlerOutcome | None:
        """Find what a run came to."""
        return next((one for one in self.finished if one.run == run), None)

    def with_outcome(self, outcome: HandlerOutcome) -> Self:
        """Remember what a run came to."""
        return replace(self, finished=(*self.finished, outcome)[-RING_SIZE:])

    def history(self, conversation: str) -> tuple[Exchange, ...]:
        """Return what was said in ``conversation``, for a provider that has lost it."""
        return tuple(
            Exchange(turn.text, turn.answer)
            for turn in (*self.earlier, *self.turns)
            if turn.conversation == conversation and turn.has_answer and not turn.forgotten
        )

    def with_restart(self, conversation: str) -> Self:
        """Forget what was said in ``conversation``; its provider session is put aside."""
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
        """End a turn, and what was asked for it, with as much of its answer as was said.

        Also where all of it is written already; what else was asked within it stays as it is.
        The provider knows nothing of how much that was: its session is put aside, and the next turn
        tells it from the transcript.
        """
        session = self
        known = self.turn(turn_id)
        written = known.answer if known and known.is_done and known.answer and spoken else None
        for turn in self.turns:
            if not (turn.id == turn_id or turn.id.startswith(f"{turn_id}.")):
                continue
            if turn.is_done and turn.answer != written:
                continue
            failed = turn.status is TurnStatus.FAILED or not spoken
            status = TurnStatus.FAILED if failed else TurnStatus.ANSWERED
            session = session.with_turn(
                replace(turn, status=status, owner="", answer=spoken, pieces=(), interrupted=True)
            )
            if spoken:
                session = session.without_thread(turn.conversation)
        return session

    def with_cut_off_answer(self, turn: Turn) -> Self:
        """Put a turn in its place that has failed when its answer had begun: what there is of it is said.

        That much counts as the answer, also of the step of it that asked the model. The provider knows
        nothing of how much it was: as after an interruption, the next turn tells it from the transcript.
        """
        said = "".join(turn.pieces).strip()
        session = self.with_turn(replace(turn, owner="", answer=said))
        asked = [step for step in self.turns if step.conversation and step.id.startswith(f"{turn.id}.")]
        for step in asked[-1:]:  # the model is left to answer when the function has asked all that it asks
            status = step.status if step.is_done else turn.status
            failure = step.failure if step.is_done else turn.failure
            cut = replace(step, status=status, owner="", answer=said, failure=failure)
            session = session.with_turn(cut).without_thread(step.conversation)
        return session.without_thread(turn.conversation)

    def tombstone(self) -> Self:
        """Return the tombstone of this session: nothing that was said stays in it."""
        return replace(type(self)(self.call_id), version=self.version, ended=True, next_turn=self.next_turn)
