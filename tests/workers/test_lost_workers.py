"""How many workers may be lost during a turn, and what counts as progress of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from yemot_ai._turns import transitions
from yemot_ai._turns.work import TurnResult
from yemot_ai.sessions import Session, Turn, TurnStatus

TURN = Turn("ai_6", "שאלה")
STEP = Turn("ai_6.1", "צעד", "call", parent="ai_6")


def claimed(session: Session, turn: Turn, worker: str) -> tuple[Session, Turn]:
    """Return the session with the turn as ``worker`` claims it, and the turn."""
    session = transitions.claim(session, replace(turn, owner=f"{worker}.1"))
    stored = session.turn(turn.id)
    assert stored is not None
    return session, stored


def lose(session: Session, *workers: str) -> Session:
    """Return the session after each worker has claimed the turn and its step, and died."""
    for worker in workers:
        session, _ = claimed(session, TURN, worker)
        session, _ = claimed(session, STEP, worker)
    return session


def answer(session: Session, turn: Turn) -> Session:
    stored = session.turn(turn.id)
    assert stored is not None
    finished = replace(stored, status=TurnStatus.ANSWERED, answer="תשובה", owner="")
    return transitions.finish(session, turn=stored, finished=finished, result=TurnResult(answer="תשובה"))


@pytest.mark.parametrize("lost", [("a",), ("a", "b"), ("a", "b", "c")])
def test_a_turn_whose_step_was_answered_before_its_worker_died_is_answered(lost: tuple[str, ...]) -> None:
    session = answer(lose(Session("c1"), *lost), STEP)

    session, turn = claimed(session, TURN, "d")
    session = answer(session, TURN)

    assert not turn.is_done
    assert [one.status for one in session.turns] == [TurnStatus.ANSWERED] * 2


def test_a_turn_that_kills_each_worker_after_its_step_still_ends() -> None:
    session = answer(lose(Session("c1"), "a", "b", "c"), STEP)

    statuses = []
    for worker in "defgh":
        session, turn = claimed(session, TURN, worker)
        statuses.append(turn.status)

    assert statuses[:2] == [TurnStatus.RUNNING] * 2
    assert statuses[-2:] == [TurnStatus.FAILED] * 2


def test_a_turn_that_kills_each_worker_before_its_step_is_answered_ends() -> None:
    session = lose(Session("c1"), "a", "b", "c")

    _, turn = claimed(session, TURN, "d")

    assert turn.status is TurnStatus.FAILED
    assert turn.failure is not None
    assert "3 workers were lost" in turn.failure.message


def test_a_step_that_fails_is_no_progress() -> None:
    session = lose(Session("c1"), "a", "b", "c")
    stored = session.turn(STEP.id)
    assert stored is not None
    failed = replace(stored, status=TurnStatus.FAILED, owner="")
    session = transitions.finish(session, turn=stored, finished=failed, result=TurnResult())

    _, turn = claimed(session, TURN, "d")

    assert turn.status is TurnStatus.FAILED


def test_the_step_of_one_turn_is_no_progress_of_another() -> None:
    session = lose(Session("c1"), "a", "b", "c")
    session, other = claimed(session, Turn("ai_7.1", "צעד", parent="ai_7"), "c")
    session = answer(session, other)

    _, turn = claimed(session, TURN, "d")

    assert turn.status is TurnStatus.FAILED
