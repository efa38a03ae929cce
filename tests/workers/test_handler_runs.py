"""A plain handler's run, joined and repeated from worker to worker."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.support.flow_line import Line
from tests.support.stopwatch import Stopwatch
from tests.support.waiting import until
from tests.workers.conftest import StartGroup
from tests.workers.worker_group import QUICK, WorkerGroup
from yemot_ai import AICall, AIFlow, AsyncAICall


def slow(ran: list[str], gate: threading.Event) -> Callable[[AIFlow, str], None]:
    """A handler that says something, works until the gate opens, keeps something and asks."""

    def add_routes(flow: AIFlow, worker: str) -> None:
        @flow.get("")
        def menu(call: AICall) -> None:
            ran.append(worker)
            call.play_message("ברוכים הבאים")
            gate.wait(20)
            call.state["by"] = worker
            call.read(f"הקישו אחת {worker}", val_name="menu")
            call.play_message("תודה")
            call.hangup()

    return add_routes


def menu_of(group: WorkerGroup) -> Line:
    return group.line(extension="")


def test_a_running_handler_is_joined_by_every_worker_and_runs_once(start_group: StartGroup) -> None:
    ran: list[str] = []
    gate = threading.Event()
    line = menu_of(start_group(slow(ran, gate), dialog=QUICK, count=3))
    first = line.enter(at=0)
    names = [line.asked]
    for worker in (1, 2, 0):
        line.polls(worker)
        names.append(line.asked)
    gate.set()

    assert line.waits() == "read=t-הקישו אחת A=menu,no,,1,7,No,,,,,,,None,,no"
    assert "ברוכים הבאים" in first
    assert names == [f"ai_1w{number}" for number in range(1, 5)]
    assert ran == ["A"]


def test_what_was_queued_is_repeated_by_another_worker_to_a_line_that_lost_the_answer(
    start_group: StartGroup,
) -> None:
    ran: list[str] = []
    gate = threading.Event()
    line = menu_of(start_group(slow(ran, gate), dialog=QUICK))
    first = line.enter(at=0)
    again = line.again(at=1)
    gate.set()
    line.waits()

    assert "ברוכים הבאים" in first
    assert again == first
    assert ran == ["A"]


def test_a_handler_whose_worker_is_blocked_runs_again_at_another(start_group: StartGroup) -> None:
    ran: list[str] = []
    gate = threading.Event()
    group = start_group(slow(ran, gate), dialog=QUICK, lease=0.5)
    line = menu_of(group)
    line.enter(at=0)
    with group.workers[0].blocked():
        gate.set()
        line.waits(at=1)

    assert "הקישו אחת B" in line.response
    assert ran == ["A", "B"]


def test_a_worker_that_resumes_after_its_run_was_taken_over_writes_nothing(start_group: StartGroup) -> None:
    ran: list[str] = []
    gate = threading.Event()
    group = start_group(slow(ran, gate), dialog=QUICK, lease=0.5)
    line = menu_of(group)
    line.enter(at=0)
    with group.workers[0].blocked():
        gate.set()
        taken_over = line.waits(at=1)
    live = group.workers[0].flow._local_calls.get_or_create("c1")
    until(lambda: live.inflight is None or live.inflight.task.done())
    session = group.workers[1].load_session()

    assert session.state == {"by": "B"}
    assert [finished.answer for finished in session.finished] == [taken_over]
    assert line.again(at=0) == taken_over


def test_a_hang_up_at_another_worker_ends_a_handler_that_waits_for_the_model(start_group: StartGroup) -> None:
    ended = threading.Event()

    def add_routes(flow: AIFlow, worker: str) -> None:
        @flow.get("")
        async def menu(call: AsyncAICall) -> None:
            try:
                await call.ask_ai("שלום")
            finally:
                ended.set()

    group = start_group(add_routes, dialog=QUICK)
    group.model.gate.hold()
    line = menu_of(group)
    line.enter(at=0)
    group.model.wait_for_requests(1)
    with Stopwatch() as watch:
        line.hang_up(at=1)
        assert ended.wait(10)

    assert watch.took < 0.5
    until(lambda: group.model.cancelled)
    assert line.polls(at=0) == line.again(at=1) == "go_to_folder=hangup"


def test_names_and_answers_continue_although_each_answer_reaches_another_worker(
    start_group: StartGroup,
) -> None:
    def add_routes(flow: AIFlow, worker: str) -> None:
        @flow.get("")
        def menu(call: AICall) -> None:
            typed = [call.read("הקישו", val_name="key") for _ in range(3)]
            call.play_message(" ".join(typed))
            call.hangup()

    line = menu_of(start_group(add_routes, count=3))
    line.enter()
    for key in "123":
        line.gives(key)

    assert line.response == "id_list_message=t-1 2 3&go_to_folder=hangup"
