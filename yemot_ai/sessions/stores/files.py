"""File names for any text, locks, synced folders, and errors of the operating system with a hint.

>>> file_name("../a").startswith("_a-")
True
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from yemot_ai.errors import StoreError

__all__ = ["PRIVATE_MODE", "file_name", "lock_file", "sync_folder", "translate_os_errors"]

PRIVATE_MODE: Final = 0o600
"""Of files that only their owner may read."""

_UNSAFE: Final = re.compile("[^A-Za-z0-9_]+")
_MAX_READABLE: Final = 40


def file_name(name: str) -> str:
    """Return a unique file name for any text, without path separators."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return f"{_UNSAFE.sub('_', name)[:_MAX_READABLE]}-{digest}.json"


def sync_folder(folder: Path) -> None:
    """Sync ``folder``, so that a new file in it survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Lock ``path``, created if it is missing, against other processes; the end of the process unlocks it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        # Closing is not enough: a child that was forked since has the descriptor, too.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


@contextmanager
def translate_os_errors(action: str) -> Iterator[None]:
    """Raise ``StoreError`` with a hint for an error of the operating system."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{action}: {error.strerror or error} (is the disk full, or the folder read-only?)"
        ) from error
