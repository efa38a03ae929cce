"""Programs with one planted race each, of tasks with about twelve awaits.

The depth of a race is the number of pairs of steps that must come in one order for it to happen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from yemot_ai_testing.property.engines.ordered import OrderedEngine

__all__ = ["PRODUCT_RACES", "RACES", "Race", "pauses"]

TASKS, AWAITS = 4, 12

Steps: TypeAlias = dict[tuple[int, int], int]
"""The positions of the steps of all tasks, by the numbers of the task and of its step."""


@dataclass(frozen=True, slots=True)
class Race:
    """A program of four tasks that fails if their steps come in one rare order.

    Attributes:
        name: what happens in that order.
        depth: the number of ordered pairs of steps.
        happens: whether the steps came in that order.
    """

    name: str
    depth: int
    happens: Callable[[Steps], bool]

    def __call__(self, engine: OrderedEngine) -> None:
        """Run the tasks; raise if the race has happened."""
        steps: Steps = {}

        async def task(number: int) -> None:
            for step in range(AWAITS):
                steps[number, step] = len(steps)
                await asyncio.sleep(0)
            steps[number, AWAITS] = len(steps)

        async def main() -> None:
            await asyncio.gather(*map(task, range(TASKS)))

        engine.run(main())
        assert not self.happens(steps), self.name


def overtakes(fast: int, slow: int) -> Callable[[Steps], bool]:
    """One task ends before another one has made its second step."""
    return lambda steps: steps[fast, AWAITS] < steps[slow, 1]


def pauses(paused: int, window: range, others: Iterable[int]) -> Callable[[Steps], bool]:
    """One task pauses after a step of the window while others run from beginning to end."""

    def happens(steps: Steps) -> bool:
        return any(
            all(
                steps[paused, step] < steps[other, 0] and steps[other, AWAITS] < steps[paused, step + 1]
                for other in others
            )
            for step in window
        )

    return happens


def two_pause(first: int, second: int, whole: int) -> Callable[[Steps], bool]:
    """A task stands still for a second one, and both stand still for a third, which runs to its end."""

    def happens(steps: Steps) -> bool:
        return any(
            steps[first, one] < steps[second, 0]
            and steps[second, other] < steps[whole, 0]
            and steps[whole, AWAITS] < min(steps[first, one + 1], steps[second, other + 1])
            for one in range(AWAITS)
            for other in range(AWAITS)
        )

    return happens


RACES = (
    Race("the last task overtakes the first", 1, overtakes(3, 0)),
    Race("the first task overtakes the last", 1, overtakes(0, 3)),
    Race("a task runs between two steps of another one", 2, pauses(0, range(4, 7), [3])),
    Race("the others run between two steps of a task", 2, pauses(1, range(12), [0, 2, 3])),
    Race("two tasks stand still for a third one", 3, two_pause(0, 2, 3)),
    Race("two tasks stand still for the first one", 3, two_pause(3, 1, 0)),
)


async def work(awaits: int) -> None:
    for _ in range(awaits):
        await asyncio.sleep(0)


def hook_before_the_save(engine: OrderedEngine) -> None:
    """A hook reads the session, which it takes for saved by then."""
    saved: set[str] = set()

    async def save() -> None:
        await work(1)
        saved.add("c1")
        await work(11)

    async def hook() -> None:
        await work(12)
        assert "c1" in saved

    async def main() -> None:
        await asyncio.gather(save(), work(12), work(12), hook())

    engine.run(main())


def store_without_versions(engine: OrderedEngine) -> None:
    """A store overwrites what was saved since the load, by a request that came and went in between."""
    stored: list[str] = []

    async def request(words: str, before: int, between: int) -> None:
        await work(before)
        loaded = list(stored)
        await work(between)
        stored[:] = [*loaded, words]
        await work(12 - before - between)

    async def main() -> None:
        await request("first", 0, 1)
        await asyncio.gather(request("second", 4, 3), work(12), work(12), request("third", 12, 0))

    engine.run(main())
    assert len(stored) == 3


def ledger_without_claim(engine: OrderedEngine) -> None:
    """Repeated requests of one turn ask the model unless one of them has; they look it up, then write it."""
    asked: list[int] = []

    async def request(before: int) -> None:
        await work(before)
        if not asked:
            await work(1)
            asked.append(before)
        await work(12 - before)

    async def main() -> None:
        await asyncio.gather(*map(request, (0, 4, 8, 12)))

    engine.run(main())
    assert len(asked) == 1


PRODUCT_RACES = (
    (hook_before_the_save, 20),
    (store_without_versions, 60),
    (ledger_without_claim, 60),
)
