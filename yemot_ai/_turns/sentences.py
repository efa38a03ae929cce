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
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

__all__ = ["SentenceSplitter", "keep_whole_words", "split_sentences"]

_END_MARKS: Final = ".!?…。！？؟׃"
_CLOSING_MARKS: Final = "\"'”’״׳»)]}*_~`"
_CLOSING: Final = re.escape(_CLOSING_MARKS)
_CHUNK: Final = re.compile(
    rf"(?P<marks>[{_END_MARKS}]+)|(?P<closing>[{_CLOSING}]+)|(?P<space>\s)|[^{_END_MARKS}{_CLOSING}\s]+"
)

_OPEN_NUMBER: Final = re.compile(r"\d\.\Z")
"""A number that may have been cut after its decimal point."""

_ORDINAL: Final = re.compile(r"(?:[-*+•>#]+\s+)*[*_]*\d{1,3}\.")
"""The start of a list item: ``1.``."""
_MAX_ORDINAL: Final = 40

_ABBREVIATION: Final = re.compile(
    r"(?:^|(?<=[\s(\"'\[*_]))"
    r"(?:[^\W\d_]|(?:[^\W\d_]\.)+[^\W\d_]|[A-Z][a-z]|Mrs|vs|approx|פרופ|עמ|טל|מס|אינג)\.\Z"
)
"""An abbreviation with its full stop: an initial, ``ב.מ.``, ``e.g.``, ``Dr.``, ``פרופ.``."""
_MAX_ABBREVIATION: Final = 12


class _Run(Enum):
    """What the last characters of an open sentence are."""

    NONE = auto()
    MARKS = auto()
    CLOSING = auto()


@dataclass(slots=True)
class _OpenSentence:
    """A sentence whose end has not been received; each chunk is read once.

    Attributes:
        chunks: its text.
        start: its first characters, without the white space before them: a list item begins with them.
        end: its last characters: an abbreviation ends with them.
        run: whether it ends with end marks, with closing marks after them, or with neither.
        is_open: whether its only end mark is the full stop of an abbreviation or of a list item.
    """

    chunks: list[str] = field(default_factory=list)
    start: str = ""
    end: str = ""
    run: _Run = _Run.NONE
    is_open: bool = False

    def add(self, chunk: str, kind: str | None) -> None:
        self.chunks.append(chunk)
        if len(self.start) <= _MAX_ORDINAL:
            self.start = (self.start + chunk).lstrip()[: _MAX_ORDINAL + 1]
        self.end = (self.end + chunk[-_MAX_ABBREVIATION:])[-_MAX_ABBREVIATION:]
        if kind == "marks":
            self.is_open = chunk == "." and self.run is not _Run.MARKS and self._ends_inside()
            self.run = _Run.MARKS
        elif kind != "closing" or self.run is _Run.NONE:
            self.run = _Run.NONE
        else:
            self.run = _Run.CLOSING

    @property
    def ends_before_space(self) -> bool:
        return self.run is not _Run.NONE and not self.is_open

    def _ends_inside(self) -> bool:
        return bool(_ABBREVIATION.search(self.end) or _ORDINAL.fullmatch(self.start))


class SentenceSplitter:
    """Splits a text that arrives in parts; the time grows linearly with the text.

    A sentence ends after its end marks and closing marks; the space after them starts the next sentence,
    so that the sentences joined are the text. A line break ends a sentence too. A full stop inside a
    number, an address or an abbreviation does not.
    """

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open = _OpenSentence()

    def feed(self, text: str) -> list[str]:
        """Add text; return the sentences that are now complete."""
        sentences = []
        for match in _CHUNK.finditer(text):
            chunk, kind = match[0], match.lastgroup
            if kind == "space" and self._open.ends_before_space:
                sentences.append(self._take())
            self._open.add(chunk, kind)
            if chunk == "\n" and self._open.start:
                sentences.append(self._take())
        return sentences

    def flush(self) -> list[str]:
        """Return the rest of the text as the last sentence; [] if it is blank."""
        has_words = bool(self._open.start)
        text = self._take()
        return [text] if has_words else []

    def _take(self) -> str:
        text, self._open = "".join(self._open.chunks), _OpenSentence()
        return text


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
    if _is_whole(sentence):
        return sentence
    if not is_first:
        return ""
    if not sentence or sentence[-1].isspace():
        return sentence.rstrip()
    words, *last = sentence.rsplit(maxsplit=1)
    return words if last else ""


def _is_whole(sentence: str) -> bool:
    """Return whether the last sentence of a text has its end."""
    text = sentence.rstrip()
    has_end = "\n" in sentence[len(text) :] or text.rstrip(_CLOSING_MARKS)[-1:] in {*_END_MARKS, "\n"}
    return has_end and not _OPEN_NUMBER.search(sentence)
