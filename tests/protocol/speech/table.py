"""Writes the table of ``docs/spoken-hebrew.md`` from the data of the tests.

Run it as ``python -m tests.protocol.speech.table``.
"""

from __future__ import annotations

from tests.docs.generated_section import Section, code, table
from tests.protocol.speech.answers import ANSWERS

__all__ = ["SECTION", "examples"]

SECTION = Section("spoken-hebrew.md", "answers", "tests.protocol.speech.table")
_PRIVATE = {"\ue200": "U+E200 ", "\ue201": " U+E201", "\ue202": " U+E202 "}


def examples() -> str:
    """Return the table: what is written, and what is heard."""
    rows = [
        (kind if number == 0 else "", code(_visible(written)), heard)
        for kind, pairs in ANSWERS.items()
        for number, (written, heard) in enumerate(pairs)
    ]
    return table(("", "written", "heard"), rows)


def _visible(written: str) -> str:
    return "".join(_PRIVATE.get(character, character) for character in written)


if __name__ == "__main__":
    SECTION.write(examples())
