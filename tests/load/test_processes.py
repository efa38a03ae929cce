"""A worker that is killed, dies or ends leaves no waiting request and no process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.load.processes import WorkerPool
from tests.support.waiting import until
from tests.workers.server_processes import Server
from yemot_ai_testing.history import WorkerRestarted
from yemot_ai_testing.history.recorders.sans_io_call import SansIOCall

REQUEST = SansIOCall("00c1").next_request()
DIED = r"(?s)worker-1 died: "


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WorkerPool]:
    pool = WorkerPool(7, f"sqlite:{tmp_path}/calls.db", tmp_path)
    try:
        pool.start(2)
        yield pool
    finally:
        pool.close()
    assert not any(worker.left_behind() for worker in pool.all_workers)


def send_to_stopped(pool: WorkerPool, threads: ThreadPoolExecutor) -> tuple[Server, Future[str]]:
    """Send a request to the first worker, which is stopped."""
    worker = pool.balancer.servers[0]
    os.kill(worker.process.pid, signal.SIGSTOP)
    waiting = threads.submit(pool.send, REQUEST)
    until(lambda: len(worker.waiting) == 1)
    return worker, waiting


def test_a_worker_that_cannot_start_says_why_and_leaves_no_process(tmp_path: Path) -> None:
    pool = WorkerPool(7, "nowhere:", tmp_path)
    with pytest.raises(RuntimeError, match=DIED + ".*nowhere"):
        pool.start(2)
    pool.close()
    assert not any(worker.left_behind() for worker in pool.all_workers)


def test_a_request_of_a_killed_worker_goes_to_another(pool: WorkerPool) -> None:
    with ThreadPoolExecutor() as threads:
        _, waiting = send_to_stopped(pool, threads)
        pool.balancer.send(lambda other: other.name)  # the first one is the next again
        pool.replace_one()
        assert waiting.result().startswith("read=")
    assert pool.balancer.resent == 1
    assert [worker.name for worker in pool.balancer.servers] == ["worker-3", "worker-2"]
    restarted = [event.worker for event in pool.history.events if isinstance(event, WorkerRestarted)]
    assert restarted == ["worker-1"]


def test_a_worker_that_dies_fails_its_requests(pool: WorkerPool) -> None:
    with ThreadPoolExecutor() as threads:
        worker, waiting = send_to_stopped(pool, threads)
        os.kill(worker.process.pid, signal.SIGKILL)
        with pytest.raises(RuntimeError, match=DIED):
            waiting.result()
    pool.balancer.send(lambda other: other.name)
    with pytest.raises(RuntimeError, match=DIED):
        pool.send(REQUEST)


def test_the_last_events_of_workers_are_recorded(pool: WorkerPool) -> None:
    answers = [pool.send(REQUEST) for _ in range(4)]
    pool.close()
    assert len({*answers}) == 1
    events = pool.merged_history().events
    assert sum(type(event).__name__ == "SessionSaved" for event in events) == 1
