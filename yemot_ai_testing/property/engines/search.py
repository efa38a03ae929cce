"""Find an order of tasks in which a program fails, and shrink it.

>>> import asyncio
>>> def program(engine):
...     seen = []
...     async def one(name):
...         await asyncio.sleep(0)
...         seen.append(name)
...     async def main():
...         await asyncio.gather(*map(one, "abc"))
...     engine.run(main())
...     assert seen[0] != "c", seen
>>> found = find_order(program)
>>> type(found.error).__name__
'AssertionError'
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from yemot_ai_testing.property.engines.order import Cancellation, Moment, Order, Size, order_of_seed
from yemot_ai_testing.property.engines.ordered import OrderedEngine

__all__ = ["FoundOrder", "Program", "check_orders", "find_order"]

Program: TypeAlias = Callable[[OrderedEngine], object]

SMALL_SEEDS: Final = 10
"""How many seeds shrinking tries."""

MOMENTS: Final[tuple[Moment, ...]] = ("before", "after")


@dataclass(frozen=True, slots=True)
class FoundOrder:
    """An order in which a program fails.

    Attributes:
        order: the order, shrunk: ``seeded_engine(order)`` runs it again.
        runs: the runs until the first failure, without those for shrinking.
        error: what the program raises in this order.
    """

    order: Order
    runs: int
    error: Exception


def find_order(
    program: Program, *, runs: int = 200, seed: int = 0, cancels: str | None = None
) -> FoundOrder | None:
    """Run a program in many orders until it raises; return the shrunk order, or None if it never raises.

    The first run takes tasks as they come, and shows how many steps they have. With ``cancels``, every
    second run cancels one task at one of its suspensions, until each suspension had its turn.

    Args:
        program: runs on the engine that it is called with; each run must start from the same state.
        runs: the most runs.
        seed: the seed of the first random order; the others have the next ones.
        cancels: the name of the tasks, or of their coroutine function, of which one is cancelled.
    """
    search = _Search(program, cancels)
    for number, order in enumerate(itertools.islice(search.orders(seed), runs), 1):
        error = search.run(order)
        if error is not None:
            shrunk, last_error = search.shrink(order, error)
            return FoundOrder(shrunk, number, last_error)
    return None


def check_orders(program: Program, *, runs: int = 200, seed: int = 0, cancels: str | None = None) -> None:
    """Run a program in many orders, as ``find_order`` does.

    Raises:
        Exception: what the program raises, with a note that names the order.
    """
    found = find_order(program, runs=runs, seed=seed, cancels=cancels)
    if found is not None:
        found.error.add_note(
            f"Found in run {found.runs}, in the order {str(found.order)!r}: "
            f"seeded_engine({str(found.order)!r}) runs it again."
        )
        raise found.error


class _Search:
    """Runs a program in one order after the other."""

    def __init__(self, program: Program, cancels: str | None) -> None:
        self._program = program
        self._cancels = cancels
        self._size: Size | None = None
        self._suspensions: dict[int, int] = {}

    def orders(self, seed: int) -> Iterator[Order]:
        """Yield the orders to try; the ones after the first depend on its run."""
        # A cancellation that never happens counts the steps of the tasks with this name.
        counts = None if self._cancels is None else Cancellation(self._cancels, 0, 0)
        yield Order(cancellation=counts)
        # An order and its reverse: each of two tasks is once the first one.
        yield from (Order("priorities", abs(seed) // 2 * 2 + reverse) for reverse in (0, 1))
        random = (order_of_seed(seed + number, size=self._size) for number in itertools.count())
        if self._cancels is None:
            yield from random
        for cancellation in self._cancellations():
            yield Order(cancellation=cancellation)
            yield next(random)
        while cancellations := list(self._cancellations()):
            yield from (replace(next(random), cancellation=one) for one in cancellations)

    def run(self, order: Order) -> Exception | None:
        """Run the program; return what it raises."""
        with closing(OrderedEngine(order, detects_deadlocks=True)) as engine:
            try:
                self._program(engine)
            except Exception as error:  # noqa: BLE001 - what a developer's program raises is the result
                return error
            finally:
                self._learn(engine)
        return None

    def shrink(self, order: Order, error: Exception) -> tuple[Order, Exception]:
        """Return the simplest order found in which the program raises an error of the same type."""
        kind = type(error)
        candidates = simpler_orders(order)
        while (simpler := next(candidates, None)) is not None:
            again = self.run(simpler)
            if again is not None and type(again) is kind:
                order, error, candidates = simpler, again, simpler_orders(simpler)
        return order, error

    def _learn(self, engine: OrderedEngine) -> None:
        """Note how many steps the tasks of the first run have."""
        if self._size is None:
            self._size = engine.program_size
            self._suspensions = engine.suspensions

    def _cancellations(self) -> Iterator[Cancellation]:
        """Yield the cancellations at each step of each task that the first run had."""
        if self._cancels is not None:
            for number, steps in sorted(self._suspensions.items()):
                for step, moment in itertools.product(range(1, steps + 1), MOMENTS):
                    yield Cancellation(self._cancels, number, step, moment)


def simpler_orders(order: Order) -> Iterator[Order]:
    """Yield simpler orders: without a part, or with an earlier change point."""
    if order.cancellation is not None:
        yield replace(order, cancellation=None)
    if order.strategy != "arrival":
        yield replace(order, strategy="arrival", seed=0)
    if len(order.changes) > 1:
        yield from (replace(order, changes=(change,)) for change in order.changes)
    for index in range(len(order.changes)):
        yield replace(order, changes=order.changes[:index] + order.changes[index + 1 :])
    if order.strategy != "arrival":
        yield from (replace(order, seed=seed) for seed in range(min(order.seed, SMALL_SEEDS)))
    for index, change in enumerate(order.changes):
        for earlier in (change // 2, change - 1):
            changes = {*order.changes[:index], earlier, *order.changes[index + 1 :]}
            if 0 <= earlier < change and len(changes) == len(order.changes):
                yield replace(order, changes=tuple(sorted(changes)))
