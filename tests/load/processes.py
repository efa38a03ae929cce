"""Run calls over several server processes and one store; servers are killed while they run."""

from __future__ import annotations

import itertools
import tempfile
import threading
from contextlib import closing
from pathlib import Path

from tests.load.threads import run_calls
from tests.load.worker import STORE_FAILURES
from tests.workers.server_processes import Balancer, Server
from yemot_ai_testing.history import History, WorkerRestarted
from yemot_ai_testing.history.recorders.app import record_request, record_response
from yemot_ai_testing.line.transports.transport import Pairs

__all__ = ["WORKERS", "WorkerPool", "run_in_processes"]

WORKERS = 3
NUMBERS_PER_WORKER = 100_000
"""The range of event numbers of a worker: none has nine digits, which the line speaks one by one."""

CALLS_PER_KILL = 120
"""Calls after which a worker is killed."""


class WorkerPool:
    """Server processes that get the requests in turn.

    Args:
        seed: of the model's failures.
        store_url: of the store of all workers.
        folder: for their logs and events.
        module: what a worker runs.

    Attributes:
        history: the requests and responses.
        all_workers: the workers that were ever started.
    """

    def __init__(self, seed: int, store_url: str, folder: Path, *, module: str = "tests.load.worker") -> None:
        self.history = History()
        self.all_workers: list[Server] = []
        self.balancer = Balancer([])
        self._arguments = (str(seed), store_url)
        self._folder = folder
        self._module = module
        self._names = itertools.count(1)
        self._standby: list[Server] = []
        self._replace_lock = threading.Lock()

    def start(self, count: int, *, standby: int = 0) -> None:
        """Start the first workers, and some that get no request until they replace another one."""
        self.balancer.servers += [self._new_worker() for _ in range(count)]
        self._standby += [self._new_worker() for _ in range(standby)]
        for worker in (*self.balancer.servers, *self._standby):
            worker.wait_started()

    def _new_worker(self) -> Server:
        number = next(self._names)
        name = f"worker-{number}"
        arguments = (name, *self._arguments, str(self._events(name)), str(number * NUMBERS_PER_WORKER))
        self.all_workers.append(Server.start(name, (self._module, *arguments), self._folder))
        return self.all_workers[-1]

    def send(self, pairs: Pairs, *, copy: bool = False, store_failures: int = 0) -> str:
        """Deliver a request; to another worker if the first one is killed."""

        def post(worker: Server) -> str:
            number = record_request(self.history, pairs, is_repeat=copy, worker=worker.name)
            body = worker.post([*pairs, *([(STORE_FAILURES, str(store_failures))] if store_failures else [])])
            record_response(self.history, number, body)
            return body

        return self.balancer.send(post)

    def replace_one(self) -> None:
        """Start a worker instead of another, which is killed."""
        with self._replace_lock:
            new = self._standby.pop() if self._standby else self._new_worker()
            new.wait_started()
            old = self.balancer.next_server()
            self.balancer.servers[self.balancer.servers.index(old)] = new
            killed_at = self.history.now()
            old.kill()
            # Its leases are free after the kill; its events were before.
            times = (killed_at, *(event.at for event in self._history_of(old).events))
            self.history.add(WorkerRestarted(max(times), old.name))

    def close(self) -> None:
        """End all workers, after their last events."""
        for worker in self.all_workers:
            worker.stop()

    def merged_history(self) -> History:
        """Return the history with the events of the workers."""
        return History.merge([self.history, *map(self._history_of, self.all_workers)])

    def _history_of(self, worker: Server) -> History:
        text = self._events(worker.name).read_text(encoding="utf-8")
        return History.loads(text[: text.rfind("\n") + 1])  # a killed worker may leave half a line

    def _events(self, name: str) -> Path:
        return self._folder / f"{name}.events"


def run_in_processes(seed: int, calls: int, utterance_ids: range, store_url: str) -> History:
    """Run calls; kill a worker after every ``CALLS_PER_KILL`` of them."""
    with tempfile.TemporaryDirectory(prefix="yemot-ai-load-") as folder:
        pool = WorkerPool(seed, store_url, Path(folder))

        def replace_some(number: int) -> None:
            if number % CALLS_PER_KILL == 0:
                pool.replace_one()

        with closing(pool):
            pool.start(WORKERS)
            run_calls((seed, calls, utterance_ids), pool.history, pool.send, replace_some)
        return pool.merged_history()
