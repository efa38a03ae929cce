"""An order of tasks as a value: which of the ready tasks runs next.

Random priorities with a few change points are the scheduler PCT (S. Burckhardt, P. Kothari, M. Musuvathi,
S. Nagarakatte, "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010): of
``n`` tasks with ``k`` steps, a race that needs ``d`` ordered pairs of steps is found with a probability of at
least 1/(n·k^(d-1)) a run, where d-1 is the number of change points.

>>> order = Order("priorities", 7, changes=(3, 17))
>>> str(order)
'priorities 7, changes 3 17'
>>> Order.parse(str(order)) == order
True
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from yemot_ai_testing.errors import OrderSyntaxError

__all__ = [
    "Cancellation",
    "Moment",
    "Order",
    "Size",
    "Strategy",
    "order_of_seed",
    "seeded_random",
    "task_priority",
]

Strategy: TypeAlias = Literal["arrival", "priorities", "chance"]
Moment: TypeAlias = Literal["before", "after"]

SCALES: Final = ((0.70, 14), (0.20, 32), (0.10, 64))
"""Shares of the runs, and the most decisions between two change points, if no earlier run has shown them."""

DEPTHS: Final = (2, 4, 1, 4, 3, 2, 4, 1, 4, 3, 0)
"""The depths of consecutive seeds; 0 is an order by chance. With three change points, a run has twice as many
chances for a race of depth 3 as with the two that it needs."""

CANCELLATION_PERIOD: Final = 3
"""One seed in so many cancels a task, if tasks are named for it."""

USUAL_TASKS: Final = 4
"""How many tasks compete, if no earlier run has shown it; of more tasks, the first ones begin more often."""

SEEDS_PER_RUN: Final = 64
"""The distance between the seeds of priorities of consecutive runs."""

SPREADS: Final = (0.6180339887498949, 0.7548776662466927, 0.5698402909980532)
"""Multiples of these, without their whole part, are spread evenly: the golden ratio, and M. Roberts' R2."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The cancellation of one task at one of its suspensions.

    Attributes:
        name: the name of the task, or of its coroutine function.
        number: the number of the task among those of this name, from 1, in the order of their first steps.
        step: the number of a step of the task, from 1.
        moment: ``before`` the step, when it is ready to run, or ``after`` it, at its suspension.
    """

    name: str
    number: int
    step: int
    moment: Moment = "after"

    def __str__(self) -> str:
        return f"cancel {self.name} {self.number} {self.moment} {self.step}"


@dataclass(frozen=True, slots=True)
class Order:
    """Which of the ready tasks runs next.

    Attributes:
        strategy: ``arrival``: the task that was ready first; ``priorities``: the one with the highest
            priority, which is random and constant (after 1,000 decisions a random one); ``chance``: a
            random one.
        seed: determines the priorities, or the choices by chance.
        changes: decisions between several ready tasks, counted from 0, at which the task that would run
            goes behind all others.
        cancellation: the task to cancel.
    """

    strategy: Strategy = "arrival"
    seed: int = 0
    changes: tuple[int, ...] = ()
    cancellation: Cancellation | None = None

    def __str__(self) -> str:
        parts = [self.strategy if self.strategy == "arrival" else f"{self.strategy} {self.seed}"]
        if self.changes:
            parts.append(f"changes {' '.join(map(str, self.changes))}")
        if self.cancellation is not None:
            parts.append(str(self.cancellation))
        return ", ".join(parts)

    @classmethod
    def parse(cls, text: str) -> Order:
        """Return the order that ``str`` has written as ``text``.

        Raises:
            OrderSyntaxError: if it is none.
        """
        match = _SYNTAX.fullmatch(text)
        if match is None:
            raise OrderSyntaxError(text)
        changes = tuple(map(int, (match["changes"] or "").split()))
        return cls(_strategy(match["strategy"]), int(match["seed"] or 0), changes, _cancellation(match))


_SYNTAX: Final = re.compile(
    r"(?P<strategy>arrival|(?:priorities|chance)(?= \d))(?: (?P<seed>\d+))?"
    r"(?:, changes(?P<changes>(?: \d+)+))?"
    r"(?:, cancel (?P<name>\S+) (?P<number>\d+) (?P<moment>before|after) (?P<step>\d+))?"
)


def _strategy(text: str) -> Strategy:
    return next(strategy for strategy in get_args(Strategy) if strategy == text)


def _cancellation(match: re.Match[str]) -> Cancellation | None:
    if match["name"] is None:
        return None
    moment: Moment = "before" if match["moment"] == "before" else "after"
    return Cancellation(match["name"], int(match["number"]), int(match["step"]), moment)


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a program, as an earlier run has shown it.

    Attributes:
        tasks: how many tasks competed with another one.
        steps: how often the task was chosen that was chosen most often.
    """

    tasks: int
    steps: int


def order_of_seed(seed: int, *, size: Size | None = None, cancels: str | None = None) -> Order:
    """Return the order of a seed: priorities with up to three change points, or chance.

    Consecutive seeds mix the strategies, and spread the change points evenly.

    Args:
        seed: any integer.
        size: the size of the program; None if that is unknown.
        cancels: the name of tasks of which one is cancelled in some runs.
    """
    cancellation = None
    if cancels is not None and seed % CANCELLATION_PERIOD == 0:
        cancellation = _random_cancellation(seed, cancels, size)
        seed //= CANCELLATION_PERIOD
    depth = DEPTHS[seed % len(DEPTHS)]
    if depth == 0:
        return Order("chance", abs(seed), cancellation=cancellation)
    shares = [_spread(seed, dimension) for dimension in range(depth - 1)]
    priorities = abs(seed)
    if shares:  # each step of each task is the first change point in its turn, and its task begins
        tasks = USUAL_TASKS if size is None else max(size.tasks, 1)
        first, shares[0] = divmod(shares[0] * tasks, 1)
        priorities = _seed_with_first(int(first), tasks, priorities)
    return Order("priorities", priorities, _changes(shares, size), cancellation)


def seeded_random(purpose: str, number: int, seed: int) -> float:
    """Return a number from 0 to 1, always the same for the same arguments."""
    return random.Random(f"{purpose} {number} of {seed}").random()  # noqa: S311 - not for security


def task_priority(seed: int, number: int) -> float:
    """Return the priority of a task, from 0 to 1.

    Every second seed has the reverse order of the one before: of two tasks, each is first in one of them.

    Args:
        seed: the seed of an ``Order``.
        number: the number of the task, from 0.
    """
    pair, is_reverse = divmod(seed, 2)
    priority = seeded_random("task", number, pair)
    return 1 - priority if is_reverse else priority


def _seed_with_first(task: int, tasks: int, seed: int) -> int:
    """Return a seed that gives ``task`` the highest priority of so many tasks."""
    candidates = itertools.count(seed * SEEDS_PER_RUN)
    return next(
        candidate
        for candidate in candidates
        if task == max(range(tasks), key=lambda number: task_priority(candidate, number))
    )


def _spread(seed: int, dimension: int) -> float:
    return (0.5 + seed * SPREADS[dimension]) % 1


def _changes(shares: Iterable[float], size: Size | None) -> tuple[int, ...]:
    """Return the decisions with a change point, for the shares of the longest gap before each."""
    gaps = [_gap(share, size) for share in shares]
    return tuple(sum(gaps[: number + 1]) + number for number in range(len(gaps)))


def _gap(share: float, size: Size | None) -> int:
    """Return the number of decisions before a change point, for a share from 0 to 1 of the longest one."""
    if size is not None:
        return int(share * max(size.steps, 1))
    for part, most in SCALES:
        if share < part:
            return int(share / part * most)
        share -= part
    return SCALES[-1][1]


def _random_cancellation(seed: int, name: str, size: Size | None) -> Cancellation:
    rng = random.Random(f"cancellation {seed}")  # noqa: S311 - not for security
    moment: Moment = "before" if rng.random() < 0.5 else "after"  # noqa: PLR2004 - half of them
    return Cancellation(name, rng.randint(1, 4), 1 + _gap(rng.random(), size), moment)
