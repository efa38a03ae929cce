"""A part of a page that a program writes: what stands in it was measured, not typed.

It stands between two comments, of which the first names the command that writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Section", "code", "table"]

DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True, slots=True)
class Section:
    """A generated part of a page.

    Attributes:
        page: the file's name in ``docs``.
        name: tells it from other parts of the page.
        module: run with ``python -m``, it writes the part anew.
    """

    page: str
    name: str
    module: str

    @property
    def command(self) -> str:
        """What writes it anew."""
        return f"python -m {self.module}"

    def read(self) -> str:
        """Return what stands there."""
        return self._parts()[1]

    def write(self, text: str) -> None:
        """Replace what stands there."""
        before, _, after = self._parts()
        self._path.write_text(before + text + after, encoding="utf-8")

    @property
    def _path(self) -> Path:
        return DOCS / self.page

    def _parts(self) -> tuple[str, str, str]:
        begin, end = f"<!-- generated {self.name}: {self.command} -->\n\n", f"\n<!-- end {self.name} -->"
        before, found, rest = self._path.read_text(encoding="utf-8").partition(begin)
        inside, ended, after = rest.partition(end)
        if not found or not ended:
            raise LookupError(f"docs/{self.page} has no part between {begin.strip()} and {end.strip()}")
        return before + found, inside, ended + after


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; a ``|`` inside a cell does not end it."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def code(text: str) -> str:
    """Write ``text`` as it was measured."""
    return f"`{text}`" if text else "(nothing)"
