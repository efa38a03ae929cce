"""What a server keeps on disk goes with it, also when nobody was left to clear up.

A server's databases hold what its calls said. Whoever starts one holds a lock in their folder; where
nobody holds it any more, the server and its owner are dead, and the next one to start takes the rest away.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["claim", "dead"]

_LOCK: Final = "server.lock"


def claim(folder: Path) -> BinaryIO:
    """Hold ``folder`` for a server, until the file is closed or this process and its forks have ended."""
    draft = folder / f"{_LOCK}.draft"
    file = draft.open("wb")
    fcntl.flock(file, fcntl.LOCK_EX)
    # Locked before it goes by its name: nobody may find it open in between.
    draft.rename(folder / _LOCK)
    return file


def dead(folders: Path) -> Iterator[str]:
    """The names of those among ``folders`` whose servers have died."""
    for lock in folders.glob(f"*/{_LOCK}"):
        try:
            with lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield lock.parent.name
        except (BlockingIOError, FileNotFoundError):
            # Somebody holds it, or has just taken it away.
            continue
