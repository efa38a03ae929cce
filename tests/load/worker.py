"""A worker process: takes requests from a pipe, answers them, and tells what happens as it happens.

Run as ``python -m tests.load.worker PIPE NAME SEED STORE FIRST``.
"""

from __future__ import annotations

import sys
import threading
from multiprocessing.connection import Connection
from typing import Final, TypeAlias

from tests.load.failing_provider import Fickle
from yemot_ai import AIFlow, YemotAI
from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.runtime.engine import Engine
from yemot_ai.sessions import open_store
from yemot_ai_testing.history import History, HistoryEvent, RecordedStore, StallDetector

__all__ = ["LEASE", "READY", "TURN", "Task", "main"]

LEASE: Final = 5.0
"""Seconds of silence after which a worker counts as dead: more than a busy machine lets one stand still."""

TURN: Final = 15.0
"""Seconds for one turn: the lease of a dead worker, and another worker's try, have to fit in."""

READY: Final = ("ready", None)
"""The first that a worker tells."""

Task: TypeAlias = tuple[int, tuple[tuple[str, str], ...], int]
"""A request's number, the request, and how often the store fails in it."""


class ToldHistory(History):
    """A history that somebody else keeps: a process that is killed leaves none."""

    def __init__(self, told: Connection, *, first: int) -> None:
        super().__init__(first_number=first)
        self._told = told
        self._telling = threading.Lock()

    def add(self, event: HistoryEvent) -> None:
        self.tell("event", event)

    def tell(self, word: str, value: object) -> None:
        with self._telling:
            self._told.send((word, value))

    def close(self) -> None:
        """Tell nothing more; what is being told is told to its end."""
        with self._telling:
            self._told.close()


def main(pipe: Connection, name: str, seed: int, place: str, first: int) -> None:
    """Answer until there is nothing more to do."""
    history, engine = ToldHistory(pipe, first=first), Engine()
    store = RecordedStore(open_store(place), history, worker=name)
    provider = Fickle(seed, history, engine, slowest=0.05, worker=name)
    ai = YemotAI(provider=provider, store=store, turn_timeout=TURN, lease=LEASE)
    flow = AIFlow(ai, dialog=DialogSettings(answer_wait=0.2, poll_wait=0.2))
    flow.ai_agent("")(lambda call, text: None)

    def answer(number: int, pairs: tuple[tuple[str, str], ...]) -> None:
        history.tell("answer", (number, flow.handle_request(pairs)))

    pipe.send(READY)
    with StallDetector(history, worker=name):
        while (task := _next(pipe)) is not None:
            number, pairs, away = task
            if away:
                store.fails(away)
            threading.Thread(target=answer, args=(number, pairs), daemon=True).start()
    history.close()


def _next(pipe: Connection) -> Task | None:
    try:
        task: Task | None = pipe.recv()
    except EOFError:  # who gave them is dead
        return None
    return task


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])), sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
