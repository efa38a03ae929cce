"""Keep what was said out of the texts of errors: services quote the request that they refuse.

>>> without_words("Invalid input: 'my code is 4711, please'. Try again.", ["My code is 4711, please"])
"Invalid input: '…'. Try again."
>>> without_words("Invalid value: '4711'", ["4711"])
"Invalid value: '…'"
>>> without_words("no such path: /v1/my%20code%20is%204711", ["My code is 4711"])
'no such path: /v1/…'
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

from yemot_ai.errors import ProviderError, ProviderTimeoutError

__all__ = ["hide_words", "without_words"]

MIN_LENGTH: Final = 8
"""Characters; a text that shares fewer with the request does not quote it."""

MIN_WORD: Final = 2
"""Characters; a shorter prompt says nothing."""

_HIDDEN: Final = "\0"


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
    """Return ``text`` with "…" for each part that ``words`` have, whatever its case and its escapes."""
    signs = list(text)
    said = {spelling.lower() for word in words for spelling in _spellings(word.strip())}
    for start, end in _quoted(text.lower(), said):
        signs[start:end] = _HIDDEN * len(signs[start:end])
    return re.sub(f"{_HIDDEN}+", "…", "".join(signs))


def _spellings(word: str) -> Iterator[str]:
    """Yield a text as it is, and as JSON, addresses and HTML escape it."""
    yield word
    yield json.dumps(word)[1:-1]
    yield quote(word, errors="replace")
    yield "".join(f"&#{ord(sign)};" for sign in word)


def _quoted(text: str, words: set[str]) -> Iterator[tuple[int, int]]:
    """Yield the places in ``text`` that quote ``words``."""
    parts = {word[at : at + MIN_LENGTH] for word in words for at in range(len(word) - MIN_LENGTH + 1)}
    for at in range(len(text) - MIN_LENGTH + 1):
        if text[at : at + MIN_LENGTH] in parts:
            yield at, at + MIN_LENGTH
    for word in words:
        if MIN_WORD <= len(word) < MIN_LENGTH:
            for found in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text):
                yield found.span()
