"""The audio files of the line: those that it can play, and new recordings.

>>> files = LineFiles({"1": ["000.wav"]})
>>> files.exists("/1/000"), files.exists("/1/001"), files.exists("/9/000")
(True, False, False)
>>> files.reserve_number("/1")
'/1/001'
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from posixpath import join, split

from yemot_ai.protocol import Record
from yemot_ai_testing.line.platform.extension import Extension, audio_stems

__all__ = ["LineFiles", "file_path", "files_folder"]

SYSTEM_LIBRARY = "YM_LOCAL"
NUMBER_DIGITS = 3


class LineFiles:
    """The audio files by folder; safe for several calls at the same time.

    Args:
        folders: the names of the files by folder; None if unknown.
    """

    def __init__(self, folders: Mapping[str, Iterable[str]] | None = None) -> None:
        self._is_complete = folders is not None
        self._stems = {f"/{folder}": set(audio_stems(names)) for folder, names in (folders or {}).items()}
        self._lock = threading.Lock()

    def exists(self, path: str) -> bool | None:
        """Whether the line can play ``/folder/name``; None if unknown."""
        folder, stem = split(path)
        if stem in self._stems.get(folder, ()):
            return True
        return False if self._is_complete else None

    def has_folder(self, folder: str) -> bool | None:
        """Whether ``/folder`` has audio files; None if unknown."""
        return bool(self._stems.get(folder)) if self._is_complete else None

    def reserve_number(self, folder: str) -> str:
        """Return the path of the next free number of ``folder``, and reserve it [OFF]."""
        with self._lock:
            stems = self._stems.setdefault(folder, set())
            numbers = [int(stem) for stem in stems if stem.isascii() and stem.isdigit()]
            stem = str(max(numbers, default=-1) + 1).zfill(NUMBER_DIGITS)
            stems.add(stem)
        return join(folder, stem)

    def add(self, path: str) -> None:
        """Add a recording of that name; the platform renames an existing one [OFF]."""
        folder, stem = split(path)
        with self._lock:
            self._stems.setdefault(folder, set()).add(stem)

    def recording_path(self, record: Record, extension: str, extension_settings: Extension) -> str:
        """Return the path of a new recording, without its suffix [OFF]."""
        folder = record.folder or files_folder(extension, extension_settings)
        if not record.file:
            return self.reserve_number(folder)
        path = join(folder, record.file)
        self.add(path)
        return path


def files_folder(extension: str, extension_settings: Extension) -> str:
    """Return the folder of an extension's files: ``api_dir``, else its own [OFF]."""
    return extension_settings.folder or f"/{extension}"


def file_path(name: str, extension: str, extension_settings: Extension) -> str | None:
    """Return the path of a file that a response names; None for one of the platform's files."""
    if name.startswith(f"{SYSTEM_LIBRARY}/"):
        return None
    return name if name.startswith("/") else join(files_folder(extension, extension_settings), name)
