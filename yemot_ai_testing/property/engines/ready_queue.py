"""The ready queue of an event loop, from which a scheduler takes the tasks.

asyncio calls callbacks in the order in which they were scheduled, and so does this queue; a ready task may
run as late as the scheduler wants. Callbacks run before tasks: they say what has happened, such as the end of
a thread or a timer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

from yemot_ai_testing.property.engines.schedulers import Canceller, Scheduler, Task

__all__ = ["ReadyQueue"]

STEP_NAMES: Final = (None, "task_wakeup")
"""Names of the bound methods of a task that run its next step; others, such as ``cancel``, are callbacks."""


class ReadyQueue(deque[Any]):
    """The handles of a loop that are ready.

    Attributes:
        scheduler: chooses the next task; None takes handles as they come.
        canceller: cancels a task.
    """

    def __init__(self, scheduler: Scheduler | None = None, canceller: Canceller | None = None) -> None:
        super().__init__()
        self.scheduler = scheduler
        self.canceller = canceller
        self._due: int | None = None  # callbacks that run before the next task; None: not yet counted

    def popleft(self) -> Any:  # noqa: ANN401 - asyncio's handles
        """Remove and return the next handle."""
        if self.scheduler is None:
            return super().popleft()
        # A copy: a thread may append meanwhile, and what it appends does not move the others.
        handles = list(self)
        tasks = {
            index: task for index, handle in enumerate(handles) if (task := _task_of(handle)) is not None
        }
        if self._due is None:
            self._due = len(handles) - len(tasks)
        if self._due or not tasks:
            self._due = max(self._due - 1, 0)
            return self._take(next(index for index in range(len(handles)) if index not in tasks))
        # A callback that schedules itself again and again waits for a task each time.
        self._due = None
        return self._take_task(self.scheduler, tasks)

    def _take_task(self, scheduler: Scheduler, tasks: dict[int, Task]) -> Any:  # noqa: ANN401 - see above
        indices, ready = list(tasks), list(tasks.values())
        chosen = scheduler.choose(ready) if len(ready) > 1 else 0
        handle = self._take(indices[chosen])
        if self.canceller is not None:
            self.canceller.before_step(ready[chosen])
        return handle

    def _take(self, index: int) -> Any:  # noqa: ANN401 - see above
        handle = self[index]
        del self[index]
        return handle


def _task_of(handle: Any) -> Task | None:  # noqa: ANN401 - see above
    """Return the task whose next step the handle runs; None for any other callback."""
    callback = handle._callback  # noqa: SLF001 - asyncio has no public way
    task = getattr(callback, "__self__", None)
    is_step = isinstance(task, asyncio.Task) and getattr(callback, "__name__", None) in STEP_NAMES
    return task if is_step else None
