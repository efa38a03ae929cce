"""What happened to faults in the processes of one pytest run: files in a folder, because xdist has workers.

>>> import tempfile
>>> marks = Marks(Path(tempfile.mkdtemp()))
>>> marks.reach("hangup-ignored")
>>> marks.reached()
frozenset({'hangup-ignored'})
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["Marks"]

_FILES: Final = "files.txt"
_REACHED: Final = "reached.txt"


@dataclass(slots=True)
class Marks:
    """Marks in a folder.

    Attributes:
        folder: a private folder of the run.
        is_used: an application was called in this process since this was set to False.
    """

    folder: Path
    is_used: bool = False
    _known: set[tuple[str, str]] = field(default_factory=set)

    def use(self) -> None:
        """Record that a test calls an application."""
        self.is_used = True

    def reach(self, mutation_id: str) -> None:
        """Record that a fault has changed something, or would have."""
        self._add(_REACHED, mutation_id)

    def is_reached(self, mutation_id: str) -> bool:
        """Return whether ``reach`` was called in this process."""
        return (_REACHED, mutation_id) in self._known

    def add_file(self, path: str) -> None:
        """Record that the tests of a file call an application."""
        self._add(_FILES, path)

    def reached(self) -> frozenset[str]:
        """Return the faults that were reached in any process."""
        return self._read(_REACHED)

    def files(self) -> frozenset[str]:
        """Return the files whose tests call an application."""
        return self._read(_FILES)

    def _add(self, name: str, line: str) -> None:
        if (name, line) not in self._known:
            self._known.add((name, line))
            with (self.folder / name).open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

    def _read(self, name: str) -> frozenset[str]:
        path = self.folder / name
        return frozenset(path.read_text(encoding="utf-8").splitlines()) if path.exists() else frozenset()
