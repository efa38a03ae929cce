"""What several workers tell of one call: late, in another order, or never, because they are killed."""

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
CREW = Budget(request=10.0, hangup=2.0, lease=5.0, turn=15.0)


def kinds(*events: HistoryEvent, budget: Budget = CREW) -> list[str]:
    history = History()
    for event in events:
        history.add(event)
    return [violation.kind for violation in check(History.loads(history.dumps()), budget)]


def asked(at: float, ask: str, worker: str, mark: str = "7001") -> ModelAsked:
    return ModelAsked(at, ask, f"אמירה {mark}", mark, worker=worker)


ASKED_ANEW = (
    CallerSpoke(0, "call 1", "7001"),
    asked(1, "1", "a"),
    asked(8, "2", "b"),
    ModelAnswered(9, "2", "talk"),
)


@pytest.mark.parametrize(
    ("between", "found"),
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
        "stands for a moment",
        "another stands",
        "stands for longer than its lease",
        "stood before, and stands after",
        "stands before and after, and long enough in between",
    ],
)
def test_what_was_being_asked_is_asked_anew_if_its_worker_may_be_dead(
    between: tuple[HistoryEvent, ...], found: list[str]
) -> None:
    assert kinds(*ASKED_ANEW, *between) == found


def test_who_has_stood_still_for_too_long_asks_before_it_knows_that_it_is_taken_for_dead() -> None:
    other = asked(8, "2", "b"), ModelAnswered(9, "2", "talk")
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


def after_hangup(*events: HistoryEvent, at: str = "b", budget: Budget = CREW) -> list[str]:
    over = (
        RequestSent(2, 1, "call 1", "hangup", is_hangup=True, worker=at),
        ResponseReceived(3, 1, "noop=ended"),
    )
    return kinds(CallerSpoke(0, "call 1", "7001"), *over, *events, budget=budget)


def test_a_worker_that_was_about_to_ask_when_another_heard_of_the_hang_up_stops_soon() -> None:
    asks = asked(4, "1", "a"), ModelAnswered(4.5, "1", "", "cancelled")
    assert after_hangup(*asks) == []
    assert after_hangup(*asks, at="a") == ["ran_after_hangup"]
    assert after_hangup(*asks, budget=Budget()) == ["ran_after_hangup"]
    assert after_hangup(asked(4, "1", "a"), ModelAnswered(6, "1", "", "cancelled")) == ["ran_after_hangup"]
    assert after_hangup(asked(5.5, "1", "a"), ModelAnswered(5.6, "1", "", "cancelled")) == [
        "ran_after_hangup"
    ]


def test_time_in_which_a_worker_stood_still_is_none_that_it_took() -> None:
    asks = asked(1, "1", "a"), ModelAnswered(8, "1", "", "cancelled")
    assert after_hangup(*asks) == ["ran_after_hangup"]
    assert after_hangup(*asks, ProcessStalled(7, 3.5, "a")) == []
    assert after_hangup(*asks, ProcessStalled(7, 2.5, "a")) == ["ran_after_hangup"]
    assert after_hangup(*asks, ProcessStalled(7, 3.5, "b")) == ["ran_after_hangup"]


@pytest.mark.parametrize(
    ("stalls", "found"),
    [
        ((), ["late"]),
        ((ProcessStalled(8, 3.0, "a"),), []),
        ((ProcessStalled(8, 3.0),), []),
        ((ProcessStalled(8, 1.5), ProcessStalled(9, 1.0, "a")), []),
        ((ProcessStalled(8, 3.0, "b"),), ["late"]),
        ((ProcessStalled(8, 1.0, "a"),), ["late"]),
    ],
)
def test_a_request_is_late_by_the_time_that_its_worker_and_its_sender_had(
    stalls: tuple[HistoryEvent, ...], found: list[str]
) -> None:
    assert (
        kinds(RequestSent(0, 1, "call 1", "", worker="a"), *stalls, ResponseReceived(12, 1, LISTEN)) == found
    )


def answered(told: float, settled: float, *events: HistoryEvent) -> list[str]:
    request = (
        RequestSent(0, 1, "call 1", "ai_1", worker="a"),
        ResponseReceived(settled, 1, LISTEN, awaits_caller=True),
    )
    talk = CallerSpoke(0, "call 1", "7001"), asked(1, "1", "a"), ModelAnswered(told, "1", "talk")
    return kinds(*talk, *request, *events, budget=Budget(request=99, lease=5.0, turn=15.0))


def test_an_answer_that_came_in_time_is_heard_unless_nobody_had_time_for_it() -> None:
    assert answered(2, 16) == ["unheard"]
    assert answered(2, 3) == ["unheard"]
    assert answered(14.5, 16) == []
    assert answered(13, 16, ProcessStalled(15, 1.5, "a")) == []
    assert answered(13, 14.9, ProcessStalled(14.5, 1.4, "a")) == ["unheard"]
    assert answered(13, 16, ProcessStalled(15, 1.5, "b")) == ["unheard"]


def test_an_answer_that_died_with_its_worker_is_not_missed() -> None:
    assert answered(2, 16, WorkerRestarted(3, "a")) == []
    assert answered(2, 16, WorkerRestarted(3, "b")) == ["unheard"]


def ended(*events: HistoryEvent) -> list[str]:
    """Judge a call over whose end nobody has told what it stored."""
    over = RequestSent(2, 1, "call 1", "hangup", is_hangup=True), ResponseReceived(3, 1, "noop=ended")
    return kinds(SessionSaved(1, "call 1", 0, 1, worker="a"), *over, *events)


def test_what_was_stored_before_an_end_that_nobody_has_told_is_no_fault() -> None:
    late = SessionSaved(4, "call 1", 1, 2, worker="b")
    assert ended(late) == ["stored_after_hangup"]
    assert ended(late, WorkerRestarted(2.5, "a")) == ["stored_after_hangup"]
    untold = SessionSaved(4, "call 1", 2, 3, worker="b")
    assert ended(untold) == ["stored_after_hangup"]
    assert ended(untold, WorkerRestarted(2.5, "a")) == []


STANDS = """
import os, signal, sys, time
from yemot_ai_testing.history import History, Stalls
from yemot_ai_testing.history.events import Event

class Said(History):
    def add(self, event: Event) -> None:
        print(event.seconds, flush=True)

with Stalls(Said(), worker="a"):
    os.kill(os.getpid(), signal.SIGSTOP)
    sys.stdin.read()
"""


def test_a_process_that_is_stopped_for_a_while_tells_for_how_long() -> None:
    stands = [sys.executable, "-c", STANDS]
    with subprocess.Popen(stands, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        os.waitpid(process.pid, os.WUNTRACED)
        threading.Event().wait(0.5)
        process.send_signal(signal.SIGCONT)
        told, _ = process.communicate("")
    assert sum(map(float, told.split())) > 0.4


def test_stalls_survive_the_way_to_a_file() -> None:
    history = History(now=lambda: 0.0)
    request = record_request(history, (("ApiCallId", "1"),), worker="a")
    history.add(ProcessStalled(0.0, 3.0, "a"))
    record_response(history, request, "nonsense")
    assert History.loads(history.dumps()).events == history.events
