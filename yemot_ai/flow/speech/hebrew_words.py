"""Numbers as Hebrew words, in the gender of what they count; needs the extra ``hebrew``.

``HebrewWords()("יש 3 ספרים, פתוח עד 12:30")`` is ``יש שלושה ספרים, פתוח עד שתים עשרה וחצי בצהריים``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from yemot_ai.errors import MissingExtraError
from yemot_ai.protocol import Digits, Message, Text, speakable

if TYPE_CHECKING:
    from heb_tts_normalizer import Config

__all__ = ["HebrewWords"]

_HEBREW: Final = re.compile("[א-ת]")

_SPLIT_PREFIX: Final = re.compile(r"(?<!\w)([ושהכלבמ]) (?=[0-9])")
"""A prefix that was written with a hyphen before a number: ``ב 5`` of ``ב-5``."""

_NUMBER_LETTER: Final = re.compile(r"(?<=[0-9])(?=[א-תA-Za-z])")
"""Between a number and a letter: the library would join them to one word."""

_ARTICLE: Final = re.compile(r"(?<!\w)([בכל])ה(?=ראשון )")
"""A first of a month after a prefix, which replaces the article."""


class HebrewWords:
    """A function for ``DialogSettings(speech=…)``: numbers, times and dates become Hebrew words.

    heb-tts-normalizer finds the words. The text is made speakable before, because that library leaves out
    the numbers of lists and reads codes as quantities: ``Digits`` stay digits. A sentence in another language
    stays as it is.

    Args:
        config: the library's settings, such as ``Config(clock="24")``; unless given, units, abbreviations and
            Markdown are left to ``speakable``.

    Raises:
        MissingExtraError: the library is not installed.
    """

    def __init__(self, config: Config | None = None) -> None:
        try:
            import heb_tts_normalizer  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingExtraError(package="heb-tts-normalizer", extra="hebrew") from error
        self._normalize = heb_tts_normalizer.normalize
        self._config = config or heb_tts_normalizer.Config(
            expand_units=False, expand_abbreviations=False, strip_markdown=False
        )

    def __call__(self, sentence: str) -> str:
        """Return the sentence with words for numbers."""
        messages: list[Message] = [*speakable(sentence)]
        if not any(_HEBREW.search(str(message)) for message in messages):
            return sentence
        end = "." if sentence.endswith((".", "…")) else ""  # speakable leaves it out at the end of a message
        return " ".join(map(self._words, messages)) + end

    def _words(self, message: Message) -> str:
        match message:
            case Text(text=text):
                text = _NUMBER_LETTER.sub(" ", _SPLIT_PREFIX.sub(r"\1-", text))
                return _ARTICLE.sub(r"\1", self._normalize(text, self._config))
            case Digits(value=digits):
                return digits
        raise AssertionError(message)
