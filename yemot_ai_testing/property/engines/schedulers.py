"""Choose the next of several ready tasks by an ``Order``, and cancel the task that it names."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from yemot_ai_testing.property.engines.order import Cancellation, Order, seeded_random, task_priority

__all__ = ["Canceller", "Scheduler", "Task"]

Task: TypeAlias = asyncio.Task[Any]

MAX_BY_PRIORITY: Final = 1000
"""Decisions by priority, after which chance decides: a long run has too few change points."""

MAX_PASSED: Final = 200
"""Decisions in a row that pass over the lowest task, after which it becomes the highest: others may poll for
what it does."""


class Scheduler:
    """Chooses the next task. A task gets its priority when it first competes with another one.

    Args:
        order: the order of the tasks.

    Attributes:
        tasks: how many tasks have competed with another one.
        decisions: how often the next task was chosen from several.
        longest: how often the task was chosen that was chosen most often.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._rng = random.Random(f"chance {order.seed}")  # noqa: S311 - not for security
        self._priorities: WeakKeyDictionary[Task, float] = WeakKeyDictionary()
        self._chosen: WeakKeyDictionary[Task, int] = WeakKeyDictionary()
        self._changes = list(order.changes)
        self._passed = 0
        self.tasks = self.decisions = self.longest = 0

    def choose(self, tasks: Sequence[Task]) -> int:
        """Return the index of the next task.

        Args:
            tasks: at least two, in the order in which they became ready.
        """
        for task in tasks:
            if task not in self._priorities:
                self._priorities[task] = 1 + self._first_priority()
        index = self._rng.randrange(len(tasks)) if self._is_by_chance else self._highest(tasks)
        self._count(tasks[index])
        return index

    def thread_rank(self, number: int) -> float:
        """Return the rank of a thread: of those that wait, the lowest continues first.

        Args:
            number: the number of the thread, in the order of their starts.
        """
        return (
            number if self._order.strategy == "arrival" else seeded_random("thread", number, self._order.seed)
        )

    @property
    def _is_by_chance(self) -> bool:
        strategy = self._order.strategy
        return strategy == "chance" or (strategy == "priorities" and self.decisions >= MAX_BY_PRIORITY)

    def _highest(self, tasks: Sequence[Task]) -> int:
        priorities = [self._priorities[task] for task in tasks]
        index, lowest = priorities.index(max(priorities)), priorities.index(min(priorities))
        if self._changes and self.decisions >= self._changes[0]:
            changed = seeded_random("change", self._changes.pop(0), self._order.seed)
            self._priorities[tasks[index]] = priorities[index] = changed
            index = priorities.index(max(priorities))
        self._passed = 0 if index == lowest else self._passed + 1
        if self._passed < MAX_PASSED:
            return index
        self._passed = 0
        self._priorities[tasks[lowest]] = priorities[index] + 1
        return lowest

    def _first_priority(self) -> float:
        number, self.tasks = self.tasks, self.tasks + 1
        return 0.0 if self._order.strategy == "arrival" else task_priority(self._order.seed, number)

    def _count(self, task: Task) -> None:
        self.decisions += 1
        self._chosen[task] = self._chosen.get(task, 0) + 1
        self.longest = max(self.longest, self._chosen[task])


class Canceller:
    """Cancels one task, before or after one of its steps.

    Args:
        cancellation: the task and its step.

    Attributes:
        steps: the steps so far of each task of that name, by its number.
    """

    def __init__(self, cancellation: Cancellation) -> None:
        self._cancellation = cancellation
        self._numbers: WeakKeyDictionary[Task, int] = WeakKeyDictionary()
        self.steps: dict[int, int] = {}

    def before_step(self, task: Task) -> None:
        """Count a step that is about to run, and cancel its task if that is the one."""
        if self._cancellation.name not in {task.get_name(), getattr(task.get_coro(), "__name__", "")}:
            return
        if task not in self._numbers:
            self._numbers[task] = len(self.steps) + 1
        number = self._numbers[task]
        step = self.steps[number] = self.steps.get(number, 0) + 1
        wanted = self._cancellation
        if (number, step) != (wanted.number, wanted.step):
            return
        if wanted.moment == "before":
            task.cancel()
        else:  # in a callback, which runs as soon as the step has ended
            asyncio.get_running_loop().call_soon(task.cancel)
