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

__all__ = ["MARK", "kill_marked", "marked"]

MARK: Final = "YEMOT_AI_PROCESS"
"""The variable."""

_PASSES: Final = 10
"""Maximum scans: a process may start another one during a scan."""


def marked(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with a new mark."""
    return {**env, MARK: uuid.uuid4().hex}


def kill_marked(mark: str) -> None:
    """Send SIGKILL to all processes of this user that have the mark."""
    entry = f"{MARK}={mark}".encode()
    for _ in range(_PASSES):
        pids = list(_processes_with(entry))
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not pids:
            return


def _processes_with(entry: bytes) -> Iterator[int]:
    for environment in Path("/proc").glob("[0-9]*/environ"):
        # It belongs to another user, or has ended.
        with contextlib.suppress(OSError):
            if entry in environment.read_bytes().split(b"\0"):
                yield int(environment.parent.name)
