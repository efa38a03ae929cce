"""Kill what a process has started outside of its process group: a daemon, a program after ``setsid``.

Each child process gets a variable of its own, which its descendants inherit. Linux shows the environment of
the processes of this user in ``/proc``; elsewhere, and for a program that clears its environment, only the
process group is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

__all__ = ["MARK", "begins_program", "kill_marked", "marked"]

MARK: Final = "YEMOT_AI_PROCESS"
"""The variable."""

_PASSES: Final = 20
"""Maximum scans: a process may start another one during a scan."""

_KERNEL_THREAD: Final = 0x00200000
"""The flag of a thread of the kernel (``PF_KTHREAD``)."""


def marked(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with a new mark."""
    return {**env, MARK: uuid.uuid4().hex}


def kill_marked(mark: str) -> None:
    """Send SIGKILL to all processes of this user that have the mark."""
    entry = f"{MARK}={mark}".encode()
    for _ in range(_PASSES):
        environments = dict(_environments())
        pids = [pid for pid, environment in environments.items() if entry in environment.split(b"\0")]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        hidden = (pid for pid, environment in environments.items() if not environment)
        if not pids and not any(map(begins_program, hidden)):
            return


def _environments() -> Iterator[tuple[int, bytes]]:
    """Yield the processes of this user, each with its environment."""
    for environment in Path("/proc").glob("[0-9]*/environ"):
        # It belongs to another user, or has ended.
        with contextlib.suppress(OSError):
            yield int(environment.parent.name), environment.read_bytes()


def begins_program(pid: int) -> bool:
    """Return whether a process without an environment is within ``execve``, when Linux does not show it."""
    process = Path("/proc", str(pid))
    with contextlib.suppress(OSError):
        state, *fields = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()
        if state in "ZX" or int(fields[5]) & _KERNEL_THREAD:
            return False
        return not (process / "cmdline").read_bytes() or bool((process / "environ").read_bytes())
    return False
