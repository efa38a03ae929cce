"""A worker process: reads requests from a pipe, sends responses and the events of its history.

Run as ``python -m tests.load.worker PIPE NAME SEED STORE FIRST``.
"""

from __future__ import annotations

import sys
import threading
from multiprocessing.connection import Connection
from typing import Final, TypeAlias

from tests.load.failing_provider import FailingProvider
from yemot_ai import AIFlow, YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.sessions import open_store
from yemot_ai_testing.history import History, HistoryEvent, RecordedStore, StallDetector

__all__ = ["LEASE", "READY", "TURN_TIMEOUT", "Task", "main"]

LEASE: Final = 5.0
"""Seconds of silence after which a worker counts as dead: longer than a busy machine stalls a process."""

TURN_TIMEOUT: Final = 15.0
"""Seconds for one turn: the lease of a dead worker plus the turn of another worker."""

READY: Final = ("ready", None)
"""The first message of a worker."""

Task: TypeAlias = tuple[int, tuple[tuple[str, str], ...], int]
"""The number of a request, its pairs, and how often the store fails during it."""


class RemoteHistory(History):
    """A history whose events are sent to the parent process, because this one may be killed."""

    def __init__(self, pipe: Connection, *, first: int) -> None:
        super().__init__(first_number=first)
        self._pipe = pipe
        self._send_lock = threading.Lock()

    def add(self, event: HistoryEvent) -> None:
        self.send("event", event)

    def send(self, kind: str, value: object) -> None:
        with self._send_lock:
            self._pipe.send((kind, value))

    def close(self) -> None:
        """Close the pipe after the current message."""
        with self._send_lock:
            self._pipe.close()


def main(pipe: Connection, name: str, seed: int, store_url: str, first: int) -> None:
    """Answer requests until the pipe is closed."""
    history, engine = RemoteHistory(pipe, first=first), Engine()
    store = RecordedStore(open_store(store_url), history, worker=name)
    provider = FailingProvider(seed, history, engine, slowest=0.05, worker=name)
    ai = YemotAI(provider=provider, store=store, turn_timeout=TURN_TIMEOUT, lease=LEASE)
    flow = AIFlow(ai, dialog=DialogSettings(answer_wait=0.2, poll_wait=0.2))
    flow.ai_agent("")(lambda call, text: None)

    def answer(number: int, pairs: tuple[tuple[str, str], ...]) -> None:
        history.send("answer", (number, flow.handle_request(pairs)))

    pipe.send(READY)
    with StallDetector(history, worker=name):
        while (task := _next(pipe)) is not None:
            number, pairs, store_failures = task
            if store_failures:
                store.fails(store_failures)
            threading.Thread(target=answer, args=(number, pairs), daemon=True).start()
    history.close()


def _next(pipe: Connection) -> Task | None:
    try:
        task: Task | None = pipe.recv()
    except EOFError:  # the parent process is dead
        return None
    return task


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])), sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
