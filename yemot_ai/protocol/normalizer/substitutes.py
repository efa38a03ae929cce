"""What ``speakable`` makes of the characters that a text must not have, for servers in other languages.

>>> SUBSTITUTES["="], SUBSTITUTES['"']
('שווה', '')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["SUBSTITUTES", "describe_substitutes"]

SUBSTITUTES: Final[Mapping[str, str]] = {
    ".": ",",
    "-": " ",
    "&": "ו",
    "=": "שווה",
    "|": ",",
    '"': "",
    "'": "",
    "\n": ",",
    "\t": " ",
}
"""What is spoken for each character between two Hebrew words; empty if it is removed. A test compares."""


def describe_substitutes(characters: str) -> str:
    """Return in words what to write for each of ``characters``.

    >>> describe_substitutes("|&'")
    "write , for |, write the word ו for &, drop '"
    """
    return ", ".join(_describe(character, SUBSTITUTES[character]) for character in characters)


def _describe(character: str, substitute: str) -> str:
    name = {"\n": "a line end", "\t": "a tab"}.get(character, character)
    if not substitute:
        return f"drop {name}"
    word = "the word " if substitute.isalpha() else ""
    return f"write {word}{substitute if substitute.strip() else 'a space'} for {name}"
