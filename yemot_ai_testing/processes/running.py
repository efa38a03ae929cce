"""The running processes of this machine: members of groups, and descendants of this process.

A process that has ended, and that its parent has not waited for, does not count.
"""

# ruff: noqa: PLC0415 - psutil takes 20 ms to import, and most runs count no processes

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

__all__ = ["descendants", "group_members", "kill_if_mentions"]


def group_members(pids: Iterable[int]) -> tuple[int, ...]:
    """Return which of these processes run, with the members of the process groups that they lead."""
    wanted = set(pids)
    if not wanted:
        return ()
    import psutil

    return tuple(pid for pid in psutil.pids() if wanted & {pid, _group(pid)} and _is_running(pid))


def descendants() -> frozenset[int]:
    """Return the ids of the running descendants of this process."""
    import psutil

    children = psutil.Process().children(recursive=True)
    return frozenset(child.pid for child in children if _is_running(child.pid))


def kill_if_mentions(pids: Iterable[int], text: str) -> None:
    """Kill those of these processes, and of their groups, that have ``text`` in arguments or environment.

    A process id may have been used again since; the text is proof that the process is the one meant.
    """
    members = group_members(pids)
    if not members:
        return
    import psutil

    for pid in members:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if any(text in value for value in (*process.cmdline(), *process.environ().values())):
                process.kill()


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:  # it has ended
        return pid


def _is_running(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() not in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    except psutil.NoSuchProcess:
        return False
