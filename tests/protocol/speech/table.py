"""Writes the tables of ``docs/spoken-hebrew.md`` and its Hebrew page from the data of the tests.

Run it as ``python -m tests.protocol.speech.table``.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.docs.generated_section import Section, code, table
from tests.protocol.speech.answers import ANSWERS

__all__ = ["PAGES", "examples"]

_MODULE = "tests.protocol.speech.table"
_HEBREW = {
    "": "", "written": "כתוב", "heard": "נשמע", "abbreviations": "קיצורים", "units and money": "יחידות וכסף",
    "numbers": "מספרים", "ranges and subtraction": "טווחים וחיסור",
    "dates, times and scores": "תאריכים, שעות ותוצאות",
    "telephone numbers and codes": "טלפונים וקודים", "formulas": "נוסחאות",
    "references and links": "הפניות וקישורים", "markup": "סימוני עיצוב",
    "whole answers": "תשובות שלמות",
}  # fmt: skip
"""The words of the Hebrew page."""
PAGES = (
    (Section("spoken-hebrew.md", "answers", _MODULE), {word: word for word in _HEBREW}),
    (Section("he/spoken-hebrew.md", "answers", _MODULE), _HEBREW),
)
"""The section of each page, and its words."""
_PRIVATE = {"\ue200": "U+E200 ", "\ue201": " U+E201", "\ue202": " U+E202 "}


def examples(words: Mapping[str, str]) -> str:
    """Return the table: what is written, and what is heard; its titles in ``words``."""
    rows = [
        (words[kind] if number == 0 else "", code(_visible(written)), heard)
        for kind, pairs in ANSWERS.items()
        for number, (written, heard) in enumerate(pairs)
    ]
    return table((words[""], words["written"], words["heard"]), rows)


def _visible(written: str) -> str:
    return "".join(_PRIVATE.get(character, character) for character in written)


if __name__ == "__main__":
    for section, words in PAGES:
        section.write(examples(words))
