"""A developer's pronunciation: a table of words and a function, applied to each sentence before it is spoken.

>>> rewrite = make_rewriter({"AI": "איי איי", "צה״ל": "צבא הגנה לישראל"}, None)
>>> rewrite('השירות של צה"ל עובד בAI. נכון?')
'השירות של צבא הגנה לישראל עובד באיי איי. נכון?'
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from yemot_ai._turns.sentences import split_sentences
from yemot_ai.errors import ConfigurationError
from yemot_ai.errors.unexpected import UNEXPECTED, log_without_message

__all__ = ["Rewriter", "make_rewriter"]

log = logging.getLogger("yemot_ai")

Rewriter: TypeAlias = Callable[[str], str]
"""Takes a text of the model or the developer, and returns it as it is to be spoken."""

_QUOTES: Final = "\"'״׳”“„’‘"
_QUOTE: Final = re.compile(f"[{_QUOTES}]")
_ACRONYM: Final = re.compile('[א-ת]+"[א-ת]')
_SPACES: Final = re.compile(r"\s+")
_HEBREW: Final = re.compile("[א-ת]")
_PREFIX: Final = "[ושהכלבמ]{1,4}"
"""Letters that Hebrew writes before a word without a space: and, that, the, as, to, in, from."""

_NIQQUD: Final = "\u0591-\u05bd\u05bf-\u05c7"
_START: Final = rf"(?<![\w{_NIQQUD}])(?<![א-ת][{_QUOTES}])"
_END: Final = rf"(?![\w{_NIQQUD}]|[{_QUOTES}][א-ת])"
_NUMBER_START: Final = r"(?<![0-9][.,:/])"
_NUMBER_END: Final = r"(?![.,:/][0-9])"


def make_rewriter(pronounce: Mapping[str, str], speech: Rewriter | None) -> Rewriter | None:
    """Return the function that applies both to a text, sentence by sentence.

    A sentence at a time, so that a text is spoken the same whether it is spoken whole or while it is written.

    Args:
        pronounce: what to say for a word or several words.
        speech: takes a sentence in which they are replaced; what it returns is spoken.

    Returns:
        The function; None if there is nothing to apply.

    Raises:
        ConfigurationError: ``pronounce`` is no mapping, a word is empty, a value is not a text, or
            ``speech`` is not a plain function.
    """
    _check(pronounce, speech)
    if not pronounce and speech is None:
        return None
    replace_words = _word_replacer(pronounce)

    def rewrite(text: str) -> str:
        return "".join(
            _rewrite_sentence(sentence, replace_words, speech) for sentence in split_sentences(text)
        )

    return rewrite


def _check(pronounce: Mapping[str, str], speech: Rewriter | None) -> None:
    given: object = pronounce
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"pronounce={given!r}: give a mapping from words to what to say for them")
    for word, spoken in pronounce.items():
        if not all(isinstance(text, str) for text in (word, spoken)) or not word.strip():
            raise ConfigurationError(f"pronounce={{{word!r}: {spoken!r}}}: give a word, and a text for it")
    call = getattr(speech, "__call__", None)  # noqa: B004 - its kind is asked
    is_async = inspect.iscoroutinefunction(speech) or inspect.iscoroutinefunction(call)
    if speech is not None and (is_async or not callable(speech)):
        raise ConfigurationError(f"speech={speech!r}: give a plain function from a text to a text")


def _rewrite_sentence(sentence: str, replace_words: Rewriter, speech: Rewriter | None) -> str:
    """Rewrite a sentence; the white space around it is kept, so that sentences stay apart."""
    words = sentence.strip()
    start = sentence.index(words)
    before, after = sentence[:start], sentence[start + len(words) :]
    spoken = replace_words(words)
    return before + (_call(speech, spoken) if speech is not None and spoken else spoken) + after


def _call(speech: Rewriter, text: str) -> str:
    """Return what a developer's function makes of ``text``; ``text`` if it fails."""
    try:
        spoken: object = speech(text)
    except UNEXPECTED as error:  # foreign code: the caller hears the text without it
        log_without_message(
            error, f"DialogSettings.speech raised; the text is spoken without it ({_name(speech)})"
        )
        return text
    if isinstance(spoken, str):
        return spoken
    log.error(
        "DialogSettings.speech returned %s instead of a text; the text is spoken without it (%s)",
        type(spoken).__name__,
        _name(speech),
    )
    return text


def _name(speech: Rewriter) -> str:
    """Return the module and the name of a function or of an object that is called."""
    named = speech if hasattr(speech, "__qualname__") else type(speech)
    return f"{named.__module__}.{named.__qualname__}"


def _word_replacer(pronounce: Mapping[str, str]) -> Rewriter:
    spoken = {_normalized(word): text for word, text in pronounce.items()}
    if not spoken:
        return lambda text: text
    words = sorted(spoken, key=len, reverse=True)  # the longest that fits counts
    hebrew = [word for word in words if _HEBREW.match(word) and not _ACRONYM.fullmatch(word)]
    other = [word for word in words if word not in hebrew]
    # Before a Hebrew word a prefix without a hyphen could be a part of another word: שבת is not ש and בת.
    # An acronym such as עו"ד is not a part of one.
    kinds = [
        rf"(?P<{name}_prefix>(?:{_PREFIX}{hyphen})?)(?P<{name}>{_alternatives(of_kind)})"
        for name, hyphen, of_kind in (("hebrew", "[-־]", hebrew), ("other", "[-־]?", other))
        if of_kind
    ]
    pattern = re.compile(f"{_START}(?:{'|'.join(kinds)}){_END}")

    def replacement(match: re.Match[str]) -> str:
        name = match.lastgroup or ""
        return match[f"{name}_prefix"] + spoken[_normalized(match[name])]

    return lambda text: pattern.sub(replacement, text)


def _alternatives(words: Iterable[str]) -> str:
    return "|".join(map(_word_pattern, words))


def _word_pattern(word: str) -> str:
    """Return the pattern of a word: any quotation mark for a quotation mark, any white space for a space."""
    pattern = "".join(
        f"[{_QUOTES}]" if character == '"' else r"\s+" if character == " " else re.escape(character)
        for character in word
    )
    before = _NUMBER_START if word[0].isdigit() else ""
    return before + pattern + (_NUMBER_END if word[-1].isdigit() else "")


def _normalized(word: str) -> str:
    return _SPACES.sub(" ", _QUOTE.sub('"', word.strip()))
