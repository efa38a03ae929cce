"""Close files and folders to other users of the machine, and log what cannot be closed.

What belongs to this user is closed. For anything else a warning names the file, its mode and the command
that closes it: to change the files of another user, or a folder with other contents, could break another
program.
"""

from __future__ import annotations

import logging
import os
import shlex
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Final

from yemot_ai.errors import StoreError

__all__ = [
    "PRIVATE_FOLDER_MODE",
    "PRIVATE_MODE",
    "check_parents",
    "close_file",
    "close_folder",
    "give_to_owner_of",
    "make_folder",
]

log = logging.getLogger("yemot_ai")

PRIVATE_MODE: Final = 0o600
"""Of files that only their owner may read."""

PRIVATE_FOLDER_MODE: Final = 0o700

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def close_file(path: Path) -> None:
    """Close a file to other users, if there is one; log a warning if it belongs to another user.

    Raises:
        StoreError: if it is no regular file: it may lead to a file of another user.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(f"{path} is no regular file: rename or remove it (rm {shlex.quote(str(path))})")
    _close(path, status, PRIVATE_MODE)


def close_folder(path: Path, *, contents: Collection[str] | None = None) -> None:
    """Close a folder to other users; log a warning if it belongs to another user.

    Args:
        path: the folder.
        contents: the names that a store has in it; with any other one the folder is not closed, because
            other programs may use it.
    """
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        log.warning("%s is a symbolic link; make sure that its folder is closed to other users", path)
    elif (
        contents is None
        or not status.st_mode & _OTHERS
        or {one.name for one in path.iterdir()} <= set(contents)
    ):
        _close(path, status, PRIVATE_FOLDER_MODE)
    elif _is_open(status):
        log.warning("%s; to close it: chmod go-w %s", _describe(path, status), shlex.quote(str(path)))


def make_folder(path: Path) -> None:
    """Make a closed folder if it is missing; one that root makes belongs to the owner of its parent."""
    try:
        path.mkdir(mode=PRIVATE_FOLDER_MODE)
    except FileExistsError:
        if not path.is_dir():
            raise
        return
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def check_parents(path: Path) -> None:
    """Log a warning for each folder above ``path`` in which other users can replace it."""
    for folder in path.parents:
        status = folder.stat()
        if _is_open(status):
            log.warning("%s; to close it: chmod o-w %s", _describe(folder, status), shlex.quote(str(folder)))


def give_to_owner_of(folder: Path, descriptor: int) -> None:
    """Give a new file to the owner of its folder, if root has made it: the owner's processes need it."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _is_open(status: os.stat_result) -> bool:
    """Return whether any user can replace what is in a folder; in a sticky one only the owner can."""
    return bool(status.st_mode & stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX


def _close(path: Path, status: os.stat_result, mode: int) -> None:
    if os.geteuid() not in {status.st_uid, 0}:
        log.warning(
            "%s belongs to another user (%d, mode %04o); give it to this one: chown %d %s",
            path,
            status.st_uid,
            stat.S_IMODE(status.st_mode),
            os.geteuid(),
            shlex.quote(str(path)),
        )
    elif status.st_mode & _OTHERS:
        path.chmod(mode)
        log.warning("%s: changed to %04o", _describe(path, status), mode)


def _describe(path: Path, status: os.stat_result) -> str:
    return f"{path} is open to other users (mode {stat.S_IMODE(status.st_mode):04o})"
