"""Tasks that outlive their caller, and the wait for an event.

asyncio keeps no reference to a task, so one that nothing else refers to may be collected while it runs;
and a caller that is cancelled cancels what it awaits. ``start_task`` keeps the reference, ``run_shielded``
and ``await_shielded`` let a task continue, and ``KeyedTasks`` finds the task that runs under a key::

    closing = start_task(server.aclose())
    await run_shielded(end_call(call_id))
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Hashable
from typing import Any, Final, Generic, TypeVar

__all__ = [
    "CALL_TASK",
    "KeyedTasks",
    "await_shielded",
    "name_task",
    "retrieve_exception",
    "run_shielded",
    "start_task",
    "wait_for_event",
]

CALL_TASK: Final = "call "
"""The beginning of the names of tasks that work for a call."""

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

_running: set[asyncio.Task[Any]] = set()


def start_task(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Start a task on the running loop and keep a reference to it until it is done.

    asyncio logs its exception if nothing retrieves it.
    """
    task = asyncio.get_running_loop().create_task(coroutine)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


def name_task(call_id: str, what: str) -> None:
    """Give the running task a name, from which the watchdog knows what blocks its loop.

    Args:
        call_id: the call.
        what: what the task does, with its article.
    """
    task = asyncio.current_task()
    if task is not None:
        task.set_name(f"{CALL_TASK}{call_id}: {what}")


async def run_shielded(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run ``coroutine`` as a task and return its result; see ``await_shielded``."""
    return await await_shielded(start_task(coroutine))


async def await_shielded(task: asyncio.Task[T]) -> T:
    """Return the result of ``task``; a cancellation of the caller does not cancel it.

    When the caller is cancelled, the task continues, and asyncio does not log its exception. Unlike
    ``asyncio.shield``, this is so in every version of Python.

    Raises:
        asyncio.CancelledError: if the caller or the task is cancelled.
    """
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.add_done_callback(retrieve_exception)
        raise
    return task.result()


async def wait_for_event(event: asyncio.Event, *, seconds: float | None) -> None:
    """Wait for ``event``, for at most ``seconds`` (None: without a limit)."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def retrieve_exception(future: asyncio.Future[Any]) -> None:
    """Mark the exception of a finished future as retrieved, so that asyncio does not log it.

    A done callback for a future that no caller may await any longer.
    """
    if not future.cancelled():
        future.exception()


class KeyedTasks(Generic[K, T]):
    """The running tasks by key: the newest one of each key, until it is done."""

    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Task[T]] = {}

    def start(self, key: K, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task under ``key``, as ``start_task`` does; an older task of the key continues."""
        task = self._tasks[key] = start_task(coroutine)
        task.add_done_callback(lambda _: self._forget(key, task))
        return task

    async def run(self, key: K, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run ``coroutine`` under ``key`` as ``run_shielded`` does."""
        return await await_shielded(self.start(key, coroutine))

    async def wait(self, key: K) -> None:
        """Wait for the end of the task under ``key``, if one runs; its exception is not raised."""
        task = self._tasks.get(key)
        if task is not None:
            await asyncio.wait({task})

    def get(self, key: K) -> asyncio.Task[T] | None:
        """Return the task under ``key``; None if none runs."""
        return self._tasks.get(key)

    def running(self) -> list[asyncio.Task[T]]:
        """Return the tasks that run."""
        return list(self._tasks.values())

    def __contains__(self, key: object) -> bool:
        """Return whether a task runs under ``key``; from any thread."""
        return key in self._tasks

    def _forget(self, key: K, task: asyncio.Task[T]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
