"""Threads for blocking functions: any number at once, and none of them keeps the process alive.

No pool of ``concurrent.futures``: its threads are awaited when the interpreter ends, and one that waits
for a model would keep the process alive. No worker threads of anyio: on a loop that runs for ever they
look through all of its tasks at each call.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import Final, TypeAlias

__all__ = ["run_in_daemon_thread"]

IDLE_TIMEOUT: Final = 10.0
"""Seconds that a thread waits for another job before it ends: starting one costs more than a turn."""

_Job: TypeAlias = Callable[[], None]
_Jobs: TypeAlias = "queue.SimpleQueue[_Job]"

_idle_queues: list[_Jobs] = []


def run_in_daemon_thread(job: _Job) -> None:
    """Run ``job`` in a daemon thread, at once and however many run already.

    Args:
        job: raises nothing.
    """
    try:
        jobs = _idle_queues.pop()
    except IndexError:
        jobs = queue.SimpleQueue()
        threading.Thread(target=_run_jobs, args=(jobs,), name="yemot-ai-worker", daemon=True).start()
    jobs.put(job)


def _run_jobs(jobs: _Jobs) -> None:
    while (job := _next_job(jobs)) is not None:
        job()
        del job  # what it holds may be large, and the next one far away
        _idle_queues.append(jobs)


def _next_job(jobs: _Jobs) -> _Job | None:
    try:
        return jobs.get(timeout=IDLE_TIMEOUT)
    except queue.Empty:
        try:
            _idle_queues.remove(jobs)
        except ValueError:  # taken in this moment: a job is on its way
            return jobs.get()
    return None


# A forked child has the parent's lists but not its threads.
os.register_at_fork(after_in_child=_idle_queues.clear)
