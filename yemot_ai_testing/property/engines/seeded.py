"""An event loop that picks the next ready task at random, by a seed: each seed gives one interleaving.

Only tasks that are ready at the same time change their order; callbacks keep the order that asyncio
guarantees. Time is virtual.

>>> import asyncio
>>> async def order(seed):
...     seen = []
...     async def one(name):
...         await asyncio.sleep(0)
...         seen.append(name)
...     await asyncio.gather(*map(one, "abcdef"))
...     return "".join(seen)
>>> def run(seed):
...     return seeded_engine(seed).run(order(seed))
>>> run(1) == run(1), len({run(seed) for seed in range(5)}) > 1
(True, True)
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import Any

from yemot_ai_testing.virtual_time import VirtualClock, VirtualEngine, VirtualLoop

__all__ = ["seeded_engine"]


def seeded_engine(seed: int) -> VirtualEngine:
    """Return an engine with virtual time whose ready tasks run in the order of ``seed``."""

    def new_loop(clock: VirtualClock) -> VirtualLoop:
        loop = VirtualLoop(clock)
        loop._ready = _ShuffledReadyQueue(random.Random(seed))  # type: ignore[attr-defined]  # noqa: S311, SLF001 - not for security; asyncio has no other place for this
        return loop

    return VirtualEngine(new_loop)


class _ShuffledReadyQueue(deque[Any]):
    """The ready callbacks of a loop; any of the tasks at the head may be next."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng

    def popleft(self) -> Any:  # noqa: ANN401 - asyncio's handles
        """Remove and return the next callback."""
        tasks = 0
        while tasks < len(self) and _is_task(self[tasks]):
            tasks += 1
        if tasks < 2:  # noqa: PLR2004 - nothing to choose from
            return super().popleft()
        chosen = self._rng.randrange(tasks)
        handle = self[chosen]
        del self[chosen]
        return handle


def _is_task(handle: Any) -> bool:  # noqa: ANN401 - asyncio's handles
    return isinstance(getattr(handle._callback, "__self__", None), asyncio.Task)  # noqa: SLF001 - asyncio has no public way
