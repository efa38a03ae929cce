"""What open models think aloud, in their text, before they answer: nothing for a caller.

>>> thoughts = Thoughts()
>>> [thoughts.without(piece) for piece in ("<thi", "nk>hm", "</think>", " כן", ", בשמונה")]
['', '', '', 'כן', ', בשמונה']
"""

from __future__ import annotations

from typing import Final

__all__ = ["ThinkTagFilter"]

_BEGIN: Final = "<think>"
_END: Final = "</think>"


class ThinkTagFilter:
    """Leaves them out, piece by piece, in one look at each; one that is cut off there has said nothing."""

    def __init__(self) -> None:
        self._state = self._beginning
        self._buffer = ""
        """What may be a part of a mark."""

    def feed(self, text: str) -> str:
        """Return what of the next piece the caller may hear."""
        return self._state(text)

    def _beginning(self, text: str) -> str:
        self._buffer = (self._buffer + text).lstrip()
        if self._buffer.startswith(_BEGIN):
            self._state, self._buffer, inside = self._thinking, "", self._buffer.removeprefix(_BEGIN)
            return self._thinking(inside)
        return "" if _BEGIN.startswith(self._buffer) else self._answering(self._buffer)

    def _thinking(self, text: str) -> str:
        _, ended, after = (self._buffer + text).partition(_END)
        if ended:
            return self._answering(after)
        self._buffer = (self._buffer + text)[1 - len(_END) :]
        return ""

    def _answering(self, text: str) -> str:
        """Begin the answer; after thoughts with its first letter."""
        begun = text.lstrip()
        self._state = self._pass_through if begun else self._answering
        return begun

    def _pass_through(self, text: str) -> str:
        return text
