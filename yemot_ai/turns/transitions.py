"""The ledger's entries: how a turn stands in a session, from its claim to its end.

All of it is pure: a session goes in, the changed one comes out, and the store may do it again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from yemot_ai.errors import CallEndedError, ProviderCrashError, ProviderError
from yemot_ai.sessions import Session, Turn, TurnFailure, TurnStatus
from yemot_ai.turns.stream import OvertakenError
from yemot_ai.turns.work import TurnResult

__all__ = ["MAX_LOST_WORKERS", "add_pieces", "as_answered", "as_failed", "claim", "finish", "retire_thread"]

MAX_LOST_WORKERS: Final = 3
"""So many workers may be lost over one turn: one that kills whoever works on it must not kill them all."""


def claim(session: Session, claimed: Turn) -> Session:
    """Return the session with the turn as ours, unless it is over; whoever had it before us is dead.

    One whose answer had begun is over: nobody can go on in the middle of what was said, and to
    begin anew would say it twice. So is one over which too many workers were lost.

    Raises:
        CallEndedError: the call has hung up.
    """
    _check_not_ended(session)
    known = session.turn(claimed.id)
    if known and known.is_done:
        return session
    if known and known.pieces:
        left = ProviderCrashError("the worker was lost in the middle of the answer")
        return session.with_cut_off_answer(as_failed(known, left))
    lost = _count_lost(known, claimed) if known else 0
    if lost >= MAX_LOST_WORKERS:
        left = ProviderCrashError(f"{lost} workers were lost while they worked on it")
        return session.with_turn(replace(as_failed(claimed, left), owner="", lost=lost))
    return session.with_turn(replace(claimed, lost=lost))


def _count_lost(known: Turn, mine: Turn) -> int:
    """Count the workers that were lost over a turn; one that comes back to its own is none."""
    before, now = (turn.owner.partition(".")[0] for turn in (known, mine))
    return known.lost + (before != now)


def add_pieces(session: Session, turn: Turn, pieces: tuple[str, ...], spoken_before: str) -> Session:
    """Return the session with the sentences of a turn, and what is played before them.

    Raises:
        OvertakenError: the turn is not ours any more.
        CallEndedError: the call has hung up.
    """
    _check_owned(session, turn)
    known = session.turn(turn.id) or turn
    if len(known.pieces) == len(pieces):
        return session
    return session.with_turn(replace(known, pieces=pieces, spoken=spoken_before))


def finish(session: Session, *, turn: Turn, finished: Turn, result: TurnResult) -> Session:
    """Return the session with the end of a turn, and what its work has changed besides.

    Args:
        session: as it is in the store.
        turn: as we claimed it.
        finished: as it is to be kept.
        result: what the work came to; an empty one where it failed.

    Raises:
        OvertakenError: the turn is not ours any more.
        CallEndedError: the call has hung up.
    """
    _check_owned(session, turn)
    broke_off = finished.status is TurnStatus.FAILED and finished.pieces
    session = session.with_cut_off_answer(finished) if broke_off else session.with_turn(finished)
    if result.state is not None:
        session = replace(session, state=result.state)
    if result.conversation:
        session = session.with_thread(result.conversation, result.session)
    if result.retired_session is not None:
        session = replace(session, retired=(*session.retired, (result.conversation, result.retired_session)))
    return session


def retire_thread(session: Session, turn_id: str, result: TurnResult) -> Session:
    """Return the session with a thread that nobody goes on with: its answer was cut short meanwhile."""
    known = session.turn(turn_id)
    cut_short = known is not None and (
        known.interrupted or (known.status is TurnStatus.FAILED and known.has_answer)
    )
    if session.ended or not cut_short or not result.conversation or result.conversation in session.threads:
        return session
    return replace(session, retired=(*session.retired, (result.conversation, result.session)))


def as_failed(turn: Turn, error: ProviderError) -> Turn:
    """Return the turn as one that ``error`` has ended."""
    return replace(turn, status=TurnStatus.FAILED, failure=TurnFailure.from_error(error))


def as_answered(turn: Turn, result: TurnResult, duration: float) -> Turn:
    """Return the turn as answered, after ``duration`` seconds."""
    return replace(
        turn,
        status=TurnStatus.ANSWERED,
        conversation=result.conversation,
        answer=result.answer,
        outcome=result.outcome,
        spoken=result.spoken,
        usage=result.usage,
        session_id=result.session_id,
        duration=duration,
    )


def _check_owned(session: Session, turn: Turn) -> None:
    _check_not_ended(session)
    known = session.turn(turn.id)
    # A store that has lost the whole session knows of no other owner.
    if known is not None and known.owner != turn.owner:
        raise OvertakenError("somebody else has taken it over")


def _check_not_ended(session: Session) -> None:
    if session.ended:
        raise CallEndedError(session.call_id)
