"""How long one answer may be: a longer one is cut, and the model is stopped.

A model that repeats itself never stops: without limits its answer would fill the memory and the store of
all calls, and its caller would never hear the end.

>>> AnswerLimits(characters=16).cut("אחת. שתיים. שלוש.")
('אחת. שתיים. שלוש', 'more than 16 characters')
>>> AnswerLimits(sentences=2).cut("אחת. שתיים. שלוש.")
('אחת. שתיים.', 'more than 2 sentences')
>>> AnswerLimits().cut("אחת. שתיים. שלוש.")
('אחת. שתיים. שלוש.', '')
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from yemot_ai._turns.sentences import split_sentences
from yemot_ai._turns.stream import AnswerStream
from yemot_ai.errors import AnswerCutError
from yemot_ai.providers.provider import Reply
from yemot_ai.validation import check_number

__all__ = ["AnswerLimits", "LimitedFeed"]


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """The most of one answer of a model; what is beyond is not read, and the caller hears that it was cut.

    The defaults are far above an honest answer: 6,000 characters take about seven minutes to speak, and
    200 sentences of them have 30 characters each.

    >>> AnswerLimits(characters=2_000)
    AnswerLimits(characters=2000, sentences=200)

    Args:
        characters: of the answer, without thoughts.
        sentences: a line is a sentence, too.

    Raises:
        ConfigurationError: a limit is not a positive whole number.
    """

    characters: int = 6_000
    sentences: int = 200

    def __post_init__(self) -> None:
        for limit in fields(self):
            name = f"AnswerLimits.{limit.name}"
            check_number(name, getattr(self, limit.name), "a whole number above 0", whole=True)

    def cut(self, text: str) -> tuple[str, str]:
        """Return as much of an answer as is allowed, and why the rest is not; "" if there is no rest."""
        if len(text) <= min(self.characters, self.sentences):
            return text, ""
        sentences = split_sentences(text[: self.characters])
        if len(sentences) > self.sentences:
            return "".join(sentences[: self.sentences]), self.excess("sentences")
        has_rest = len(text.rstrip()) > self.characters
        return (text[: self.characters], self.excess("characters")) if has_rest else (text, "")

    def cut_reply(self, reply: Reply) -> Reply:
        """Return a reply whose text is within the limits; ``cut`` says whether it was longer."""
        text, excess = self.cut(reply.text)
        return replace(reply, text=text, cut=reply.cut or excess) if excess else reply

    def excess(self, limit: str) -> str:
        """Return why an answer was cut.

        Args:
            limit: the name of a limit.
        """
        return f"more than {getattr(self, limit)} {limit}"


class LimitedFeed:
    """Feeds a stream with one answer, up to its limits.

    Args:
        limits: the limits.
        stream: takes the text.
        provider: for the error.
    """

    def __init__(self, limits: AnswerLimits, stream: AnswerStream, *, provider: str) -> None:
        self._limits = limits
        self._stream = stream
        self._provider = provider
        self._left = limits.characters

    def feed(self, text: str) -> None:
        """Add text of the model.

        Raises:
            AnswerCutError: the answer is longer than a limit; what can be spoken of it is in the stream.
        """
        self._stream.feed(text[: self._left])
        self._left -= len(text)
        if len(self._stream.pieces) > self._limits.sentences:
            self._stream.keep(self._limits.sentences)
            raise self._cut("sentences")
        if self._left < 0:
            raise self._cut("characters")

    def _cut(self, limit: str) -> AnswerCutError:
        self._stream.finish_cut("")
        text = "".join(self._stream.pieces)
        return AnswerCutError(reason=self._limits.excess(limit), text=text, provider=self._provider)
