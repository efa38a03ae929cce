"""SIGTERM while callers wait for the model: each hears the answer of its turn, the model is asked once."""

from __future__ import annotations

import re
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.attacks.server import Served, served
from tests.support.waiting import until
from yemot_ai.server.run import HELD_SECONDS
from yemot_ai_testing import Caller

CALLS = 50
FILLER = "רק רגע"

APP = """
import asyncio, os
from yemot_ai import *
from yemot_ai.providers import Reply

class Model:
    name = "model"

    async def start_session(self, prompt, *, instructions=None, history=()):
        print("asked", os.getpid(), prompt, flush=True)
        _, number, seconds = prompt.split()
        await asyncio.sleep(float(seconds))
        return Reply(f"תשובה {number}", session="1")

    async def continue_session(self, session, prompt, *, instructions=None):
        return await self.start_session(prompt)

flow = AIFlow(YemotAI(provider=Model(), store="sqlite:calls.db"))

@flow.ai_agent("", greeting="שלום")
def agent(call, text): ...
"""

pytestmark = pytest.mark.slow


def seconds_of(number: int) -> float:
    """How long the model takes: the last answers come when their lines are between two requests."""
    return 4.0 + number % 4 / 2


def speak(url: str, number: int) -> str:
    """Call once; return what was heard after the first utterance, without fillers."""
    with closing(Caller(url, phone=f"05{number:08}")) as caller:  # which does not hang up
        caller.dial()
        return caller.says(f"שאלה {number} {seconds_of(number)}").replace(FILLER, "").strip()


def questions(server: Served) -> list[tuple[int, str]]:
    """The questions so far: the process that asked, and the prompt."""
    lines = re.findall(r"^asked (\d+) (.+)\n", server.log.read_text(), re.MULTILINE)
    return [(int(process), prompt) for process, prompt in lines]


def call_and_end(server: Served, end: Callable[[int], object]) -> list[str]:
    """Let callers speak; once the model has been asked by all, call ``end`` with the busiest process."""
    with ThreadPoolExecutor(CALLS) as threads:
        heard: list[Future[str]] = [threads.submit(speak, server.url, number) for number in range(CALLS)]
        until(lambda: len(questions(server)) == CALLS or any(one.done() for one in heard), within=60)
        ((busiest, _),) = Counter(process for process, _ in questions(server)).most_common(1)
        end(busiest)
        return [one.result() for one in heard]


ANSWERS = [f"תשובה {number}" for number in range(CALLS)]


def test_a_server_that_ends_answers_each_of_fifty_callers_first(tmp_path: Path) -> None:
    with served(tmp_path, "--drain", "20", app=APP) as server:
        heard = call_and_end(server, lambda _: server.process.send_signal(signal.SIGTERM))

        assert server.process.wait(25) == 0
        assert heard == ANSWERS
        assert len(questions(server)) == CALLS


def test_workers_that_end_together_answer_each_of_fifty_callers_first(tmp_path: Path) -> None:
    with served(tmp_path, "--drain", "20", "--workers", "2", app=APP) as server:
        heard = call_and_end(server, lambda _: server.process.send_signal(signal.SIGTERM))

        assert server.process.wait(25) == 0
        assert heard == ANSWERS
        assert len(questions(server)) == CALLS


def test_a_worker_that_ends_loses_none_of_fifty_turns(tmp_path: Path) -> None:
    with served(tmp_path, "--drain", "20", "--workers", "2", app=APP) as server:
        heard = call_and_end(server, lambda worker: psutil.Process(worker).terminate())

        assert heard == ANSWERS
        assert len(questions(server)) == CALLS


def test_turns_of_a_worker_whose_deadline_is_over_are_asked_again_by_another(tmp_path: Path) -> None:
    with served(tmp_path, "--drain", "0.5", "--workers", "2", app=APP) as server:
        ended: list[int] = []

        def end(worker: int) -> None:
            ended.append(worker)
            psutil.Process(worker).terminate()

        heard = call_and_end(server, end)
        asked = questions(server)

        assert heard == ANSWERS
        assert max(Counter(prompt for _, prompt in asked).values()) == 2
        assert not {process for process, _ in asked[CALLS:]} & {*ended}


def is_closed(server: Served) -> bool:
    """Whether nothing listens at the port."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", server.port)) != 0


def test_a_request_that_was_on_its_way_when_the_port_was_closed_is_answered(tmp_path: Path) -> None:
    with served(tmp_path, app=APP) as server:
        connection = server.connect()
        server.post(b"ApiCallId=other&ApiExtension=")  # so the earlier connection is accepted, too
        server.process.send_signal(signal.SIGTERM)
        until(lambda: is_closed(server))
        connection.sendall(b"GET /?ApiCallId=c1&ApiExtension= HTTP/1.1\r\nhost: line\r\n\r\n")
        answer = connection.recv(4096)

        assert answer.startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(10) == 0


def test_connections_without_a_request_do_not_keep_a_server_that_ends(tmp_path: Path) -> None:
    def seconds_to_end(*sent: bytes) -> float:
        with served(tmp_path, app=APP) as server:
            for one in sent:
                server.connect(one)
            server.post(b"ApiCallId=other&ApiExtension=")
            started = time.monotonic()
            assert server.end(signal.SIGTERM, within=30) == 0
            return time.monotonic() - started

    alone = seconds_to_end()

    assert seconds_to_end(b"", b"GET /?ApiCallId=c1") < alone + HELD_SECONDS
