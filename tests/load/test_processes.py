"""The workers of an evening: killed, dead by themselves, or ended, nobody waits for them and none is left."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.load.processes import Crew, KilledError, Worker
from tests.workers.worker_group import until
from yemot_ai_testing.history import WorkerRestarted
from yemot_ai_testing.history.recorders.sans_io_call import SansIOCall

REQUEST = SansIOCall("00c1").next_request()
DIED = r"(?s)worker 1 died by itself: "


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    crew = Crew(("7", f"sqlite:{tmp_path}/calls.db"), tmp_path)
    try:
        crew.hire(2)
        yield crew
    finally:
        crew.close()
    assert not any(worker.lives for worker in crew.hired)


def waits(worker: Worker, threads: ThreadPoolExecutor) -> Future[str]:
    """Give a worker that stands still a request."""
    os.kill(worker.pid, signal.SIGSTOP)
    waiting = threads.submit(worker.ask, 1, REQUEST, 0)
    until(lambda: worker.waiting == 1)
    return waiting


def test_a_worker_that_cannot_begin_says_why_and_none_is_left(tmp_path: Path) -> None:
    crew = Crew(("7", "nowhere:"), tmp_path)
    with pytest.raises(RuntimeError, match=DIED + ".*nowhere"):
        crew.hire(2)
    crew.close()
    assert not any(worker.lives for worker in crew.hired)


def test_whoever_waits_for_a_worker_that_is_killed_goes_to_another(crew: Crew) -> None:
    old = crew.workers[0]
    with ThreadPoolExecutor() as threads:
        waiting = waits(old, threads)
        crew.replace_one()
        with pytest.raises(KilledError):
            waiting.result()
    with pytest.raises(KilledError):
        old.ask(2, REQUEST, 0)
    assert [worker.name for worker in crew.workers] == ["worker 3", "worker 2"]
    assert crew.send(REQUEST).startswith("read=")
    assert [event.worker for event in crew.history.events if isinstance(event, WorkerRestarted)] == [
        "worker 1"
    ]


def test_a_worker_that_dies_by_itself_ends_the_evening(crew: Crew) -> None:
    worker = crew.workers[0]
    with ThreadPoolExecutor() as threads:
        waiting = waits(worker, threads)
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(RuntimeError, match=DIED):
            waiting.result()
    with pytest.raises(RuntimeError, match=DIED):
        worker.ask(2, REQUEST, 0)


def test_what_workers_have_told_before_they_end_is_heard(crew: Crew) -> None:
    answers = [crew.send(REQUEST) for _ in range(4)]
    crew.close()
    assert len({*answers}) == 1
    assert sum(type(event).__name__ == "SessionSaved" for event in crew.history.events) == 1
