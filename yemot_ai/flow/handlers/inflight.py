"""A logical request of a plain handler, while it is being answered.

While the handler works for longer than a request may be held, polls join it; it is not started
again. It may work here or at another worker: whoever executes it holds its key in the store, and
everybody else waits for the key.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass

from yemot_ai.flow.handler_run import HandlerRun
from yemot_ai.flow.value_names import without_polls
from yemot_ai.protocol import Request
from yemot_ai.sessions import HandlerOutcome, Visit

__all__ = ["InflightRun", "run_key"]


@dataclass(slots=True, eq=False)
class InflightRun:
    """What this process knows of it.

    Attributes:
        key: names it within the call: the visit, and the values without polls.
        task: brings what it came to.
        run: the execution, where it is ours.
        poll_turn: the turn number that its polls carry (0: none yet).
    """

    key: str
    task: asyncio.Task[HandlerOutcome]
    run: HandlerRun | None = None
    poll_turn: int = 0

    @property
    def has_failed(self) -> bool:
        """Whether it ended without coming to anything: the store was away, or the call has ended."""
        return self.task.done() and (self.task.cancelled() or self.task.exception() is not None)


def run_key(visit: Visit, request: Request) -> str:
    """Name the logical request that ``request`` belongs to."""
    values = json.dumps(without_polls(request.values)).encode()
    return f"run/{visit.number}/{hashlib.sha256(values).hexdigest()[:32]}"
