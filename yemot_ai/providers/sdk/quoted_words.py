"""Keep what was said out of the texts of errors: services quote the request that they refuse.

>>> without_words("Invalid input: 'my code is 4711, please'. Try again.", ["My code is 4711, please"])
"Invalid input: '…'. Try again."
>>> without_words("Invalid value: '4711'", ["4711"])
"Invalid value: '…'"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from yemot_ai.errors import ProviderCrashError, ProviderError, ProviderTimeoutError

__all__ = ["hide_words", "without_words"]

MIN_LENGTH: Final = 8
"""Characters; a text that shares fewer with the request does not quote it."""

MIN_WORD: Final = 2
"""Characters; a shorter prompt says nothing."""

_HIDDEN: Final = "\0"


def hide_words(error: ProviderError, words: Iterable[str]) -> None:
    """Remove from the message of an error what it quotes of a request.

    Args:
        error: the error; it is changed. One of a timeout or of a connection quotes nothing.
        words: the texts of the request.
    """
    if isinstance(error, ProviderTimeoutError | ProviderCrashError):
        return
    message = str(error)
    hidden = without_words(message, words)
    if hidden != message:
        error.args = (hidden,)


def without_words(text: str, words: Iterable[str]) -> str:
    """Return ``text`` with "…" for each part that ``words`` have, whatever its case."""
    signs = list(text)
    for start, end in _quoted(text.lower(), [word.lower().strip() for word in words]):
        signs[start:end] = _HIDDEN * len(signs[start:end])
    return re.sub(f"{_HIDDEN}+", "…", "".join(signs))


def _quoted(text: str, words: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the places in ``text`` that quote ``words``."""
    parts = {word[at : at + MIN_LENGTH] for word in words for at in range(len(word) - MIN_LENGTH + 1)}
    for at in range(len(text) - MIN_LENGTH + 1):
        if text[at : at + MIN_LENGTH] in parts:
            yield at, at + MIN_LENGTH
    for word in words:
        if MIN_WORD <= len(word) < MIN_LENGTH:
            for found in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text):
                yield found.span()
