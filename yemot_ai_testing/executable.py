"""An executable file, written so that it can be run at once, whatever other threads do."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path
from typing import Final

if sys.platform == "linux":
    import fcntl

__all__ = ["write_executable"]

_TIMEOUT: Final = 10.0
"""Seconds after which whoever still has a written file open is not about to begin a program."""


def write_executable(path: Path, text: str) -> None:
    """Write ``text`` into ``path``, and let everybody run it.

    When it returns, it can be run. A thread that starts a program while the file is being written hands the
    open file on to it, and until that program has begun, Linux refuses to run the file (``ETXTBSY``, text
    file busy): ``O_CLOEXEC`` closes it only then.

    Args:
        path: the file; written over if it is there.
        text: what it holds, from its first line ``#!…`` on.

    Raises:
        OSError: it cannot be written, or something else writes into it.
    """
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    if sys.platform == "linux":
        _wait_until_closed(path)


if sys.platform == "linux":

    def _wait_until_closed(path: Path) -> None:
        """Wait until nobody has a file open for writing.

        fcntl(2): a read lease is given for a file that nobody has open for writing, else ``EAGAIN``; that
        is the same count that makes execve(2) refuse.
        """
        until = time.monotonic() + _TIMEOUT
        file = os.open(path, os.O_RDONLY)
        try:
            while not _can_lease(file):
                if time.monotonic() > until:
                    raise OSError(errno.ETXTBSY, "cannot be run: something still writes into it", str(path))
                time.sleep(0.001)
        finally:
            os.close(file)

    def _can_lease(file: int) -> bool:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except BlockingIOError:
            return False
        except OSError:
            # A file system without leases cannot be asked.
            return True
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        return True
