"""A server process, which writes the events of its history into a file.

Run as ``python -m tests.load.worker NAME SEED STORE EVENTS FIRST``.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Final

import uvicorn

from tests.load.failing_provider import FailingProvider, load_flow
from yemot_ai import web
from yemot_ai._runtime.engine import Engine
from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.sessions import open_store
from yemot_ai_testing.history import History, HistoryEvent, RecordedStore, StallDetector

__all__ = ["LEASE", "STORE_FAILURES", "TURN_TIMEOUT", "main"]

LEASE: Final = 5.0
"""Seconds of silence after which a worker counts as dead: longer than a busy machine stalls a process."""

TURN_TIMEOUT: Final = 10.0
"""Seconds for one turn: the lease of a dead worker plus the turn of another worker."""

STORE_FAILURES: Final = "ApiStoreFailures"
"""The parameter that says how often the store fails during a request."""


class FileHistory(History):
    """A history whose events are written at once, because this process may be killed."""

    def __init__(self, path: Path, *, first: int) -> None:
        super().__init__(first_number=first)
        self._file = path.open("w", encoding="utf-8")
        self._file_lock = threading.Lock()

    def add(self, event: HistoryEvent) -> None:
        line = History()
        line.add(event)
        with self._file_lock:
            self._file.write(line.dumps())
            self._file.flush()


def main(name: str, seed: int, store_url: str, events: Path, first: int) -> None:
    """Serve until SIGINT."""
    history, engine = FileHistory(events, first=first), Engine()
    store = RecordedStore(open_store(store_url), history, worker=name)
    provider = FailingProvider(seed, history, engine, slowest=0.05, worker=name)
    dialog = DialogSettings(answer_wait=0.2, poll_wait=0.2)
    flow = load_flow(provider, store, dialog, turn_timeout=TURN_TIMEOUT, lease=LEASE)

    async def handle(pairs: list[tuple[str, str]]) -> str:
        if store_failures := dict(pairs).get(STORE_FAILURES):
            store.fails(int(store_failures))
        return await flow.ahandle_request(pairs)

    with StallDetector(history, worker=name):
        uvicorn.run(web.asgi(handle), port=0, access_log=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), int(sys.argv[5]))
