"""A call whose every request may reach another of two or three workers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.support.waiting import until
from tests.workers.conftest import StartGroup
from tests.workers.worker_group import QUICK
from yemot_ai import AICall, AIFlow, AsyncAICall
from yemot_ai.sessions.hangup_watch import CHECK_INTERVAL
from yemot_ai_testing import Caller


def test_a_conversation_continues_although_every_request_reaches_another_worker(
    start_group: StartGroup,
) -> None:
    group = start_group(count=3)
    with Caller(group, extension="agent") as caller:
        caller.dial()
        answers = [caller.says(f"משפט {number}") for number in range(5)]

    conversations = {answer.partition("אצל ")[2] for answer in answers}
    assert [answer.partition(" אצל")[0] for answer in answers] == [f"משפט {n}" for n in range(5)]
    assert len(conversations) == 1
    assert len({worker for worker, _ in group.model.asked}) == 3
    assert group.workers[0].flow.ai.open_calls() == 0


def test_a_running_turn_is_joined_by_every_worker_and_the_model_asked_once(start_group: StartGroup) -> None:
    group = start_group(count=3, dialog=QUICK)
    line = group.waiting_line()
    polls = [line.asked]
    for worker in (1, 2, 0, 1):
        line.polls(worker)
        polls.append(line.asked)
    group.model.gate.release()

    assert line.waits().startswith("read=t-שלום אצל ")
    assert polls == [f"ai_1w{number}" for number in range(1, 6)]
    assert group.model.asked == [("A", "שלום")]


def test_a_request_that_comes_again_at_another_worker_gets_the_same_answer(start_group: StartGroup) -> None:
    group = start_group()
    line = group.line()
    greeted = [line.enter(at=0), line.again(at=1)]
    answered = [line.gives("שלום", at=1), line.again(at=0), line.again(at=1)]

    assert len(set(greeted)) == len(set(answered)) == 1
    assert len(group.model.asked) == 1


def test_one_request_at_two_workers_at_once_is_one_turn_with_one_answer(start_group: StartGroup) -> None:
    group = start_group()
    line = group.line()
    line.enter()
    line.values.append(("ai_1", "שלום"))
    group.model.gate.hold()
    request = line.request()
    with ThreadPoolExecutor(2) as both:
        answering = [both.submit(worker.flow.handle_request, request) for worker in group.workers]
        group.model.wait_for_requests(1)
        until(lambda: all(worker.tasks() for worker in group.workers))
        group.model.gate.release()
        answers = [answer.result() for answer in answering]

    assert answers[0] == answers[1]
    assert "שלום אצל" in answers[0]
    assert len(group.model.asked) == 1


def test_a_hang_up_at_one_worker_cancels_the_turn_at_another_at_its_next_look(
    start_group: StartGroup,
) -> None:
    group = start_group(dialog=QUICK)
    line, looks = group.waiting_line(), group.workers[0].count_looks()
    line.hang_up(at=1)
    before = len(looks)
    until(lambda: group.model.cancelled and not group.workers[0].tasks())

    assert len(looks) - before <= 2  # one begins before the hang-up is seen, or ends the turn slowly
    assert CHECK_INTERVAL <= 0.2
    assert group.model.cancelled == [("A", "שלום")]
    assert line.polls(at=0) == line.again(at=1) == "go_to_folder=hangup"
    assert group.workers[1].flow.ai.open_calls() == 0


def test_a_model_that_stops_slowly_is_not_cancelled_twice(start_group: StartGroup) -> None:
    group = start_group(dialog=QUICK)
    group.model.cleaning = 0.7  # three looks of the watch
    line = group.waiting_line()
    line.hang_up(at=1)
    until(lambda: group.model.cancelled)
    line.hang_up(at=0)
    until(lambda: not group.workers[0].tasks())

    assert group.model.cleaned == ["שלום"]


def test_an_answer_that_comes_after_the_hang_up_is_forgotten_at_the_provider(start_group: StartGroup) -> None:
    group = start_group(dialog=QUICK)
    line = group.waiting_line()
    with group.workers[0].blocked():
        group.model.gate.release()
        line.hang_up(at=1)
    until(lambda: group.model.forgotten)

    assert group.model.forgotten == group.model.answered
    assert line.again(at=0) == "go_to_folder=hangup"


def test_the_turn_of_a_blocked_worker_is_taken_over_when_its_lease_is_out(start_group: StartGroup) -> None:
    group = start_group(lease=0.5, dialog=QUICK)
    line = group.waiting_line(entered_at=1)
    with group.workers[0].blocked():
        line.polls(at=1)
        group.model.wait_for_requests(2)
        group.model.gate.release()
        spoken = line.waits(at=1)

    assert "שלום אצל" in spoken
    assert group.model.asked == [("A", "שלום"), ("B", "שלום")]


def test_a_worker_that_resumes_after_its_turn_was_taken_over_writes_nothing(start_group: StartGroup) -> None:
    def add_routes(flow: AIFlow, worker: str) -> None:
        @flow.ai_agent("agent", greeting="שלום")
        async def agent(call: AsyncAICall, text: str) -> str:
            call.state["by"] = worker
            return f"{worker}: {await call.ask_ai(text)}"

    group = start_group(add_routes, lease=0.5, dialog=QUICK)
    line = group.waiting_line(entered_at=1)
    with group.workers[0].blocked():
        group.model.gate.release()  # its answer is there, but it does not look
        taken_over = line.waits(at=1)
    until(lambda: not group.workers[0].tasks())
    session = group.workers[1].load_session()

    assert taken_over.startswith("read=t-B")
    assert session.state == {"by": "B"}
    assert [turn.answer[:2] for turn in session.turns if turn.id == "ai_1"] == ["B:"]
    assert line.again(at=0) == taken_over


def test_a_developers_function_runs_once_and_its_questions_are_numbered_under_the_turn(
    start_group: StartGroup,
) -> None:
    ran: list[str] = []

    def add_routes(flow: AIFlow, worker: str) -> None:
        @flow.ai_agent("agent", greeting="שלום")
        def agent(call: AICall, text: str) -> str:
            ran.append(worker)
            return f"{call.ask_ai('ראשון')}, {call.ask_ai('שני')}"

    group = start_group(add_routes, count=3, dialog=QUICK)
    line = group.waiting_line()
    line.polls(at=1)
    line.polls(at=2)
    group.model.gate.release()
    spoken = line.waits()
    session = group.workers[2].load_session()

    assert "ראשון אצל" in spoken
    assert "שני אצל" in spoken
    assert ran == ["A"]
    assert group.model.asked == [("A", "ראשון"), ("A", "שני")]
    assert sorted(turn.id for turn in session.turns) == ["ai_1", "ai_1.1", "ai_1.2"]


def test_what_a_developer_keeps_of_a_call_is_seen_by_the_next_worker(start_group: StartGroup) -> None:
    def add_routes(flow: AIFlow, worker: str) -> None:
        @flow.ai_agent("agent", greeting="שלום")
        def agent(call: AICall, text: str) -> str:
            heard = [*call.state.get("heard", ()), f"{text} {worker}"]  # type: ignore[misc]  # JSON
            call.state["heard"] = heard
            return " ".join(map(str, heard))

    group = start_group(add_routes)
    line = group.line()
    line.enter(at=1)
    line.gives("א", at=0)
    line.gives("ב", at=1)

    assert "א A ב B" in line.response


def test_an_exit_key_at_another_worker_leaves_while_the_model_thinks(start_group: StartGroup) -> None:
    group = start_group(dialog=QUICK)
    line = group.waiting_line()
    left = line.gives("9", at=1)

    assert left == "id_list_message=t-להתראות&go_to_folder=.."


def test_a_caller_is_remembered_although_another_worker_takes_the_next_call(start_group: StartGroup) -> None:
    group = start_group(remember="caller")
    first, second, withheld = group.line(), group.line("c2"), group.line("c3", phone="")
    first.enter(at=0)
    first.gives("שמי דוד", at=0)
    first.hang_up(at=1)
    for line in (second, withheld):
        line.enter(at=1)
        line.gives("איך קוראים לי", at=1)
        line.hang_up(at=0)

    conversations = [line.response.partition("אצל ")[2][:6] for line in (first, second, withheld)]
    assert conversations[0] == conversations[1] != conversations[2]


def test_the_end_of_a_call_is_reported_once_although_two_workers_get_it_at_once(
    start_group: StartGroup,
) -> None:
    ended: list[tuple[str, int]] = []

    def add_routes(flow: AIFlow, worker: str) -> None:
        @flow.ai_agent("agent", greeting="שלום")
        def agent(call: AICall, text: str) -> None: ...

        @flow.ai.on_call_end
        def end(transcript: list[object], usage: object) -> None:
            ended.append((worker, len(transcript)))

    group = start_group(add_routes, count=3)
    for number in range(5):
        line = group.line(f"c{number}")
        line.enter()
        line.says("שלום")
        with ThreadPoolExecutor(3) as all_of_them:
            list(all_of_them.map(line.hang_up, range(3)))

    assert len(ended) == 5
    assert {turns for _, turns in ended} == {1}
