"""Daemon threads for blocking functions: any number at once, and none keeps the process alive.

Not a pool of ``concurrent.futures``: the interpreter joins its threads at exit, so a thread that waits
for a model would keep the process alive. Not the worker threads of anyio: on a loop that runs forever
they search all of its tasks at each call.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import queue
import threading
from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar

__all__ = ["await_in_daemon_thread", "run_in_daemon_thread"]

T = TypeVar("T")

IDLE_TIMEOUT: Final = 10.0
"""Seconds for which an idle thread waits for another job: to start a thread costs more than a turn."""

_Job: TypeAlias = Callable[[], None]
_Jobs: TypeAlias = "queue.SimpleQueue[_Job]"

_idle_queues: list[_Jobs] = []


def run_in_daemon_thread(job: _Job) -> None:
    """Run ``job`` in a daemon thread, at once and without a limit on their number.

    Args:
        job: must not raise.
    """
    try:
        jobs = _idle_queues.pop()
    except IndexError:
        jobs = queue.SimpleQueue()
        threading.Thread(target=_run_jobs, args=(jobs,), name="yemot-ai-worker", daemon=True).start()
    jobs.put(job)


async def await_in_daemon_thread(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread; a cancellation does not stop the thread."""
    # Not asyncio.wrap_future: its two futures refer to each other until the next collection of cycles.
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()
    run_in_daemon_thread(functools.partial(_run_into, result, work, loop))
    try:
        return await result
    finally:
        del result  # its exception refers to this frame


def _run_into(result: asyncio.Future[T], work: Callable[[], T], loop: asyncio.AbstractEventLoop) -> None:
    """Run ``work`` in this thread, and set ``result`` on its loop."""
    try:
        deliver = functools.partial(result.set_result, work())
    except StopIteration as stop:  # a future cannot raise it
        deliver = functools.partial(result.set_exception, RuntimeError(f"StopIteration: {stop}"))
    except BaseException as error:  # noqa: BLE001 - raised in the task that awaits the thread
        deliver = functools.partial(result.set_exception, error)
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
        loop.call_soon_threadsafe(_deliver, result, deliver)
    del result, work, deliver  # the exception refers to this frame


def _deliver(result: asyncio.Future[T], deliver: Callable[[], None]) -> None:
    if not result.cancelled():
        deliver()


def _run_jobs(jobs: _Jobs) -> None:
    while (job := _next_job(jobs)) is not None:
        job()
        del job  # free its objects before the wait for the next job
        _idle_queues.append(jobs)


def _next_job(jobs: _Jobs) -> _Job | None:
    try:
        return jobs.get(timeout=IDLE_TIMEOUT)
    except queue.Empty:
        try:
            _idle_queues.remove(jobs)
        except ValueError:  # it has just been popped: a job will be put
            return jobs.get()
    return None


# A forked child has a copy of the parent's list, but not its threads.
os.register_at_fork(after_in_child=_idle_queues.clear)
