"""Write executable files that can be run at once, and mark those that are doubles."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Final

from yemot_ai_testing.processes.waiting import wait_until

if sys.platform == "linux":
    import fcntl

__all__ = ["DOUBLE_MARKER", "create_double_folder", "write_executable"]

DOUBLE_MARKER: Final = ".yemot-ai-double"
"""A file of this name beside a ``codex`` marks it as a double of this package, not the real program."""

_TIMEOUT: Final = 10.0
"""Seconds. A process between fork and exec closes its copy of the file much sooner."""


def create_double_folder(folder: Path, *programs: str) -> str:
    """Create a folder for a ``codex`` that is a double; return a ``PATH`` on which it is first.

    Args:
        folder: the folder.
        programs: the folders that come next, before those of this process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DOUBLE_MARKER).touch()
    return os.pathsep.join([str(folder), *programs, os.environ.get("PATH") or os.defpath])


def write_executable(path: Path, text: str) -> None:
    """Write ``text`` into ``path`` and make it executable; when it returns, the file can be run.

    A thread that starts a program while the file is being written passes the open file to the child
    process. Until that child calls exec, which closes the file (``O_CLOEXEC``), Linux refuses to run it
    (``ETXTBSY``, text file busy).

    Args:
        path: the file; overwritten if it exists.
        text: its content, with the line ``#!…`` first.

    Raises:
        OSError: the file cannot be written, or another process keeps it open for writing.
    """
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    if sys.platform == "linux":
        _wait_until_closed(path)


if sys.platform == "linux":

    def _wait_until_closed(path: Path) -> None:
        """Wait until no process has the file open for writing.

        fcntl(2): a read lease is granted only while no process has the file open for writing, else it fails
        with ``EAGAIN``. execve(2) refuses by the same count of writers.
        """
        file = os.open(path, os.O_RDONLY)
        try:
            if not wait_until(lambda: _can_lease(file), _TIMEOUT, interval=0.001):
                raise OSError(
                    errno.ETXTBSY, "cannot be run: another process has it open for writing", str(path)
                )
        finally:
            os.close(file)

    def _can_lease(file: int) -> bool:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except BlockingIOError:
            return False
        except OSError:
            # The file system has no leases, so there is no way to find out.
            return True
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        return True
