"""Events of one call from several workers: late, out of order, or missing because a worker was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from yemot_ai_testing.history import (
    Budget,
    CallerSpoke,
    History,
    HistoryEvent,
    ModelAnswered,
    ModelAsked,
    ProcessStalled,
    RequestSent,
    ResponseReceived,
    SessionSaved,
    WorkerRestarted,
    check,
)
from yemot_ai_testing.history.recorders.app import record_request, record_response

LISTEN = "read=t-כן=ai_2,no,voice"
BUDGET = Budget(request=10.0, hangup=2.0, lease=5.0, turn=15.0)


def kinds(*events: HistoryEvent, budget: Budget = BUDGET) -> list[str]:
    history = History()
    for event in events:
        history.add(event)
    return [violation.kind for violation in check(History.loads(history.dumps()), budget)]


def asked(at: float, model_call_id: str, worker: str, utterance_id: str = "7001") -> ModelAsked:
    return ModelAsked(at, model_call_id, f"אמירה {utterance_id}", utterance_id, worker=worker)


ASKED_TWICE = (
    CallerSpoke(0, "call 1", "7001"),
    asked(1, "1", "a"),
    asked(8, "2", "b"),
    ModelAnswered(9, "2", "conversation"),
)


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ((), ["asked_twice"]),
        ((WorkerRestarted(2, "b"),), ["asked_twice"]),
        ((WorkerRestarted(2, "a"),), []),
        ((ProcessStalled(7, 1.0, "a"),), ["asked_twice"]),
        ((ProcessStalled(7, 5.0, "b"),), ["asked_twice"]),
        ((ProcessStalled(7, 5.0, "a"),), []),
        ((ProcessStalled(1.5, 5.0, "a"), ProcessStalled(20, 5.0, "a")), ["asked_twice"]),
        ((ProcessStalled(4, 2.0, "a"), ProcessStalled(12, 6.0, "a")), []),
    ],
    ids=[
        "lives",
        "another is replaced",
        "replaced",
        "stalls shortly",
        "another stalls",
        "stalls for longer than its lease",
        "stalls before and after",
        "stalls before, in between and after",
    ],
)
def test_a_retry_is_allowed_if_the_first_worker_may_be_dead(
    between: tuple[HistoryEvent, ...], expected: list[str]
) -> None:
    assert kinds(*ASKED_TWICE, *between) == expected


def test_a_worker_that_stalled_for_too_long_may_ask_without_its_lease() -> None:
    other = asked(8, "2", "b"), ModelAnswered(9, "2", "conversation")
    retry = CallerSpoke(0, "call 1", "7001"), asked(1, "1", "a"), ModelAnswered(2, "1", "", "crashed"), *other
    assert kinds(*retry, asked(12, "3", "a"), ProcessStalled(11.9, 9.0, "a")) == []
    assert kinds(*retry, asked(12, "3", "a"), ProcessStalled(11.9, 1.0, "a")) == ["asked_twice"]
    assert kinds(*retry, asked(12, "3", "a"), ProcessStalled(11.9, 3.0, "a")) == ["asked_twice"]
    assert kinds(*retry, asked(12, "3", "a"), ProcessStalled(11.9, 9.0, "c")) == ["asked_twice"]


def test_tries_of_workers_that_died_are_not_counted() -> None:
    tries: list[HistoryEvent] = [*(asked(at, str(at), "a") for at in (1, 2, 3)), asked(8, "8", "b")]
    failed: list[HistoryEvent] = [ModelAnswered(at + 0.5, str(at), "", "overloaded") for at in (1, 2, 3)]
    events: list[HistoryEvent] = sorted([*tries, *failed], key=lambda event: event.at)
    assert kinds(CallerSpoke(0, "call 1", "7001"), *events) == ["asked_twice"]
    assert kinds(CallerSpoke(0, "call 1", "7001"), *events, WorkerRestarted(4, "b")) == ["asked_twice"]
    assert kinds(CallerSpoke(0, "call 1", "7001"), *events, WorkerRestarted(4, "a")) == []


def after_hangup(*events: HistoryEvent, at: str = "b", budget: Budget = BUDGET) -> list[str]:
    over = (
        RequestSent(2, 1, "call 1", "hangup", is_hangup=True, worker=at),
        ResponseReceived(3, 1, "noop=ended"),
    )
    return kinds(CallerSpoke(0, "call 1", "7001"), *over, *events, budget=budget)


def test_a_model_call_shortly_after_a_hang_up_at_another_worker_is_allowed() -> None:
    asks = asked(4, "1", "a"), ModelAnswered(4.5, "1", "", "cancelled")
    assert after_hangup(*asks) == []
    assert after_hangup(*asks, at="a") == ["ran_after_hangup"]
    assert after_hangup(*asks, budget=Budget()) == ["ran_after_hangup"]
    assert after_hangup(asked(4, "1", "a"), ModelAnswered(6, "1", "", "cancelled")) == ["ran_after_hangup"]
    assert after_hangup(asked(5.5, "1", "a"), ModelAnswered(5.6, "1", "", "cancelled")) == [
        "ran_after_hangup"
    ]


def test_the_time_of_a_stall_is_not_counted() -> None:
    asks = asked(1, "1", "a"), ModelAnswered(8, "1", "", "cancelled")
    assert after_hangup(*asks) == ["ran_after_hangup"]
    assert after_hangup(*asks, ProcessStalled(7, 3.5, "a")) == []
    assert after_hangup(*asks, ProcessStalled(7, 2.5, "a")) == ["ran_after_hangup"]
    assert after_hangup(*asks, ProcessStalled(7, 3.5, "b")) == ["ran_after_hangup"]


@pytest.mark.parametrize(
    ("stalls", "expected"),
    [
        ((), ["late"]),
        ((ProcessStalled(8, 3.0, "a"),), []),
        ((ProcessStalled(8, 3.0),), []),
        ((ProcessStalled(8, 1.5), ProcessStalled(9, 1.0, "a")), []),
        ((ProcessStalled(8, 3.0, "b"),), ["late"]),
        ((ProcessStalled(8, 1.0, "a"),), ["late"]),
    ],
)
def test_stalls_of_the_worker_and_the_sender_excuse_a_late_response(
    stalls: tuple[HistoryEvent, ...], expected: list[str]
) -> None:
    assert (
        kinds(RequestSent(0, 1, "call 1", "", worker="a"), *stalls, ResponseReceived(12, 1, LISTEN))
        == expected
    )


def answered(ended_at: float, settled_at: float, *events: HistoryEvent) -> list[str]:
    request = (
        RequestSent(0, 1, "call 1", "ai_1", worker="a"),
        ResponseReceived(settled_at, 1, LISTEN, awaits_caller=True),
    )
    turn = CallerSpoke(0, "call 1", "7001"), asked(1, "1", "a"), ModelAnswered(ended_at, "1", "conversation")
    return kinds(*turn, *request, *events, budget=Budget(request=99, lease=5.0, turn=15.0))


def test_an_answer_in_time_is_heard_unless_its_worker_stalled() -> None:
    assert answered(2, 16) == ["unheard"]
    assert answered(2, 3) == ["unheard"]
    assert answered(14.5, 16) == []
    assert answered(13, 16, ProcessStalled(15, 1.5, "a")) == []
    assert answered(13, 14.9, ProcessStalled(14.5, 1.4, "a")) == ["unheard"]
    assert answered(13, 16, ProcessStalled(15, 1.5, "b")) == ["unheard"]


def test_an_answer_that_was_lost_with_its_worker_may_be_unheard() -> None:
    assert answered(2, 16, WorkerRestarted(3, "a")) == []
    assert answered(2, 16, WorkerRestarted(3, "b")) == ["unheard"]


def ended(*events: HistoryEvent) -> list[str]:
    """Return the violations of a call whose tombstone was not recorded."""
    over = RequestSent(2, 1, "call 1", "hangup", is_hangup=True), ResponseReceived(3, 1, "noop=ended")
    return kinds(SessionSaved(1, "call 1", 0, 1, worker="a"), *over, *events)


def test_a_save_before_an_unrecorded_tombstone_is_allowed() -> None:
    late = SessionSaved(4, "call 1", 1, 2, worker="b")
    assert ended(late) == ["stored_after_hangup"]
    assert ended(late, WorkerRestarted(2.5, "a")) == ["stored_after_hangup"]
    after_gap = SessionSaved(4, "call 1", 2, 3, worker="b")
    assert ended(after_gap) == ["stored_after_hangup"]
    assert ended(after_gap, WorkerRestarted(2.5, "a")) == []


STOPPED_PROCESS = """
import os, signal, sys
from yemot_ai_testing.history import History, HistoryEvent, StallDetector

class PrintedHistory(History):
    def add(self, event: HistoryEvent) -> None:
        print(event.seconds, flush=True)

with StallDetector(PrintedHistory(), worker="a"):
    os.kill(os.getpid(), signal.SIGSTOP)
    sys.stdin.read()
"""


@pytest.mark.slow
def test_the_stall_of_a_stopped_process_is_recorded() -> None:
    command = [sys.executable, "-c", STOPPED_PROCESS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        os.waitpid(process.pid, os.WUNTRACED)
        threading.Event().wait(0.5)
        process.send_signal(signal.SIGCONT)
        output, _ = process.communicate("")
    assert sum(map(float, output.split())) > 0.4


def test_stalls_are_equal_after_dumps_and_loads() -> None:
    history = History(now=lambda: 0.0)
    request = record_request(history, (("ApiCallId", "1"),), worker="a")
    history.add(ProcessStalled(0.0, 3.0, "a"))
    record_response(history, request, "nonsense")
    assert History.loads(history.dumps()).events == history.events
