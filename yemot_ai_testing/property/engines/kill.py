"""The end of a worker that shares its process with others: whatever runs on its loop is cancelled.

>>> import asyncio
>>> async def evening():
...     work = asyncio.create_task(asyncio.sleep(3600))
...     await ended(after=2)
...     return work.cancelled()
>>> asyncio.run(evening())
True
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, TypeAlias

__all__ = ["kill_tasks"]

Task: TypeAlias = asyncio.Task[Any]


async def kill_tasks(*, after_steps: int = 0, excluding: Collection[Task] = ()) -> None:
    """Cancel what else runs on this loop, and wait until it is gone.

    Args:
        after_steps: how many steps the loop goes on before.
        excluding: what is no part of the worker; looked at when the others are cancelled.
    """
    for _ in range(after_steps):
        await asyncio.sleep(0)
    here = asyncio.current_task()
    others = [
        task
        for task in sorted(asyncio.all_tasks(), key=_creation_order)
        if task is not here and task not in excluding
    ]
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others)


def _creation_order(task: Task) -> tuple[int, str]:
    """Return what sorts tasks by their age: asyncio numbers those that nobody names."""
    return len(task.get_name()), task.get_name()
