"""A generated section of a page: its content is measured, not typed.

It is enclosed by two comments; the first contains the command that regenerates it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Section", "code", "table"]

DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True, slots=True)
class Section:
    """A generated section of a page.

    Attributes:
        page: the file's name in ``docs``.
        name: unique in the page.
        module: regenerates the section when run with ``python -m``.
    """

    page: str
    name: str
    module: str

    @property
    def command(self) -> str:
        """The command that regenerates the section."""
        return f"python -m {self.module}"

    def read(self) -> str:
        """Return the content of the section."""
        return self._parts()[1]

    def write(self, text: str) -> None:
        """Replace the content of the section."""
        before, _, after = self._parts()
        self._path.write_text(before + text + after, encoding="utf-8")

    @property
    def _path(self) -> Path:
        return DOCS / self.page

    def _parts(self) -> tuple[str, str, str]:
        begin, end = f"<!-- generated {self.name}: {self.command} -->\n\n", f"\n<!-- end {self.name} -->"
        before, opening, rest = self._path.read_text(encoding="utf-8").partition(begin)
        content, closing, after = rest.partition(end)
        if not opening or not closing:
            raise LookupError(f"docs/{self.page} has no section between {begin.strip()} and {end.strip()}")
        return before + opening, content, closing + after


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; escape each ``|`` in a cell."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def code(text: str) -> str:
    """Return ``text`` as inline code; a line end, which would end the row of a table, is shown as ``↵``."""
    return f"`{text}`".replace("\n", "↵") if text else "(nothing)"
