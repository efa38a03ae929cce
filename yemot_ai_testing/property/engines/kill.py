"""Kill a simulated worker: cancel all tasks of its event loop.

>>> import asyncio
>>> async def main():
...     task = asyncio.create_task(asyncio.sleep(3600))
...     await kill_tasks(after_steps=2)
...     return task.cancelled()
>>> asyncio.run(main())
True
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, TypeAlias

__all__ = ["kill_tasks"]

Task: TypeAlias = asyncio.Task[Any]


async def kill_tasks(*, after_steps: int = 0, excluding: Collection[Task] = ()) -> None:
    """Cancel the other tasks of this loop and wait for their end.

    Args:
        after_steps: steps of the loop to wait first.
        excluding: tasks that do not belong to the worker; read when the others are cancelled.
    """
    for _ in range(after_steps):
        await asyncio.sleep(0)
    current = asyncio.current_task()
    others = [
        task
        for task in sorted(asyncio.all_tasks(), key=_creation_order)
        if task is not current and task not in excluding
    ]
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others)


def _creation_order(task: Task) -> tuple[int, str]:
    """Return a sort key by age: asyncio numbers the default names of tasks."""
    return len(task.get_name()), task.get_name()
