"""A temporary folder that ends with its process: a later one deletes what a killed one has left.

The owner holds a named pipe in the folder open. The kernel closes it when the process ends, however it
ends, so a program that was started for the owner notices its death (it reads the end of the pipe), and so
does a later run (the pipe has no reader).

>>> with owned_folder("example-") as folder:
...     (folder / OWNER).exists()
True
>>> folder.exists()
False
"""

from __future__ import annotations

import errno
import functools
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["OWNER", "OwnedFolder", "owned_folder"]

OWNER: Final = "owner"
"""The name of the pipe in the folder."""


@dataclass(frozen=True, slots=True)
class OwnedFolder:
    """A folder and the open end of its pipe.

    Attributes:
        path: the folder; symbolic links in its path are resolved.
    """

    path: Path
    _pipe: int

    @classmethod
    def create(cls, prefix: str) -> OwnedFolder:
        """Create a folder; the first time in a process, delete those of dead processes.

        Args:
            prefix: of its name; the folders of dead processes have the same.
        """
        _delete_abandoned(tempfile.gettempdir(), prefix)
        path = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
        draft = path / f"{OWNER}.draft"
        os.mkfifo(draft, mode=0o600)
        pipe = os.open(draft, os.O_RDWR | os.O_NONBLOCK)
        # Open before it gets its name, so that no process can find it without an owner.
        draft.rename(path / OWNER)
        return cls(path, pipe)

    def remove(self) -> None:
        """Delete the folder; nothing happens the second time."""
        if self.path.exists():
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._pipe)


@contextmanager
def owned_folder(prefix: str) -> Iterator[Path]:
    """Yield a folder that is deleted at the end."""
    folder = OwnedFolder.create(prefix)
    try:
        yield folder.path
    finally:
        folder.remove()


@functools.cache
def _delete_abandoned(temporary: str, prefix: str) -> None:
    for path in Path(temporary).glob(f"{prefix}*/{OWNER}"):
        if _is_abandoned(path):
            shutil.rmtree(path.parent, ignore_errors=True)


def _is_abandoned(pipe: Path) -> bool:
    """Return whether this is a pipe of this user that no process holds open."""
    try:
        status = pipe.lstat()
        if not stat.S_ISFIFO(status.st_mode) or status.st_uid != os.getuid():
            return False
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        return error.errno == errno.ENXIO
    return False
