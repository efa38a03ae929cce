"""Redis cannot be reached during a call, for a while or for the rest of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.support.redis_server import RedisServer
from tests.support.waiting import until
from tests.workers.worker_group import QUICK, WorkerGroup, add_agent, start_workers
from yemot_ai import AICall, AIFlow
from yemot_ai.sessions import RedisStore

TROUBLE = "סליחה, יש תקלה זמנית, אנא המתינו"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A server that persists every write."""
    server = RedisServer(more=("--appendonly", "yes", "--appendfsync", "always")).start()
    yield server
    server.close()


@pytest.fixture
def ended() -> list[str]:
    return []


@pytest.fixture
def group(redis: RedisServer, ended: list[str]) -> Iterator[WorkerGroup]:
    def add_routes(flow: AIFlow, worker: str) -> None:
        add_agent(flow, worker)

        @flow.ai.on_call_end
        def end(transcript: object, usage: object) -> None:
            ended.append(worker)

    group = start_workers(lambda: RedisStore(redis.url), add_routes, dialog=QUICK, lease=1)
    yield group
    group.close()


def test_a_call_continues_where_it_was_and_no_utterance_is_asked_twice(
    group: WorkerGroup, redis: RedisServer
) -> None:
    line = group.line()
    line.enter()
    first = line.says("שמי דוד")
    group.model.gate.hold()
    line.gives("איך קוראים לי", at=0)
    group.model.wait_for_requests(2)
    redis.stop()
    group.model.gate.release()  # there is an answer, but it cannot be stored
    heard = [line.polls(), line.polls(), line.polls()]
    names = [answer.partition("=ai_")[2][:2] for answer in heard]
    redis.start()
    second = line.waits()

    assert heard[0].startswith(f"read=t-{TROUBLE.partition(',')[0]}")
    assert names == ["x1", "x2", "x3"]
    assert dict(group.model.counts) == {"שמי דוד": 1, "איך קוראים לי": 1}
    assert first.partition("אצל ")[2][:6] == second.partition("אצל ")[2][:6] != ""


def test_an_answer_is_kept_for_longer_than_a_lease(
    group: WorkerGroup, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    line = group.waiting_line()
    redis.stop()
    group.model.gate.release()
    until(lambda: "was lost" in caplog.text)
    line.polls(at=1)
    redis.start()
    until(lambda: not group.workers[0].tasks())  # a line waits 3 s before it asks again
    line.polls(at=1)
    line.waits()

    assert group.model.asked == [("A", "שלום")]


def test_a_handler_that_ends_while_redis_is_away_is_not_run_again(
    group: WorkerGroup, redis: RedisServer
) -> None:
    ran: list[str] = []
    works = threading.Event()
    for worker in group.workers:

        @worker.flow.get("order")
        def order(call: AICall, worker: str = worker.name) -> None:
            ran.append(worker)
            works.wait(10)
            call.play_message("הוזמן")
            call.hangup()

    line = group.line(extension="order")
    line.enter(at=0)
    redis.stop()
    works.set()
    line.polls(at=1)
    redis.start()
    until(group.workers[0].is_idle)
    line.polls(at=1)

    assert line.response == "id_list_message=t-הוזמן&go_to_folder=hangup"
    assert ran == ["A"]


def test_a_second_outage_in_one_call_uses_its_own_names(group: WorkerGroup, redis: RedisServer) -> None:
    line = group.line()
    line.enter()
    names = []
    for text in ("ראשון", "שני"):
        redis.stop()
        line.gives(text)
        names.append(line.asked)
        redis.start()
        line.waits()

    assert names == ["ai_x1", "ai_x2"]
    assert dict(group.model.counts) == {"ראשון": 1, "שני": 1}


def test_a_call_ends_with_a_sentence_when_redis_does_not_come_back(
    group: WorkerGroup, redis: RedisServer
) -> None:
    line = group.line()
    line.enter()
    redis.stop()
    line.gives("שלום")
    polls = 0
    while line.is_polling and polls < 100:
        line.polls()
        polls += 1
    redis.start()

    assert polls == 20
    assert line.response == "id_list_message=t-סליחה, אירעה תקלה&go_to_folder=hangup"
    assert group.model.asked == []


def test_a_hang_up_while_redis_is_away_stops_the_turn_at_once_and_ends_the_call_later(
    group: WorkerGroup, redis: RedisServer, ended: list[str]
) -> None:
    line = group.waiting_line()
    redis.stop()
    line.hang_up(at=0)
    until(lambda: group.model.cancelled)
    redis.start()
    until(lambda: ended)

    assert group.workers[1].flow.ai.open_calls() == 0
    assert ended == ["A"]
    assert line.again(at=1) == "go_to_folder=hangup"
