"""Callers while the store is locked, while clocks are set, and what is left of them afterwards."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sessions.held_locks import Lockable, lockable_store
from tests.support.flow_line import Line
from tests.workers.echo_model import EchoModel
from tests.workers.server_processes import Server, serving
from tests.workers.worker_group import QUICK, WorkerGroup, start_workers
from yemot_ai.sessions import open_store

CALLERS = 20

MAX_WAIT = 10.0
"""Seconds for which the line waits for a response [OFF]."""

TROUBLE = "read=t-סליחה, יש תקלה זמנית, אנא המתינו=ai_x1,"


@pytest.fixture(params=["json", "sqlite", "redis"])
def lockable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lockable]:
    with lockable_store(request.param, tmp_path) as lockable:
        yield lockable


@pytest.mark.slow
def test_every_caller_hears_the_apology_in_time_while_the_store_is_locked(lockable: Lockable) -> None:
    group = start_workers(lambda: open_store(lockable.url), count=1)
    lines = [Line(group.workers[0].flow, f"c{number}", "agent") for number in range(CALLERS)]
    for line in lines:
        line.enter()
    with lockable.locked(), ThreadPoolExecutor(CALLERS) as pool:
        for _ in range(2):  # also when the line asks again
            waits = list(pool.map(_timed, lines))
            assert max(waits) < MAX_WAIT
    heard = Counter(line.response.partition("ai_x")[0] for line in lines)
    answers = [line.waits() for line in lines]
    group.close()

    assert heard == {"read=t-רק רגע=": CALLERS}
    assert all("שלום אצל" in answer for answer in answers)
    assert group.model.counts == {"שלום": CALLERS}


def _timed(line: Line) -> float:
    started = time.monotonic()
    line.gives("שלום")
    return time.monotonic() - started


@pytest.mark.slow
def test_a_new_caller_hears_the_apology_in_time_too(lockable: Lockable) -> None:
    group = start_workers(lambda: open_store(lockable.url), count=1)
    line, threads = Line(group.workers[0].flow, "c1", "agent"), threading.active_count()
    with lockable.locked():
        started = time.monotonic()
        line.enter()
        seconds = time.monotonic() - started
    more_threads = threading.active_count() - threads
    group.close()

    assert line.response.startswith(TROUBLE)
    assert seconds < MAX_WAIT
    assert more_threads < 40


@pytest.fixture(params=["json", "sqlite"])
def group(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WorkerGroup]:
    url = {"json": f"json:{tmp_path}/calls", "sqlite": f"sqlite:{tmp_path}/calls.db"}[request.param]
    group = start_workers(lambda: open_store(url), dialog=QUICK, lease=1)
    yield group
    group.close()


@pytest.mark.slow
@pytest.mark.parametrize("hours", [-1, 1])
def test_the_turn_of_a_lost_worker_is_taken_over_although_the_clock_is_set(
    group: WorkerGroup, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, now = group.waiting_line(), time.time
    with group.workers[0].blocked():
        monkeypatch.setattr(time, "time", lambda: now() + hours * 3600)
        group.model.gate.release()
        started = time.monotonic()
        answer = line.waits(at=1)
        seconds = time.monotonic() - started

    assert "שלום אצל" in answer
    assert seconds < MAX_WAIT


@dataclass
class _ServedFlow:
    server: Server

    def handle_request(self, pairs: Sequence[tuple[str, str]]) -> str:
        return self.server.post(pairs)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite:{}/calls.db", "json:{}/calls"])
def test_nothing_of_a_call_is_left_after_sigterm(kind: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with EchoModel(0.0) as model:
        environment = {"YEMOT_AI_STORE": kind.format(tmp_path / "data"), "MODEL_URL": model.base_url}
        with serving(1, tmp_path, environment) as (server,):
            flow = _ServedFlow(server)
            line = Line(flow, extension="ai_agent", phone="0509876543")  # type: ignore[arg-type]  # all it needs
            line.enter()
            line.says("purple-umbrella")
            line.hang_up()
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(20)

    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert files
    left = {path.name for path in files if b"umbrella" in path.read_bytes()}
    numbers = {path.name for path in files if b"0509876543" in path.read_bytes()}
    assert (left, numbers) == (set(), set())
