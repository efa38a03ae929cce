"""Engines whose tasks run in the order of a seed: each seed gives one interleaving.

Only ready tasks change their order; callbacks keep the order that asyncio guarantees. Time is virtual.

>>> import asyncio
>>> async def order():
...     seen = []
...     async def one(name):
...         await asyncio.sleep(0)
...         seen.append(name)
...     await asyncio.gather(*map(one, "abcdef"))
...     return "".join(seen)
>>> def run(seed):
...     return seeded_engine(seed).run(order())
>>> run(1) == run(1), len({run(seed) for seed in range(5)}) > 1
(True, True)
"""

from __future__ import annotations

from yemot_ai_testing.property.engines.order import Order, Size, order_of_seed
from yemot_ai_testing.property.engines.ordered import OrderedEngine

__all__ = ["seeded_engine"]


def seeded_engine(
    order: int | str | Order, *, size: Size | None = None, cancels: str | None = None
) -> OrderedEngine:
    """Return an engine with virtual time whose ready tasks run in one order.

    Args:
        order: a seed, or an ``Order`` or its text, such as ``find_order`` finds them.
        size: for a seed: the size of the program, as ``engine.program_size`` gives it after a run; None if
            that is unknown.
        cancels: for a seed: the name of tasks, or of their coroutine function, of which one is cancelled
            in one run of three.

    Raises:
        OrderSyntaxError: if a text is not an order.
    """
    if isinstance(order, int):
        order = order_of_seed(order, size=size, cancels=cancels)
    return OrderedEngine(order, detects_deadlocks=True)
