"""File names for any text, locks, synced folders, and errors of the operating system with a hint.

>>> file_name("../a").startswith("_a-")
True
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from yemot_ai.errors import SessionDamagedError, StoreError
from yemot_ai.sessions.stores.blocking import BusyError
from yemot_ai.sessions.stores.permissions import PRIVATE_MODE, give_to_owner_of

__all__ = ["file_name", "is_file_name", "lock_file", "read_text", "sync_folder", "translate_os_errors"]

_UNSAFE: Final = re.compile("[^A-Za-z0-9_]+")
_MAX_READABLE: Final = 40
_LOCK_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_NAME: Final = re.compile(rf"[A-Za-z0-9_]{{0,{_MAX_READABLE}}}-[0-9a-f]{{40}}\.json")


def file_name(name: str) -> str:
    """Return a unique file name for any text, without path separators."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return f"{_UNSAFE.sub('_', name)[:_MAX_READABLE]}-{digest}.json"


def is_file_name(name: str) -> bool:
    """Return whether ``name`` may be one that ``file_name`` has made; a folder can hold other files."""
    return _FILE_NAME.fullmatch(name) is not None


def read_text(path: Path) -> str | None:
    """Return the ASCII text of a file; None if there is none.

    Raises:
        SessionDamagedError: if it is no regular file; a link is not followed, and no pipe is waited for.
        StoreError: if it cannot be read.
    """
    hint = f"if it belongs to another user: chown {os.geteuid()} {shlex.quote(str(path))}"
    with translate_os_errors(f"{path} cannot be read", hint=hint):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENXIO}:  # a link; a socket
                raise SessionDamagedError("it is no regular file") from None
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise SessionDamagedError("it is no regular file")
        with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
            return file.read()


def sync_folder(folder: Path) -> None:
    """Sync ``folder``, so that a new file in it survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Lock ``path``, created if it is missing, against other processes; the end of the process unlocks it.

    A lock file of another user, which cannot be opened, is replaced.

    Raises:
        BusyError: if it is locked.
    """
    try:
        descriptor = os.open(path, _LOCK_FLAGS, PRIVATE_MODE)
    except PermissionError:
        path.unlink()
        descriptor = os.open(path, _LOCK_FLAGS, PRIVATE_MODE)
    try:
        give_to_owner_of(path.parent, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"{path} is locked by another process") from None
        try:
            if not _is_at(path, descriptor):
                raise BusyError(f"{path} was replaced by another process")
            yield
        finally:
            # Closing is not enough: a child that was forked since has the descriptor, too.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@contextmanager
def translate_os_errors(
    action: str, *, hint: str = "is the disk full, or the folder read-only?"
) -> Iterator[None]:
    """Raise ``StoreError`` with a hint for an error of the operating system."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{action}: {error.strerror or error} ({hint})") from error
