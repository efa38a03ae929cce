"""The files of the line: what can be played, and where recordings go.

>>> files = Files({"1": ["000.wav"]})
>>> files.has("/1/000"), files.has("/1/001"), files.has("/9/000")
(True, False, False)
>>> files.free("/1")
'/1/001'
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from posixpath import join, split

from yemot_ai.protocol import Record
from yemot_ai_testing.line.platform.extension import AUDIO_SUFFIXES, Extension

__all__ = ["LineFiles", "file_path", "files_folder"]

SYSTEM_LIBRARY = "YM_LOCAL"
NUMBER_DIGITS = 3


class LineFiles:
    """Safe for several calls at once.

    Args:
        folders: the names of the files by folder; None where nobody knows them.
    """

    def __init__(self, folders: Mapping[str, Iterable[str]] | None = None) -> None:
        self._is_complete = folders is not None
        self._stems = {
            f"/{folder}": {
                name.rpartition(".")[0] for name in names if name.rpartition(".")[2] in AUDIO_SUFFIXES
            }
            for folder, names in (folders or {}).items()
        }
        self._lock = threading.Lock()

    def exists(self, path: str) -> bool | None:
        """Whether ``/folder/name`` can be heard; None where nobody knows."""
        folder, stem = split(path)
        if stem in self._stems.get(folder, ()):
            return True
        return False if self._is_complete else None

    def reserve_number(self, folder: str) -> str:
        """Return the path of the next free number of ``folder``, and take it [OFF]."""
        with self._lock:
            stems = self._stems.setdefault(folder, set())
            numbers = [int(stem) for stem in stems if stem.isascii() and stem.isdigit()]
            stem = str(max(numbers, default=-1) + 1).zfill(NUMBER_DIGITS)
            stems.add(stem)
        return join(folder, stem)

    def add(self, path: str) -> None:
        """Keep a recording of that name; [OFF] one that was there before is renamed."""
        folder, stem = split(path)
        with self._lock:
            self._stems.setdefault(folder, set()).add(stem)

    def recording_path(self, record: Record, extension: str, extension_settings: Extension) -> str:
        """Return where a new recording goes, without its ending [OFF]."""
        folder = record.folder or files_folder(extension, extension_settings)
        if not record.file:
            return self.reserve_number(folder)
        path = join(folder, record.file)
        self.add(path)
        return path


def files_folder(extension: str, extension_settings: Extension) -> str:
    """Return the folder in which an extension's files lie: ``api_dir``, else its own [OFF]."""
    return extension_settings.folder or f"/{extension}"


def file_path(name: str, extension: str, extension_settings: Extension) -> str | None:
    """Return the path of a file that an answer names; None for one of the platform's own."""
    if name.startswith(f"{SYSTEM_LIBRARY}/"):
        return None
    return name if name.startswith("/") else join(files_folder(extension, extension_settings), name)
