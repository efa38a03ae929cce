"""An in-flight run of a plain handler.

While the handler needs longer than a request may wait, polls join the run; it is not started again.
It runs in this or in another worker: the worker that executes it holds its key in the store, the
others wait for the key.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass

from yemot_ai.flow.handler_run import HandlerRun
from yemot_ai.flow.value_names import without_polls
from yemot_ai.protocol import Message, Request
from yemot_ai.sessions import HandlerOutcome, Visit

__all__ = ["InflightRun", "run_key"]


@dataclass(slots=True, eq=False)
class InflightRun:
    """An in-flight run, as this process knows it.

    Attributes:
        key: identifies it within the call: the visit, and the values without polls.
        task: returns its outcome.
        run: the execution, if it is in this process.
        poll_turn: the turn number in the names of its polls (0: no poll yet).
    """

    key: str
    task: asyncio.Task[HandlerOutcome]
    run: HandlerRun | None = None
    poll_turn: int = 0

    @property
    def has_failed(self) -> bool:
        """Whether it ended without an outcome: the store was away, or the call has ended."""
        return self.task.done() and (self.task.cancelled() or self.task.exception() is not None)

    def take_queue(self) -> tuple[Message, ...]:
        """Return and empty the message queue of the execution, if it is in this process."""
        return self.run.take_queue() if self.run else ()


def run_key(visit: Visit, request: Request) -> str:
    """Return the key of the run that answers ``request``."""
    values = json.dumps(without_polls(request.values)).encode()
    return f"run/{visit.number}/{hashlib.sha256(values).hexdigest()[:32]}"
