"""An evening over several worker processes and one Redis; workers are killed in the middle of it."""

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

__all__ = ["carried_by_processes"]

ROOT = Path(__file__).parents[2]
THREADS, WORKERS = 32, 3
NUMBERS = 10_000_000
"""So many numbers a worker may give to its questions, that no other gives."""

CALLS_PER_KILL = 120
"""Every so many calls a worker is killed."""

PATIENCE = 120.0
"""Seconds: no machine is so busy that a worker which has not answered by then still will."""


class KilledError(Exception):
    """The worker that had the request is dead."""


class Worker:
    """One process, and what it was given and has not answered."""

    def __init__(self, name: str, history: History, settings: tuple[str, ...], log: Path) -> None:
        self.name = name
        self._history = history
        self._log = log
        self._pipe, theirs = Pipe()
        # A pipe that only the two of them hold: when the one dies, the other reads its end.
        with theirs, log.open("wb") as stderr:
            command = [sys.executable, "-m", "tests.load.worker", str(theirs.fileno()), name, *settings]
            self._process = subprocess.Popen(command, cwd=ROOT, stderr=stderr, pass_fds=[theirs.fileno()])
        self._waiting: dict[int, Future[str]] = {}
        self._over: Exception | None = None
        self._heard_at = 0.0
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def waiting(self) -> int:
        """How many requests it has not answered."""
        return len(self._waiting)

    @property
    def lives(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def begin(self) -> None:
        """Wait until it is there: no request is to wait for a process that only starts.

        Raises:
            RuntimeError: it died by itself.
        """
        try:
            assert self._pipe.poll(PATIENCE), f"{self.name} does not come"
            assert self._pipe.recv() == READY
        except EOFError as error:
            raise self._died() from error
        self._reader.start()

    def ask(self, number: int, pairs: Pairs, away: int) -> str:
        """Let the process answer.

        Raises:
            KilledError: it was killed before it did.
            RuntimeError: it died by itself.
        """
        future: Future[str] = Future()
        with self._lock:
            if self._over is not None:
                raise self._over
            self._waiting[number] = future
            self._tell((number, pairs, away))
        return future.result(PATIENCE)

    def kill(self) -> float:
        """Kill it, in the middle of whatever it does, and return when: after all that it has told of.

        What it was doing is free for others from the kill on; what it has told of was before.
        """
        with self._lock:
            self._over = KilledError()
        now = self._history.now()
        self._process.kill()
        self._reader.join()
        self._process.wait()
        return max(now, self._heard_at)

    def close(self) -> None:
        """Let it tell what it has to tell, and end."""
        with self._lock:
            self._over = self._over or KilledError()
            self._tell(None)
        if self._reader.is_alive():
            self._reader.join(PATIENCE)
        self._process.kill()
        self._process.wait()
        self._pipe.close()

    def _died(self) -> RuntimeError:
        return RuntimeError(f"{self.name} died by itself: {self._log.read_text()[-2000:]}")

    def _tell(self, task: Task | None) -> None:
        with suppress(OSError):  # it is dead: the reader finds that out, and tells all who wait
            self._pipe.send(task)

    def _read(self) -> None:
        while True:
            try:
                word, value = self._pipe.recv()
            except (OSError, EOFError):
                break
            if word == "event":
                self._history.add(value)
                self._heard_at = max(self._heard_at, value.at)
            else:
                number, body = value
                self._waiting.pop(number).set_result(body)
        with self._lock:
            self._over = self._over or self._died()
            for future in self._waiting.values():
                future.set_exception(self._over)


class Crew:
    """Workers in a row; requests go round.

    Args:
        settings: what each worker is told: the evening's seed, and where sessions are kept.
        folder: where they write what they have to complain of.

    Attributes:
        hired: all that there ever were.
        workers: those that get requests.
    """

    def __init__(self, settings: tuple[str, ...], folder: Path) -> None:
        self.history = History()
        self._settings = settings
        self._folder = folder
        self._names = itertools.count(1)
        self._turns = itertools.count()
        self._hiring = threading.Lock()
        self.hired: list[Worker] = []
        self.workers: list[Worker] = []

    def hire(self, count: int) -> None:
        """Start the first workers."""
        self.workers += [self._new() for _ in range(count)]
        for worker in self.workers:
            worker.begin()

    def _new(self) -> Worker:
        number = next(self._names)
        name = f"worker {number}"
        settings = (*self._settings, str(number * NUMBERS))
        worker = Worker(name, self.history, settings, self._folder / f"{number}.log")
        self.hired.append(worker)
        return worker

    def send(self, pairs: Pairs, *, copy: bool = False, away: int = 0) -> str:
        """Deliver a request; to another worker, should the first be killed."""
        while True:
            worker = self.workers[next(self._turns) % len(self.workers)]
            number = record_request(self.history, pairs, is_repeat=copy, worker=worker.name)
            try:
                body = worker.ask(number, pairs, away)
            except KilledError:
                continue
            record_response(self.history, number, body)
            return body

    def replace_one(self) -> None:
        """Kill a worker, and hire another."""
        with self._hiring:
            place = next(self._turns) % len(self.workers)
            old, new = self.workers[place], self._new()
            new.begin()
            self.workers[place] = new
            self.history.add(WorkerRestarted(old.kill(), old.name))

    def close(self) -> None:
        """Let all of them end."""
        for worker in self.hired:
            worker.close()


def carried_by_processes(seed: int, calls: int, marks: range, place: str) -> History:
    """Let ``calls`` calls happen, 32 at a time; every so many of them a worker is killed."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ya-crew-"))
        crew = Crew((str(seed), place), Path(folder))
        stack.callback(crew.close)
        crew.hire(WORKERS)

        def does(deed: LoadStep, beside: ThreadPoolExecutor) -> str:
            others = [beside.submit(crew.send, pairs, copy=True) for pairs in deed.concurrent]
            body = crew.send(deed.pairs, away=deed.store_failures)
            for other in others:
                other.result()
            for pairs in deed.delayed:
                crew.send(pairs, copy=True)
            return body

        def carry(number: int) -> None:
            call = plan_call(
                seed=seed, number=number, first_utterance_id=marks[number * 3], history=crew.history
            )
            with ThreadPoolExecutor(2) as beside:
                deed = next(call, None)
                while deed is not None:
                    body = does(deed, beside)
                    try:
                        deed = call.send(body)
                    except StopIteration:
                        deed = None
            if number % CALLS_PER_KILL == 0:
                crew.replace_one()

        with StallDetector(crew.history), ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(carry, range(1, calls + 1)))
        crew.close()  # what they still have to tell belongs to it
        # Pipes overtake each other; the clock is the same for all of them.
        return History.merge([crew.history])
