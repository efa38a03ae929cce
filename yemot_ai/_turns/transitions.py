"""State transitions of a turn in its session, from the claim to the end.

Pure functions from a session to the changed session; ``update_session`` may call them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from yemot_ai._turns.stream import OvertakenError
from yemot_ai._turns.work import RunningTurn, TurnResult
from yemot_ai.errors import CallEndedError, ProviderCrashError, ProviderError, ToolUnknownError
from yemot_ai.sessions import Session, Turn, TurnFailure, TurnStatus

__all__ = [
    "MAX_LOST_WORKERS",
    "add_pieces",
    "add_steps",
    "as_answered",
    "as_failed",
    "claim",
    "finish",
    "retire_thread",
]

MAX_LOST_WORKERS: Final = 3
"""How many workers may die during one turn, or between two of its steps: a turn that kills its worker must
not kill them all."""


MAX_KEPT_RESULT: Final = 1_000
"""Characters of a tool's result, and of its arguments, that an answered turn keeps for hooks and notes."""


def claim(session: Session, claimed: Turn) -> Session:
    """Return the session with ``claimed``, unless the turn is done; its previous owner is dead.

    A turn with pieces fails: its answer cannot be continued, and a new answer would repeat what the
    caller has heard. A turn during which too many workers died fails too, and the run of a tool that has
    begun: what it has done is unknown.

    Raises:
        CallEndedError: if the call has hung up.
    """
    _check_not_ended(session)
    stored = session.turn(claimed.id)
    if stored and stored.is_done:
        return session
    if stored and stored.pieces:
        error = ProviderCrashError("the worker was lost in the middle of the answer")
        return session.with_cut_off_answer(as_failed(stored, error))
    if stored and stored.tool and stored.owner and not stored.tool.retry:
        unknown = ToolUnknownError("the worker was lost while the tool ran", tool=stored.tool.name)
        return session.with_turn(replace(as_failed(stored, unknown), owner=""))
    lost = _count_lost(stored, claimed) if stored else 0
    if lost >= MAX_LOST_WORKERS:
        error = ProviderCrashError(f"{lost} workers were lost while they worked on it")
        return session.with_turn(replace(as_failed(claimed, error), owner="", lost=lost))
    return session.with_turn(replace(claimed, lost=lost) if lost else claimed)


def _count_lost(stored: Turn, claimed: Turn) -> int:
    """Count the workers that died during a turn; a worker that claims its own turn again did not."""
    before, now = (turn.owner.partition(".")[0] for turn in (stored, claimed))
    return stored.lost + (before not in {"", now})  # "": it was recorded, and has not begun


def add_pieces(session: Session, turn: Turn) -> Session:
    """Return the session with the turn's pieces, and the messages to play before them.

    Raises:
        OvertakenError: if the turn has another owner.
        CallEndedError: if the call has hung up.
    """
    _check_owned(session, turn)
    stored = session.turn(turn.id) or replace(turn, pieces=())
    if len(stored.pieces) == len(turn.pieces):
        return session
    return session.with_turn(replace(stored, pieces=turn.pieces, spoken=turn.spoken))


def add_steps(session: Session, turn: Turn, steps: Iterable[Turn]) -> Session:
    """Return the session with the steps of a turn that have not begun; those that it has are unchanged.

    Raises:
        OvertakenError: if the turn has another owner.
        CallEndedError: if the call has hung up.
    """
    _check_owned(session, turn)
    for step in steps:
        session = session if session.turn(step.id) else session.with_turn(step)
    return session


def finish(session: Session, *, turn: Turn, finished: Turn, result: TurnResult) -> Session:
    """Return the session with a finished turn, and the other changes of its result.

    Args:
        session: the stored session.
        turn: the turn as it was claimed.
        finished: the turn to store.
        result: the result of the work; an empty one if it failed without a reply.

    Raises:
        OvertakenError: if the turn has another owner.
        CallEndedError: if the call has hung up.
    """
    _check_owned(session, turn)
    if result.state is not None:
        session = replace(session, state=result.state)
    if result.conversation:
        session = session.with_thread(result.conversation, result.session)
    if result.retired_session is not None:
        session = replace(session, retired=(*session.retired, (result.conversation, result.retired_session)))
    session = _with_progress(session, finished)
    if finished.status is TurnStatus.ANSWERED:
        session = _with_short_results(session, finished.id)
    # Last: the provider session of an answer that was cut does not say what was spoken of it, either.
    is_failed = finished.status is TurnStatus.FAILED
    if is_failed and not finished.pieces:
        session = session.without_unspoken_steps(finished.id, finished.failure)
    is_cut_off = is_failed and (finished.pieces or result.conversation)
    return session.with_cut_off_answer(finished) if is_cut_off else session.with_turn(finished)


def _with_short_results(session: Session, turn_id: str) -> Session:
    """Return the session in which the results of a turn's tools are short: the model has used them."""
    for step in session.tools_of(turn_id):
        if step.tool and max(len(step.answer), len(step.tool.arguments)) > MAX_KEPT_RESULT:
            use = replace(step.tool, arguments=step.tool.arguments[:MAX_KEPT_RESULT])
            session = session.with_turn(replace(step, answer=step.answer[:MAX_KEPT_RESULT], tool=use))
    return session


def _with_progress(session: Session, step: Turn) -> Session:
    """Return the session in which no worker was lost since the turn's newest step was answered.

    The next worker does not ask that step again, so it gets further than those that were lost; a turn that
    kills its workers at the same place still ends.
    """
    turn = session.turn(step.parent) if step.parent and step.status is TurnStatus.ANSWERED else None
    if turn is None or turn.is_done or not turn.lost:
        return session
    return session.with_turn(replace(turn, lost=0))


def retire_thread(session: Session, turn_id: str, result: TurnResult) -> Session:
    """Return the session with the result's thread retired, if the answer was cut off while the work ran."""
    turn = session.turn(turn_id)
    is_cut_off = turn is not None and (
        turn.interrupted or (turn.status is TurnStatus.FAILED and turn.has_answer)
    )
    if session.ended or not is_cut_off or not result.conversation or result.conversation in session.threads:
        return session
    return replace(session, retired=(*session.retired, (result.conversation, result.session)))


def as_failed(turn: Turn, error: ProviderError) -> Turn:
    """Return the turn as failed with ``error``."""
    return replace(turn, status=TurnStatus.FAILED, failure=TurnFailure.from_error(error))


def as_answered(running: RunningTurn, turn: Turn, result: TurnResult, duration: float) -> Turn:
    """Return the turn as answered, after ``duration`` seconds, without an owner."""
    return replace(
        turn,
        status=TurnStatus.ANSWERED,
        owner="",
        conversation=running.conversation,
        answer=result.answer,
        outcome=result.outcome,
        spoken=result.spoken,
        usage=result.usage,
        session_id=result.session_id,
        pieces=tuple(running.stream.pieces),
        duration=duration,
    )


def _check_owned(session: Session, turn: Turn) -> None:
    _check_not_ended(session)
    stored = session.turn(turn.id)
    # If the store has lost the session, no other owner is known.
    if stored is not None and stored.owner != turn.owner:
        raise OvertakenError("another worker has taken it over")


def _check_not_ended(session: Session) -> None:
    if session.ended:
        raise CallEndedError(session.call_id)
