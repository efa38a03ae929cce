"""Daemon threads for blocking functions: any number at once, and none keeps the process alive.

Not a pool of ``concurrent.futures``: the interpreter joins its threads at exit, so a thread that waits
for a model would keep the process alive. Not the worker threads of anyio: on a loop that runs forever
they search all of its tasks at each call.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
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
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()  # from here on it cannot be cancelled with the task that awaits it

    def run() -> None:
        try:
            result = work()
        except StopIteration as stop:  # a future cannot raise it
            done.set_exception(RuntimeError(f"StopIteration: {stop}"))
        except BaseException as error:  # noqa: BLE001 - raised in the task that awaits the thread
            done.set_exception(error)
        else:
            done.set_result(result)

    run_in_daemon_thread(run)
    return await asyncio.wrap_future(done)


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
