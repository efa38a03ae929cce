"""Remove the ``<think>`` block that open models write before their answer.

>>> think_tags = ThinkTagFilter()
>>> [think_tags.feed(piece) for piece in ("<thi", "nk>hm", "</think>", " כן", ", בשמונה")]
['', '', '', 'כן', ', בשמונה']
"""

from __future__ import annotations

from typing import Final

__all__ = ["ThinkTagFilter"]

_BEGIN: Final = "<think>"
_END: Final = "</think>"


class ThinkTagFilter:
    """Filter a text piece by piece; a text that ends inside the block is empty."""

    def __init__(self) -> None:
        self._state = self._before
        self._buffer = ""
        """Text that may be the start of a tag."""

    def feed(self, text: str) -> str:
        """Return the part of the next piece that belongs to the answer."""
        return self._state(text)

    def _before(self, text: str) -> str:
        self._buffer = (self._buffer + text).lstrip()
        if self._buffer.startswith(_BEGIN):
            self._state, self._buffer, rest = self._inside, "", self._buffer.removeprefix(_BEGIN)
            return self._inside(rest)
        return "" if _BEGIN.startswith(self._buffer) else self._answering(self._buffer)

    def _inside(self, text: str) -> str:
        _, ended, after = (self._buffer + text).partition(_END)
        if ended:
            return self._answering(after)
        self._buffer = (self._buffer + text)[1 - len(_END) :]
        return ""

    def _answering(self, text: str) -> str:
        """Drop the whitespace before the answer."""
        answer = text.lstrip()
        self._state = self._pass_through if answer else self._answering
        return answer

    def _pass_through(self, text: str) -> str:
        return text
