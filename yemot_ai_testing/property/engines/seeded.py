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

from yemot_ai_testing.virtual_time import VirtualEngine, VirtualLoop

__all__ = ["SeededEngine", "seeded_engine"]


class SeededEngine(VirtualEngine):
    """An engine with virtual time whose ready tasks run in a seeded order.

    Args:
        seed: the seed of the order.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(lambda clock: _with_seeded_order(VirtualLoop(clock), random.Random(seed)))  # noqa: S311 - not for security


def seeded_engine(seed: int) -> SeededEngine:
    """Return an engine whose ready tasks run in the order of ``seed``."""
    return SeededEngine(seed)


def _with_seeded_order(loop: VirtualLoop, rng: random.Random) -> VirtualLoop:
    """Make ``loop`` take its ready tasks in random order."""
    loop._ready = _ShuffledReadyQueue(rng)  # type: ignore[attr-defined]  # noqa: SLF001 - asyncio has no other place for this
    return loop


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
