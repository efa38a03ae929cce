"""The Hebrew pages that follow an English page: the same sections in the same order, and the same examples.

Copy the examples of the English pages into the Hebrew ones: ``python -m tests.docs.hebrew_pages``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["COMMAND", "TRANSLATIONS", "Translation", "with_blocks"]

DOCS: Final = Path(__file__).parents[2] / "docs"
COMMAND: Final = "python -m tests.docs.hebrew_pages"

_NOTES: Final = r"(?:^<!-- (?:file|check|not run|printed)\b[^\n]*-->\n)*"
BLOCK: Final = re.compile(rf"{_NOTES}^```.*?^```$", re.MULTILINE | re.DOTALL)
"""An example, with the comments before it that configure how it is run."""


class Translation(NamedTuple):
    """A page in both languages.

    Attributes:
        name: of the file, in ``docs`` and in ``docs/he``.
    """

    name: str

    @property
    def english(self) -> Path:
        return DOCS / self.name

    @property
    def hebrew(self) -> Path:
        return DOCS / "he" / self.name

    @property
    def texts(self) -> tuple[str, str]:
        """The Hebrew and the English text."""
        return self.hebrew.read_text(encoding="utf-8"), self.english.read_text(encoding="utf-8")


TRANSLATIONS: Final = tuple(
    map(
        Translation,
        [
            "start.md",
            "line.md",
            "commands.md",
            "agents.md",
            "handlers.md",
            "tools.md",
            "scenarios.md",
            "troubleshooting.md",
            "production.md",
        ],
    )
)


def with_blocks(hebrew: str, english: str) -> str:
    """Return the Hebrew text with each example replaced by the English one in its place.

    Raises:
        ValueError: if one text has more examples than the other.
    """
    blocks = BLOCK.findall(english)
    if len(blocks) != len(BLOCK.findall(hebrew)):
        message = f"{len(BLOCK.findall(hebrew))} examples in Hebrew, {len(blocks)} in English"
        raise ValueError(message)
    remaining = iter(blocks)
    return BLOCK.sub(lambda _: next(remaining), hebrew)


if __name__ == "__main__":
    for page in TRANSLATIONS:
        page.hebrew.write_text(with_blocks(*page.texts), encoding="utf-8")
