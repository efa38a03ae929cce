"""Split a text into whole sentences while it is being written.

The sentences do not depend on how the text is cut into parts, and joined they are the text:

>>> splitter = SentenceSplitter()
>>> splitter.feed("זה עולה 3.5 שקלים. פתוח")
['זה עולה 3.5 שקלים.']
>>> splitter.feed(" עד 12:30! תודה")
[' פתוח עד 12:30!']
>>> splitter.flush()
[' תודה']
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["SentenceSplitter", "keep_whole_words", "split_sentences"]

_END_MARKS: Final = ".!?…。！？؟׃"
_CLOSING_MARKS: Final = "\"'”’״׳»)]}*_~`"
_END: Final = re.compile(rf"\n|([{_END_MARKS}]+)[{re.escape(_CLOSING_MARKS)}]*(?=\s)")
"""Where a sentence may end: marks and closing marks, before a space that has been received."""

_WHOLE: Final = re.compile(rf"(?:[{_END_MARKS}]|\n)[{re.escape(_CLOSING_MARKS)}]*\s*\Z")
"""The end of a sentence at the end of a text that does not continue."""

_OPEN_NUMBER: Final = re.compile(r"\d\.\Z")
"""A number that may have been cut after its decimal point."""

_ORDINAL: Final = re.compile(r"\s*(?:[-*+•>#]+\s+)*[*_]*\d{1,3}\.")
"""The start of a list item: ``1.``."""

_ABBREVIATION: Final = re.compile(
    r"(?:^|(?<=[\s(\"'\[*_]))"
    r"(?:[^\W\d_]|(?:[^\W\d_]\.)+[^\W\d_]|[A-Z][a-z]|Mrs|vs|approx|פרופ|עמ|טל|מס|אינג)\.\Z"
)
"""An abbreviation with its full stop: an initial, ``ב.מ.``, ``e.g.``, ``Dr.``, ``פרופ.``."""
_MAX_ABBREVIATION: Final = 12


class SentenceSplitter:
    """Splits a text that arrives in parts.

    A sentence ends after its end marks and closing marks; the space after them starts the next sentence,
    so that the sentences joined are the text. A line break ends a sentence too. A full stop inside a
    number, an address or an abbreviation does not.
    """

    __slots__ = ("_scanned", "_text")

    def __init__(self) -> None:
        self._text = ""
        self._scanned = 0

    def feed(self, text: str) -> list[str]:
        """Add text; return the sentences that are now complete."""
        self._text += text
        sentences = []
        while (end := self._find_end()) is not None:
            sentences.append(self._text[:end])
            self._text, self._scanned = self._text[end:], 0
        return sentences

    def flush(self) -> list[str]:
        """Return the rest of the text as the last sentence; [] if it is blank."""
        text, self._text, self._scanned = self._text, "", 0
        return [text] if text.strip() else []

    def _find_end(self) -> int | None:
        """Return where the first sentence ends; None if that is not known yet."""
        for match in _END.finditer(self._text, self._scanned):
            if self._is_end(match):
                return match.end()
        # Scan marks at the very end again when the text after them has arrived.
        self._scanned = len(self._text.rstrip(_CLOSING_MARKS).rstrip(_END_MARKS))
        return None

    def _is_end(self, match: re.Match[str]) -> bool:
        if not self._text[: match.end()].strip():
            return False  # a blank line before a sentence
        if match.group(1) != ".":
            return True
        upto = self._text[: match.end(1)]
        return not _ABBREVIATION.search(upto[-_MAX_ABBREVIATION:]) and not _ORDINAL.fullmatch(upto)


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a whole text; joined, they are the text without blank text at its end."""
    splitter = SentenceSplitter()
    return [*splitter.feed(text), *splitter.flush()]


def keep_whole_words(sentence: str, *, is_first: bool) -> str:
    """Return what can be spoken of the last sentence of a text that was cut; "" for nothing.

    A sentence without its end may mean something else, and the end of its last word may be missing, which
    makes another number of a number. So only a whole sentence counts, unless there is no other one: then
    all but the last word.

    Args:
        sentence: the last sentence of the text.
        is_first: whether the text has no other sentence.

    >>> keep_whole_words(" מאה ועש", is_first=False)
    ''
    >>> keep_whole_words("זה עולה מאה ועש", is_first=True)
    'זה עולה מאה'
    """
    if _WHOLE.search(sentence) and not _OPEN_NUMBER.search(sentence):
        return sentence
    if not is_first:
        return ""
    if not sentence or sentence[-1].isspace():
        return sentence.rstrip()
    words, *last = sentence.rsplit(maxsplit=1)
    return words if last else ""
