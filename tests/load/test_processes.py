"""A worker that is killed, dies or ends leaves no waiting request and no process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.load.processes import KilledError, Worker, WorkerPool
from tests.support.waiting import until
from yemot_ai_testing.history import WorkerRestarted
from yemot_ai_testing.history.recorders.sans_io_call import SansIOCall

REQUEST = SansIOCall("00c1").next_request()
DIED = r"(?s)worker 1 died: "


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WorkerPool]:
    pool = WorkerPool(("7", f"sqlite:{tmp_path}/calls.db"), tmp_path)
    try:
        pool.start(2)
        yield pool
    finally:
        pool.close()
    assert not any(worker.is_alive for worker in pool.all_workers)


def send_to_stopped(worker: Worker, threads: ThreadPoolExecutor) -> Future[str]:
    """Send a request to a stopped worker."""
    os.kill(worker.pid, signal.SIGSTOP)
    waiting = threads.submit(worker.handle_request, 1, REQUEST, 0)
    until(lambda: worker.waiting == 1)
    return waiting


def test_a_worker_that_cannot_start_says_why_and_leaves_no_process(tmp_path: Path) -> None:
    pool = WorkerPool(("7", "nowhere:"), tmp_path)
    with pytest.raises(RuntimeError, match=DIED + ".*nowhere"):
        pool.start(2)
    pool.close()
    assert not any(worker.is_alive for worker in pool.all_workers)


def test_a_request_of_a_killed_worker_goes_to_another(pool: WorkerPool) -> None:
    old = pool.workers[0]
    with ThreadPoolExecutor() as threads:
        waiting = send_to_stopped(old, threads)
        pool.replace_one()
        with pytest.raises(KilledError):
            waiting.result()
    with pytest.raises(KilledError):
        old.handle_request(2, REQUEST, 0)
    assert [worker.name for worker in pool.workers] == ["worker 3", "worker 2"]
    assert pool.send(REQUEST).startswith("read=")
    assert [event.worker for event in pool.history.events if isinstance(event, WorkerRestarted)] == [
        "worker 1"
    ]


def test_a_worker_that_dies_fails_its_requests(pool: WorkerPool) -> None:
    worker = pool.workers[0]
    with ThreadPoolExecutor() as threads:
        waiting = send_to_stopped(worker, threads)
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(RuntimeError, match=DIED):
            waiting.result()
    with pytest.raises(RuntimeError, match=DIED):
        worker.handle_request(2, REQUEST, 0)


def test_the_last_events_of_workers_are_recorded(pool: WorkerPool) -> None:
    answers = [pool.send(REQUEST) for _ in range(4)]
    pool.close()
    assert len({*answers}) == 1
    assert sum(type(event).__name__ == "SessionSaved" for event in pool.history.events) == 1
