"""An evening over several worker processes and one Redis; workers are killed in the middle of it."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing.connection import Connection, Listener
from pathlib import Path

from yemot_ai_testing.history import History, Restarted
from yemot_ai_testing.history.app import note_got, note_sent
from yemot_ai_testing.history.phone import Pairs
from yemot_ai_testing.property.evening import Deed, plan

__all__ = ["carried_by_processes"]

ROOT = Path(__file__).parents[2]
THREADS, WORKERS = 32, 3
NUMBERS = 10_000_000
"""So many numbers a worker may give to its questions, that no other gives."""


class KilledError(Exception):
    """The worker that had the request is dead."""


class Worker:
    """One process, and what it was given and has not answered."""

    def __init__(self, crew: Crew, name: str, first: int) -> None:
        self.name = name
        self._history = crew.history
        command = [sys.executable, "-m", "tests.evening.worker", str(crew.listener.address), name]
        self._process = subprocess.Popen(
            [*command, str(crew.seed), crew.place, str(first)], cwd=ROOT, stderr=subprocess.DEVNULL
        )
        self._pipe: Connection = crew.listener.accept()
        assert self._pipe.recv() == name
        self._waiting: dict[int, Future[str]] = {}
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, number: int, pairs: Pairs, away: int) -> str:
        """Let the process answer.

        Raises:
            KilledError: it was killed before it did.
        """
        future: Future[str] = Future()
        with self._lock:
            self._waiting[number] = future
            try:
                self._pipe.send((number, pairs, away))
            except OSError as error:
                raise KilledError from error
        return future.result(60)

    def kill(self) -> None:
        """Kill it, in the middle of whatever it does."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def close(self) -> None:
        """Let it end."""
        self._pipe.close()
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        while True:
            try:
                word, value = self._pipe.recv()
            except (OSError, EOFError):
                break
            if word == "event":
                self._history.add(value)
            else:
                number, body = value
                self._waiting.pop(number).set_result(body)
        with self._lock:
            for future in self._waiting.values():
                future.set_exception(KilledError())


class Crew:
    """Workers in a row; requests go round."""

    def __init__(self, seed: int, place: str, count: int, listener: Listener) -> None:
        self.seed = seed
        self.place = place
        self.listener = listener
        self.history = History()
        self._names = itertools.count(1)
        self._turns = itertools.count()
        self._hiring = threading.Lock()
        self.workers = [self._hired() for _ in range(count)]

    def _hired(self) -> Worker:
        number = next(self._names)
        return Worker(self, f"worker {number}", number * NUMBERS)

    def send(self, pairs: Pairs, *, copy: bool = False, away: int = 0) -> str:
        """Deliver a request; to another worker, should the first be killed."""
        while True:
            worker = self.workers[next(self._turns) % len(self.workers)]
            number = note_sent(self.history, pairs, copy=copy, worker=worker.name)
            try:
                body = worker.ask(number, pairs, away)
            except KilledError:
                continue
            note_got(self.history, number, body)
            return body

    def replace_one(self) -> None:
        """Kill a worker, and hire another."""
        with self._hiring:
            place = next(self._turns) % len(self.workers)
            old = self.workers[place]
            old.kill()
            self.history.add(Restarted(self.history.now(), f"{old.name} "))
            self.workers[place] = self._hired()

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


def carried_by_processes(seed: int, calls: int, marks: range, place: str, *, kills: int = 2) -> History:
    """Let ``calls`` calls happen, 32 at a time; every so many of them a worker is killed."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ya-crew-"))
        listener = stack.enter_context(Listener(f"{folder}/crew"))
        crew = Crew(seed, place, WORKERS, listener)
        stack.callback(crew.close)
        deadly = {calls * (number + 1) // (kills + 1) for number in range(kills)}

        def does(deed: Deed, beside: ThreadPoolExecutor) -> str:
            others = [beside.submit(crew.send, pairs, copy=True) for pairs in deed.beside]
            body = crew.send(deed.pairs, away=deed.away)
            for other in others:
                other.result()
            for pairs in deed.late:
                crew.send(pairs, copy=True)
            return body

        def carry(number: int) -> None:
            call = plan(seed=seed, number=number, mark=marks[number * 3], history=crew.history)
            with ThreadPoolExecutor(2) as beside:
                deed = next(call, None)
                while deed is not None:
                    body = does(deed, beside)
                    try:
                        deed = call.send(body)
                    except StopIteration:
                        deed = None
            if number in deadly:
                crew.replace_one()

        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(carry, range(1, calls + 1)))
        # Pipes overtake each other; the clock is the same for all of them.
        return History.merged([crew.history])
