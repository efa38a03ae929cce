"""What open models think aloud, in their text, before they answer: nothing for a caller.

>>> thoughts = Thoughts()
>>> [thoughts.without(piece) for piece in ("<thi", "nk>hm", "</think>", " כן", ", בשמונה")]
['', '', '', 'כן', ', בשמונה']
"""

from __future__ import annotations

from typing import Final

__all__ = ["Thoughts"]

_BEGIN: Final = "<think>"
_END: Final = "</think>"


class Thoughts:
    """Leaves them out, piece by piece, in one look at each; one that is cut off there has said nothing."""

    def __init__(self) -> None:
        self._read = self._beginning
        self._kept = ""
        """What may be a part of a mark."""

    def without(self, text: str) -> str:
        """Return what of the next piece the caller may hear."""
        return self._read(text)

    def _beginning(self, text: str) -> str:
        self._kept = (self._kept + text).lstrip()
        if self._kept.startswith(_BEGIN):
            self._read, self._kept, inside = self._thinking, "", self._kept.removeprefix(_BEGIN)
            return self._thinking(inside)
        return "" if _BEGIN.startswith(self._kept) else self._answering(self._kept)

    def _thinking(self, text: str) -> str:
        _, ended, after = (self._kept + text).partition(_END)
        if ended:
            return self._answering(after)
        self._kept = (self._kept + text)[1 - len(_END) :]
        return ""

    def _answering(self, text: str) -> str:
        """Begin the answer; after thoughts with its first letter."""
        begun = text.lstrip()
        self._read = self._whole if begun else self._answering
        return begun

    def _whole(self, text: str) -> str:
        return text
