"""A worker process: takes requests from a pipe, answers them, and tells what happens as it happens.

Run as ``python -m tests.evening.worker ADDRESS NAME SEED STORE FIRST``.
"""

from __future__ import annotations

import sys
import threading
from multiprocessing.connection import Client, Connection

from tests.evening.fickle import Fickle
from yemot_ai import AIFlow, YemotAI
from yemot_ai.engine import Engine
from yemot_ai.flow.manners import Manners
from yemot_ai.sessions import open_store
from yemot_ai_testing.history import Event, History, RecordedStore

__all__ = ["LEASE", "main"]

LEASE = 5.0
"""Seconds of silence after which a worker counts as dead: more than a busy machine lets one stand still."""


class ToldHistory(History):
    """A history that somebody else keeps: a process that is killed leaves none."""

    def __init__(self, told: Connection, *, first: int) -> None:
        super().__init__(first=first)
        self._told = told
        self._telling = threading.Lock()

    def add(self, event: Event) -> None:
        self.tell("event", event)

    def tell(self, word: str, value: object) -> None:
        with self._telling:
            self._told.send((word, value))


def main(address: str, name: str, seed: int, place: str, first: int) -> None:
    """Answer until the pipe is closed."""
    pipe = Client(address)
    pipe.send(name)
    history, engine = ToldHistory(pipe, first=first), Engine()
    store = RecordedStore(open_store(place), history, worker=name)
    provider = Fickle(seed, history, engine, slowest=0.05, worker=f"{name} ")
    ai = YemotAI(provider=provider, store=store, turn_timeout=6.0, lease=LEASE)
    flow = AIFlow(ai, manners=Manners(hold=0.2, poll_hold=0.2))
    flow.ai_agent("", stream=False)(lambda call, text: None)

    def answer(number: int, pairs: tuple[tuple[str, str], ...]) -> None:
        history.tell("answer", (number, flow.handle_request(pairs)))

    while True:
        try:
            number, pairs, away = pipe.recv()
        except EOFError:
            return
        if away:
            store.fails(away)
        threading.Thread(target=answer, args=(number, pairs), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
