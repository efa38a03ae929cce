"""Keep what was said out of the texts of errors: services quote the request that they refuse.

>>> without_words("Invalid input: 'my code is 4711, please'. Try again.", ["My code is 4711, please"])
"Invalid input: '…'. Try again."
>>> without_words("Invalid value: '4711'", ["4711"])
"Invalid value: '…'"
>>> without_words("no such path: /v1/my%20code%20is%204711", ["My code is 4711"])
'no such path: /v1/…'
>>> without_words("'banana' is not allowed", ["my code is banana"])
"'…' is not allowed"
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from yemot_ai.errors import ProviderError, ProviderTimeoutError

__all__ = ["hide_words", "without_words"]

MIN_LENGTH: Final = 7
"""Letters and digits in a row; a text that shares fewer with the request does not quote it."""

MIN_WORD: Final = 2
"""Characters; a shorter prompt says nothing."""

MIN_DIGITS: Final = 4
"""A shorter number may be a status."""

_HIDDEN: Final = "\0"
_WORD: Final = re.compile(r"\w{2,}")
_QUOTES: Final = frozenset({"''", '""', "``", "\u2018\u2019", "\u201c\u201d", "«»"})
_ESCAPED: Final = re.compile(
    r"(?P<bytes>(?:\\{1,8}x[0-9A-Fa-f]{2})+|(?:%(?:25)*[0-9A-Fa-f]{2})+)"
    r"|\\{1,8}u(?:(?P<unicode>[0-9A-Fa-f]{4})|\{(?P<code>[0-9A-Fa-f]{1,6})\})"
    r"|&\#(?:x(?P<entity>[0-9A-Fa-f]{1,6})|(?P<decimal>[0-9]{1,7}));"
)
"""Bytes in a repr or an address, also encoded twice; escapes of JSON and the like; entities of HTML."""


def hide_words(error: ProviderError, words: Iterable[str]) -> None:
    """Remove from the texts of an error what they quote of a request.

    Args:
        error: the error; its message, its notes and the output of its process are changed. A timeout quotes
            nothing.
        words: the texts of the request.
    """
    if isinstance(error, ProviderTimeoutError):
        return
    said = tuple(words)
    message = str(error)
    hidden = without_words(message, said)
    if hidden != message:
        error.args = (hidden,)
    if error.stderr_tail:
        error.stderr_tail = without_words(error.stderr_tail, said)
    if notes := getattr(error, "__notes__", None):
        notes[:] = [without_words(note, said) for note in notes]


def without_words(text: str, words: Iterable[str]) -> str:
    """Return ``text`` with "…" for each part that ``words`` have, whatever its case and separators."""
    decoded, starts = _decode(text)
    signs = list(text)
    for first, last in _quoted(decoded.lower(), [word.strip().lower() for word in words]):
        signs[starts[first] : starts[last]] = _HIDDEN * (starts[last] - starts[first])
    return re.sub(f"{_HIDDEN}+", "…", "".join(signs))


def _decode(text: str) -> tuple[str, Sequence[int]]:
    """Return ``text`` without escapes, and where in ``text`` each character of it, and its end, was."""
    decoded: list[str] = []
    starts: list[int] = []
    end = 0
    for match in _ESCAPED.finditer(text):
        plain = _plain(match)
        decoded += text[end : match.start()], plain
        starts += [*range(end, match.start()), *([match.start()] * len(plain))]
        end = match.end()
    return "".join([*decoded, text[end:]]), [*starts, *range(end, len(text) + 1)]


def _plain(match: re.Match[str]) -> str:
    """Return the characters for which one match of ``_ESCAPED`` stands."""
    if match["bytes"]:
        pairs = re.sub(r"\\+x|%(?:25)*", "", match["bytes"])
        return bytes.fromhex(pairs).decode(errors="replace")
    hexadecimal = match["unicode"] or match["code"] or match["entity"]
    number = int(hexadecimal, 16) if hexadecimal else int(match["decimal"])
    return chr(number) if number <= sys.maxunicode else " "


def _quoted(text: str, words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the places in ``text`` that quote ``words``; both are in lower case."""
    letters, places = _letters(text)
    said = {_letters(spelling)[0] for word in words for spelling in _spellings(word)}
    parts = {one[at : at + MIN_LENGTH] for one in said for at in range(len(one) - MIN_LENGTH + 1)}
    for at in range(len(letters) - MIN_LENGTH + 1):
        if letters[at : at + MIN_LENGTH] in parts:
            yield places[at], places[at + MIN_LENGTH - 1] + 1
    for word in words:
        if MIN_WORD <= len(word) <= MIN_LENGTH:
            for found in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text):
                yield found.span()
    tokens = {token for word in words for token in _WORD.findall(word)}
    yield from (found.span() for found in _WORD.finditer(text) if found[0] in tokens and _tells(found))


def _letters(text: str) -> tuple[str, Sequence[int]]:
    """Return the letters and digits of ``text``, and where they are."""
    places = [at for at, sign in enumerate(text) if sign.isalnum()]
    return "".join(text[at] for at in places), places


def _spellings(word: str) -> Iterator[str]:
    """Yield a text as it is, and as bytes are written."""
    data = word.encode(errors="replace")
    yield word
    yield data.hex()
    yield base64.b64encode(data).decode().lower()


def _tells(word: re.Match[str]) -> bool:
    """Return whether one word that was said tells something: it is not English, a number, or in quotes."""
    around = word.string[word.start() - 1 : word.start()] + word.string[word.end() : word.end() + 1]
    return not word[0].isascii() or (word[0].isdigit() and len(word[0]) >= MIN_DIGITS) or around in _QUOTES
