"""The files of recorded calls: closed to other users, bounded in size and number.

A file that cannot be written is a warning, once until a file can be written again.
"""

from __future__ import annotations

import errno
import logging
import os
import re
from hashlib import blake2b
from pathlib import Path
from typing import Final

__all__ = ["MAX_FILES", "MAX_FILE_BYTES", "RecordFiles"]

log = logging.getLogger("yemot_ai")

MAX_FILE_BYTES: Final = 1024 * 1024
"""Bytes of the file of a call; what comes later is not recorded."""

MAX_FILES: Final = 1000
"""Files in the folder; with a new one above it the oldest is deleted."""

_NAME: Final = re.compile(r"call-[0-9a-f]{24}\.jsonl")
_KEY_BYTES: Final = 12


class RecordFiles:
    """The files in one folder.

    Args:
        folder: is made when the first call is recorded, for its owner only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._failed = False
        self._cut = ""

    def append(self, key: str, line: bytes) -> None:
        """Append a line to the file of a call; log a warning if that is impossible.

        Args:
            key: identifies the call; the name of the file is a hash of it.
            line: with its line end.
        """
        name = f"call-{blake2b(key.encode('utf-8', 'replace'), digest_size=_KEY_BYTES).hexdigest()}.jsonl"
        try:
            self._append(name, line)
        except OSError as error:
            if not self._failed:
                log.warning("calls are answered, but not recorded in %s: %s", self._folder, error.strerror)
            self._failed = True
        else:
            self._failed = False

    def _append(self, name: str, line: bytes) -> None:
        path = self._folder / name
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        except FileNotFoundError:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._delete_oldest()
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size + len(line) <= MAX_FILE_BYTES:
                self._write(descriptor, line)
            elif self._cut != name:
                self._cut = name
                log.warning("%s is full (%d bytes): its call is recorded no further", path, MAX_FILE_BYTES)
        finally:
            os.close(descriptor)

    def _write(self, descriptor: int, line: bytes) -> None:
        """Write the line, or nothing of it: a part would make the next line unreadable."""
        size = os.fstat(descriptor).st_size
        try:
            written = os.write(descriptor, line)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
        if written < len(line):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _delete_oldest(self) -> None:
        """Make room for one more file; only files with the name of a record are deleted."""
        with os.scandir(self._folder) as entries:
            files = [entry for entry in entries if _NAME.fullmatch(entry.name)]
        surplus = len(files) - MAX_FILES + 1
        if surplus > 0:
            files.sort(key=lambda entry: entry.stat(follow_symlinks=False).st_mtime)
            for entry in files[:surplus]:
                Path(entry.path).unlink(missing_ok=True)
