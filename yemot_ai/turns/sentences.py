"""Whole sentences out of a text that is still being written.

However the text is cut into pieces on its way, the sentences are the same, and nothing is lost:

>>> writing = Sentences()
>>> writing.add("זה עולה 3.5 שקלים. פתוח")
['זה עולה 3.5 שקלים.']
>>> writing.add(" עד 12:30! תודה")
[' פתוח עד 12:30!']
>>> writing.rest()
[' תודה']
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["SentenceSplitter", "split_sentences"]

_END_MARKS: Final = ".!?…。！？؟׃"
_CLOSING_MARKS: Final = "\"'”’״׳»)]}*_~`"
_END: Final = re.compile(rf"\n|([{_END_MARKS}]+)[{re.escape(_CLOSING_MARKS)}]*(?=\s)")
"""Where a sentence may end: marks, with what closes after them, before a space that is there already."""

_ORDINAL: Final = re.compile(r"\s*(?:[-*+•>#]+\s+)*[*_]*\d{1,3}\.")
"""What begins an item of a list: ``1.``."""

_ABBREVIATION: Final = re.compile(
    r"(?:^|(?<=[\s(\"'\[*_]))"
    r"(?:[^\W\d_]|(?:[^\W\d_]\.)+[^\W\d_]|[A-Z][a-z]|Mrs|vs|approx|פרופ|עמ|טל|מס|אינג)\.\Z"
)
"""A word that its full stop only shortens: an initial, ``ב.מ.``, ``e.g.``, ``Dr.``, ``פרופ.``."""
_MAX_ABBREVIATION: Final = 12


class SentenceSplitter:
    """Cuts a text as it comes in.

    A sentence ends with its marks and what closes after them, and the next one begins with the space
    between: joined, they are the text. Lines end sentences too. A full stop inside a number, an address
    or an abbreviation ends none.
    """

    __slots__ = ("_scanned", "_text")

    def __init__(self) -> None:
        self._text = ""
        self._scanned = 0

    def feed(self, text: str) -> list[str]:
        """Take what was written next; return the sentences that are whole by now."""
        self._text += text
        found = []
        while (end := self._find_end()) is not None:
            found.append(self._text[:end])
            self._text, self._scanned = self._text[end:], 0
        return found

    def flush(self) -> list[str]:
        """Return what is left when nothing more comes: a last sentence, or nothing but space."""
        text, self._text, self._scanned = self._text, "", 0
        return [text] if text.strip() else []

    def _find_end(self) -> int | None:
        """Return where the first sentence ends; None where that cannot be told yet."""
        for found in _END.finditer(self._text, self._scanned):
            if self._is_end(found):
                return found.end()
        # Marks at the very end are looked at again when what follows them is there.
        self._scanned = len(self._text.rstrip(_CLOSING_MARKS).rstrip(_END_MARKS))
        return None

    def _is_end(self, found: re.Match[str]) -> bool:
        if not self._text[: found.end()].strip():
            return False  # an empty line, before a sentence
        if found.group(1) != ".":
            return True
        upto = self._text[: found.end(1)]
        return not _ABBREVIATION.search(upto[-_MAX_ABBREVIATION:]) and not _ORDINAL.fullmatch(upto)


def split_sentences(text: str) -> list[str]:
    """Cut a whole text; joined, the sentences are the text, but for space at its end."""
    writing = SentenceSplitter()
    return [*writing.feed(text), *writing.flush()]
