"""Run calls over several worker processes and one Redis; workers are killed while they run."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from multiprocessing import Pipe
from pathlib import Path

from tests.load.worker import READY, Task
from yemot_ai_testing.history import History, StallDetector, WorkerRestarted
from yemot_ai_testing.history.recorders.app import record_request, record_response
from yemot_ai_testing.history.recorders.sans_io_call import Pairs
from yemot_ai_testing.property.load_plan import LoadStep, plan_call

__all__ = ["run_in_processes"]

ROOT = Path(__file__).parents[2]
THREADS, WORKERS = 32, 3
NUMBERS_PER_WORKER = 10_000_000
"""The range of event numbers of a worker."""

CALLS_PER_KILL = 120
"""Calls after which a worker is killed."""

TIMEOUT = 120.0
"""Seconds after which a worker that has not answered counts as stuck."""


class KilledError(Exception):
    """The worker was killed before it answered the request."""


class Worker:
    """One process and its unanswered requests."""

    def __init__(self, name: str, history: History, settings: tuple[str, ...], log: Path) -> None:
        self.name = name
        self._history = history
        self._log = log
        self._pipe, theirs = Pipe()
        # Only the two processes hold the pipe: when one dies, the other reads its end.
        with theirs, log.open("wb") as stderr:
            command = [sys.executable, "-m", "tests.load.worker", str(theirs.fileno()), name, *settings]
            self._process = subprocess.Popen(command, cwd=ROOT, stderr=stderr, pass_fds=[theirs.fileno()])
        self._waiting: dict[int, Future[str]] = {}
        self._ended: Exception | None = None
        self._last_event_at = 0.0
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)

    @property
    def pid(self) -> int:
        """The ID of the process."""
        return self._process.pid

    @property
    def waiting(self) -> int:
        """The number of unanswered requests."""
        return len(self._waiting)

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def wait_ready(self) -> None:
        """Wait until the process is ready for requests.

        Raises:
            RuntimeError: the process has died.
        """
        try:
            assert self._pipe.poll(TIMEOUT), f"{self.name} does not start"
            assert self._pipe.recv() == READY
        except EOFError as error:
            raise self._death_error() from error
        self._reader.start()

    def handle_request(self, number: int, pairs: Pairs, store_failures: int) -> str:
        """Send a request to the process and return the response.

        Raises:
            KilledError: the process was killed before it answered.
            RuntimeError: the process has died.
        """
        future: Future[str] = Future()
        with self._lock:
            if self._ended is not None:
                raise self._ended
            self._waiting[number] = future
            self._send((number, pairs, store_failures))
        return future.result(TIMEOUT)

    def kill(self) -> float:
        """Kill the process; return the time, which is not before its last event.

        Its leases are free after the kill; its events were before.
        """
        with self._lock:
            self._ended = KilledError()
        now = self._history.now()
        self._process.kill()
        self._reader.join()
        self._process.wait()
        return max(now, self._last_event_at)

    def close(self) -> None:
        """Let the process send its remaining events and end."""
        with self._lock:
            self._ended = self._ended or KilledError()
            self._send(None)
        if self._reader.is_alive():
            self._reader.join(TIMEOUT)
        self._process.kill()
        self._process.wait()
        self._pipe.close()

    def _death_error(self) -> RuntimeError:
        return RuntimeError(f"{self.name} died: {self._log.read_text()[-2000:]}")

    def _send(self, task: Task | None) -> None:
        with suppress(OSError):  # it is dead: the reader thread notices and fails the waiting requests
            self._pipe.send(task)

    def _read(self) -> None:
        while True:
            try:
                word, value = self._pipe.recv()
            except (OSError, EOFError):
                break
            if word == "event":
                self._history.add(value)
                self._last_event_at = max(self._last_event_at, value.at)
            else:
                number, body = value
                self._waiting.pop(number).set_result(body)
        with self._lock:
            self._ended = self._ended or self._death_error()
            for future in self._waiting.values():
                future.set_exception(self._ended)


class WorkerPool:
    """Worker processes that get the requests in turn.

    Args:
        settings: arguments of each worker: the seed and the URL of the store.
        folder: the folder of the workers' standard error.

    Attributes:
        all_workers: the workers that were ever started.
        workers: the workers that get requests.
    """

    def __init__(self, settings: tuple[str, ...], folder: Path) -> None:
        self.history = History()
        self._settings = settings
        self._folder = folder
        self._names = itertools.count(1)
        self._turns = itertools.count()
        self._replace_lock = threading.Lock()
        self.all_workers: list[Worker] = []
        self.workers: list[Worker] = []

    def start(self, count: int) -> None:
        """Start the first workers."""
        self.workers += [self._new_worker() for _ in range(count)]
        for worker in self.workers:
            worker.wait_ready()

    def _new_worker(self) -> Worker:
        number = next(self._names)
        name = f"worker {number}"
        settings = (*self._settings, str(number * NUMBERS_PER_WORKER))
        worker = Worker(name, self.history, settings, self._folder / f"{number}.log")
        self.all_workers.append(worker)
        return worker

    def send(self, pairs: Pairs, *, copy: bool = False, store_failures: int = 0) -> str:
        """Deliver a request; to another worker if the first one is killed."""
        while True:
            worker = self.workers[next(self._turns) % len(self.workers)]
            number = record_request(self.history, pairs, is_repeat=copy, worker=worker.name)
            try:
                body = worker.handle_request(number, pairs, store_failures)
            except KilledError:
                continue
            record_response(self.history, number, body)
            return body

    def replace_one(self) -> None:
        """Kill a worker and start another."""
        with self._replace_lock:
            index = next(self._turns) % len(self.workers)
            old, new = self.workers[index], self._new_worker()
            new.wait_ready()
            self.workers[index] = new
            self.history.add(WorkerRestarted(old.kill(), old.name))

    def close(self) -> None:
        """End all workers."""
        for worker in self.all_workers:
            worker.close()


def run_in_processes(seed: int, calls: int, utterance_ids: range, store_url: str) -> History:
    """Run ``calls`` calls, 32 at a time; kill a worker after every ``CALLS_PER_KILL`` of them."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="yemot-ai-load-"))
        pool = WorkerPool((str(seed), store_url), Path(folder))
        stack.callback(pool.close)
        pool.start(WORKERS)

        def run_step(step: LoadStep, threads: ThreadPoolExecutor) -> str:
            others = [threads.submit(pool.send, pairs, copy=True) for pairs in step.concurrent]
            body = pool.send(step.pairs, store_failures=step.store_failures)
            for other in others:
                other.result()
            for pairs in step.delayed:
                pool.send(pairs, copy=True)
            return body

        def run_call(number: int) -> None:
            call = plan_call(
                seed=seed, number=number, first_utterance_id=utterance_ids[number * 3], history=pool.history
            )
            with ThreadPoolExecutor(2) as threads:
                step = next(call, None)
                while step is not None:
                    body = run_step(step, threads)
                    try:
                        step = call.send(body)
                    except StopIteration:
                        step = None
            if number % CALLS_PER_KILL == 0:
                pool.replace_one()

        with StallDetector(pool.history), ThreadPoolExecutor(THREADS) as executor:
            list(executor.map(run_call, range(1, calls + 1)))
        pool.close()  # the last events of the workers belong to the history
        # Events of different pipes arrive out of order; their clock is the same.
        return History.merge([pool.history])
