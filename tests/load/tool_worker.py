"""A server process whose model calls tools; each run is written into a file that all workers share.

Run as ``python -m tests.load.tool_worker NAME SEED STORE EVENTS FIRST``.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Final

import uvicorn

from tests.load.tool_provider import ToolProvider
from tests.load.worker import LEASE, STORE_FAILURES, TURN_TIMEOUT, FileHistory
from yemot_ai import AIFlow, DialogSettings, ToolContext, YemotAI, tool, web
from yemot_ai._runtime.engine import Engine
from yemot_ai.sessions import open_store
from yemot_ai_testing.history import RecordedStore, RecordedTools, StallDetector

__all__ = ["RUNS_FILE", "main"]

RUNS_FILE: Final = "runs.jsonl"
"""The file of the runs, in the folder of the events: only appended to, line by line."""

SLOWEST_RUN: Final = 1.5
"""The most seconds of a run."""


class Orders:
    """The shop whose orders are lines of a file.

    Args:
        path: the file.
        worker: the name of the worker.
    """

    def __init__(self, path: Path, worker: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._worker = worker
        self._random = random.Random(worker)  # noqa: S311 - not for security

    async def place_order(self, call: ToolContext, order: str) -> str:
        """Place an order."""
        self._write("began", "place_order", call)
        await asyncio.sleep(self._random.random() * SLOWEST_RUN)
        return self._write("ended", f"placed: {order}", call)

    def cancel_order(self, call: ToolContext, order: str) -> str:
        """Cancel an order."""
        self._write("began", "cancel_order", call)
        threading.Event().wait(self._random.random() * SLOWEST_RUN)
        return self._write("ended", f"cancelled: {order}", call)

    async def find_order(self, call: ToolContext, order: str) -> str:
        """Find an order."""
        self._write("began", "find_order", call)
        await asyncio.sleep(self._random.random() * SLOWEST_RUN)
        return self._write("ended", f"found: {order}", call)

    def _write(self, what: str, text: str, call: ToolContext) -> str:
        line = {what: text, "key": call.key, "worker": self._worker, "at": time.monotonic()}
        os.write(self._file, f"{json.dumps(line)}\n".encode())  # one write: lines of workers do not mix
        return text


def main(name: str, seed: int, store_url: str, events: Path, first: int) -> None:
    """Serve until SIGINT."""
    history, engine = FileHistory(events, first=first), Engine()
    store = RecordedStore(open_store(store_url), history, worker=name)
    orders, recorded = Orders(events.parent / RUNS_FILE, name), RecordedTools(history, worker=name)
    ai = YemotAI(
        provider=ToolProvider(seed, history, engine, worker=name),
        store=store,
        tools=[
            recorded.record(orders.place_order),
            recorded.record(orders.cancel_order),
            recorded.record(tool(retry=True)(orders.find_order)),
        ],
        turn_timeout=TURN_TIMEOUT,
        lease=LEASE,
    )
    flow = AIFlow(ai, dialog=DialogSettings(answer_wait=0.2, poll_wait=0.2))

    @flow.ai_agent("")
    async def agent(call: object, text: str) -> None:
        """Leave the answer to the model."""

    async def handle(pairs: list[tuple[str, str]]) -> str:
        if store_failures := dict(pairs).get(STORE_FAILURES):
            store.fails(int(store_failures))
        return await flow.ahandle_request(pairs)

    with StallDetector(history, worker=name):
        uvicorn.run(web.asgi(handle), port=0, access_log=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), int(sys.argv[5]))
