"""The ledger's entries: how a turn stands in a session, from its claim to its end.

All of it is pure: a session goes in, the changed one comes out, and the store may do it again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from yemot_ai.errors import CallEndedError, ProviderCrashError, ProviderError
from yemot_ai.sessions import Failure, Session, Status, Turn
from yemot_ai.turns.stream import OvertakenError
from yemot_ai.turns.work import Worked

__all__ = ["MOST_LOST", "answered", "claim", "end", "failed", "put_aside", "tell"]

MOST_LOST: Final = 3
"""So many workers may be lost over one turn: one that kills whoever works on it must not kill them all."""


def claim(session: Session, mine: Turn) -> Session:
    """Return the session with the turn as ours, unless it is over; whoever had it before us is dead.

    One whose answer had begun is over: nobody can go on in the middle of what was said, and to
    begin anew would say it twice. So is one over which too many workers were lost.

    Raises:
        CallEndedError: the call has hung up.
    """
    _refuse_ended(session)
    known = session.turn(mine.id)
    if known and known.is_over:
        return session
    if known and known.pieces:
        left = ProviderCrashError("the worker was lost in the middle of the answer")
        return session.broken_off(failed(known, left))
    lost = _lost(known, mine) if known else 0
    if lost >= MOST_LOST:
        left = ProviderCrashError(f"{lost} workers were lost while they worked on it")
        return session.with_turn(replace(failed(mine, left), owner="", lost=lost))
    return session.with_turn(replace(mine, lost=lost))


def _lost(known: Turn, mine: Turn) -> int:
    """Count the workers that were lost over a turn; one that comes back to its own is none."""
    before, now = (turn.owner.partition(".")[0] for turn in (known, mine))
    return known.lost + (before != now)


def tell(session: Session, turn: Turn, pieces: tuple[str, ...], before: str) -> Session:
    """Return the session with the sentences of a turn, and what is played before them.

    Raises:
        OvertakenError: the turn is not ours any more.
        CallEndedError: the call has hung up.
    """
    _refuse_lost(session, turn)
    known = session.turn(turn.id) or turn
    if len(known.pieces) == len(pieces):
        return session
    return session.with_turn(replace(known, pieces=pieces, spoken=before))


def end(session: Session, *, turn: Turn, over: Turn, worked: Worked) -> Session:
    """Return the session with the end of a turn, and what its work has changed besides.

    Args:
        session: as it is in the store.
        turn: as we claimed it.
        over: as it is to be kept.
        worked: what the work came to; an empty one where it failed.

    Raises:
        OvertakenError: the turn is not ours any more.
        CallEndedError: the call has hung up.
    """
    _refuse_lost(session, turn)
    broke_off = over.status is Status.FAILED and over.pieces
    session = session.broken_off(over) if broke_off else session.with_turn(over)
    if worked.state is not None:
        session = replace(session, state=worked.state)
    if worked.conversation:
        session = session.with_thread(worked.conversation, worked.session)
    if worked.put_aside is not None:
        session = replace(session, retired=(*session.retired, (worked.conversation, worked.put_aside)))
    return session


def put_aside(session: Session, turn_id: str, worked: Worked) -> Session:
    """Return the session with a thread that nobody goes on with: its answer was cut short meanwhile."""
    known = session.turn(turn_id)
    cut_short = known is not None and (known.interrupted or (known.status is Status.FAILED and known.is_said))
    if session.ended or not cut_short or not worked.conversation or worked.conversation in session.threads:
        return session
    return replace(session, retired=(*session.retired, (worked.conversation, worked.session)))


def failed(turn: Turn, error: ProviderError) -> Turn:
    """Return the turn as one that ``error`` has ended."""
    return replace(turn, status=Status.FAILED, failure=Failure.of(error))


def answered(turn: Turn, worked: Worked, duration: float) -> Turn:
    """Return the turn as answered, after ``duration`` seconds."""
    return replace(
        turn,
        status=Status.ANSWERED,
        conversation=worked.conversation,
        answer=worked.answer,
        outcome=worked.outcome,
        spoken=worked.spoken,
        usage=worked.usage,
        session_id=worked.session_id,
        duration=duration,
    )


def _refuse_lost(session: Session, turn: Turn) -> None:
    _refuse_ended(session)
    known = session.turn(turn.id)
    # A store that has lost the whole session knows of no other owner.
    if known is not None and known.owner != turn.owner:
        raise OvertakenError("somebody else has taken it over")


def _refuse_ended(session: Session) -> None:
    if session.ended:
        raise CallEndedError(session.call_id)
