"""A plain handler's run, joined and repeated from worker to worker."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tests.support.waiting import until
from tests.workers.conftest import StartGroup
from tests.workers.worker_group import QUICK
from yemot_ai import AICall, AIFlow, AsyncAICall


@dataclass
class Menu:
    """A handler that says something, works until the gate opens, keeps something and asks."""

    gate: threading.Event = field(default_factory=threading.Event)
    ran: list[str] = field(default_factory=list)

    def add_routes(self, flow: AIFlow, worker: str) -> None:
        @flow.get("")
        def menu(call: AICall) -> None:
            self.ran.append(worker)
            call.play_message("ברוכים הבאים")
            self.gate.wait(20)
            call.state["by"] = worker
            call.read(f"הקישו אחת {worker}", val_name="menu")
            call.play_message("תודה")
            call.hangup()


def test_a_running_handler_is_joined_by_every_worker_and_runs_once(start_group: StartGroup) -> None:
    menu = Menu()
    line = start_group(menu.add_routes, dialog=QUICK, count=3).line(extension="")
    first = line.enter(at=0)
    names = [line.asked]
    for worker in (1, 2, 0):
        line.polls(worker)
        names.append(line.asked)
    menu.gate.set()

    assert line.waits() == "read=t-הקישו אחת A=menu,no,,1,7,No,,,,,,,None,,no"
    assert "ברוכים הבאים" in first
    assert names == [f"ai_1w{number}" for number in range(1, 5)]
    assert menu.ran == ["A"]


def test_what_was_queued_is_repeated_by_another_worker_to_a_line_that_lost_the_answer(
    start_group: StartGroup,
) -> None:
    menu = Menu()
    line = start_group(menu.add_routes, dialog=QUICK).line(extension="")
    first = line.enter(at=0)
    again = line.again(at=1)
    menu.gate.set()
    line.waits()

    assert "ברוכים הבאים" in first
    assert again == first
    assert menu.ran == ["A"]


def test_a_handler_whose_worker_is_blocked_runs_again_at_another(start_group: StartGroup) -> None:
    menu = Menu()
    group = start_group(menu.add_routes, dialog=QUICK, lease=0.5)
    line = group.line(extension="")
    line.enter(at=0)
    with group.workers[0].blocked():
        menu.gate.set()
        line.waits(at=1)

    assert "הקישו אחת B" in line.response
    assert menu.ran == ["A", "B"]


def test_a_worker_that_resumes_after_its_run_was_taken_over_writes_nothing(start_group: StartGroup) -> None:
    menu = Menu()
    group = start_group(menu.add_routes, dialog=QUICK, lease=0.5)
    line = group.line(extension="")
    line.enter(at=0)
    with group.workers[0].blocked():
        menu.gate.set()
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
    line = group.line(extension="")
    line.enter(at=0)
    group.model.wait_for_requests(1)
    looks = group.workers[0].count_looks()
    line.hang_up(at=1)
    before = len(looks)
    assert ended.wait(10)

    assert len(looks) - before <= 2
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

    line = start_group(add_routes, count=3).line(extension="")
    line.enter()
    for key in "123":
        line.gives(key)

    assert line.response == "id_list_message=t-1 2 3&go_to_folder=hangup"
