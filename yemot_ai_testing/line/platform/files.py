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
from yemot_ai_testing.line.platform.extension import AUDIO, Extension

__all__ = ["Files", "home_of", "path_of"]

LIBRARY = "YM_LOCAL"
DIGITS = 3


class Files:
    """Safe for several calls at once.

    Args:
        folders: the names of the files by folder; None where nobody knows them.
    """

    def __init__(self, folders: Mapping[str, Iterable[str]] | None = None) -> None:
        self._known = folders is not None
        self._stems = {
            f"/{folder}": {name.rpartition(".")[0] for name in names if name.rpartition(".")[2] in AUDIO}
            for folder, names in (folders or {}).items()
        }
        self._lock = threading.Lock()

    def has(self, path: str) -> bool | None:
        """Whether ``/folder/name`` can be heard; None where nobody knows."""
        folder, stem = split(path)
        if stem in self._stems.get(folder, ()):
            return True
        return False if self._known else None

    def free(self, folder: str) -> str:
        """Return the path of the next free number of ``folder``, and take it [OFF]."""
        with self._lock:
            stems = self._stems.setdefault(folder, set())
            numbers = [int(stem) for stem in stems if stem.isascii() and stem.isdigit()]
            stem = str(max(numbers, default=-1) + 1).zfill(DIGITS)
            stems.add(stem)
        return join(folder, stem)

    def keep(self, path: str) -> None:
        """Keep a recording of that name; [OFF] one that was there before is renamed."""
        folder, stem = split(path)
        with self._lock:
            self._stems.setdefault(folder, set()).add(stem)

    def recording(self, record: Record, extension: str, place: Extension) -> str:
        """Return where a new recording goes, without its ending [OFF]."""
        folder = record.folder or home_of(extension, place)
        if not record.file:
            return self.free(folder)
        path = join(folder, record.file)
        self.keep(path)
        return path


def home_of(extension: str, place: Extension) -> str:
    """Return the folder in which an extension's files lie: ``api_dir``, else its own [OFF]."""
    return place.folder or f"/{extension}"


def path_of(name: str, extension: str, place: Extension) -> str | None:
    """Return the path of a file that an answer names; None for one of the platform's own."""
    if name.startswith(f"{LIBRARY}/"):
        return None
    return name if name.startswith("/") else join(home_of(extension, place), name)
