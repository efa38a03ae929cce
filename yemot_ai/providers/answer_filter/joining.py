"""Join the parts of an answer between which something was removed.

>>> answer = JoinedText()
>>> answer.add("פתוח"); answer.note_block(); answer.add("עד שבע"); answer.take()
'פתוח עד שבע'
"""

from __future__ import annotations

from typing import Final

__all__ = ["JoinedText"]

_LINE: Final = 80
"""Signs of a line that are kept; white space alone is never longer."""


class JoinedText:
    """The answer so far.

    Attributes:
        last: its last sign; empty at its beginning.
        line: its last line, or the end of a long one.
        gap: what was removed since: ``block``, ``token``, or nothing.
    """

    def __init__(self) -> None:
        self.last = ""
        self.line = ""
        self.gap = ""
        self._parts: list[str] = []

    def note_block(self) -> None:
        """Note that a block was removed: it stood between words, so a space is left."""
        self.gap = "block"

    def note_token(self) -> None:
        """Note that a token was removed: it may have stood within a sentence."""
        self.gap = self.gap or "token"

    def add(self, text: str) -> None:
        """Add text, without white space where something was removed."""
        if self.gap or not self.last:
            text = text.lstrip() if not self.last or self.last.isspace() else text
            if not text:
                return
            text = self._space_before(text) + text
            self.gap = ""
        if text:
            self._parts.append(text)
            self.last = text[-1]
            _, newline, line = text.rpartition("\n")
            self.line = line if newline else (self.line + line)[-_LINE:]

    def take(self) -> str:
        """Return what was added since the last time."""
        text = "".join(self._parts)
        self._parts.clear()
        return text

    def drop(self) -> None:
        """Begin again: what was not taken is no answer."""
        self._parts.clear()
        self.last = self.line = ""

    def _space_before(self, text: str) -> str:
        """Return the space between the last sign and ``text``, if words would touch there."""
        before, after = self.last, text[0]
        if not before or before.isspace() or after.isspace():
            return ""
        return " " if self.gap == "block" or (before.isalnum() and after.isalnum()) else ""
