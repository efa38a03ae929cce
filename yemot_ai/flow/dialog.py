"""Dialog settings: an agent's sentences, keys and times."""

from __future__ import annotations

import enum
import functools
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from yemot_ai.errors import ConfigurationError
from yemot_ai.flow.speech.pronunciation import Rewriter, make_rewriter
from yemot_ai.protocol import Comment, File, Message, speakable

__all__ = ["MAX_DEAD_AIR", "POLL_SECONDS", "DialogSettings", "KeyAction"]

MAX_DEAD_AIR = 3.0
"""Seconds of silence after which callers assume that the line is dead."""

POLL_SECONDS = 1
"""Seconds that the line waits in a poll before it asks again (field 5 of a tap read)."""

_KEYS: Final = re.compile(r"[0-9*#]+")


class KeyAction(enum.Enum):
    """What a key does when the caller presses it instead of speaking."""

    LEAVE = "leave"
    REPEAT = "repeat"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class DialogSettings:
    """Sentences (in Hebrew, for callers), keys and times; change what you need.

    Attributes:
        filler: played while the model works: a text, ``File("…")``, or None for silence.
        not_heard: after silence.
        too_many_silences: after ``max_silences`` silences in a row, before leaving.
        apology: when there is no answer; the agent then listens again.
        answer_cut_off: when an answer breaks off or was cut; the agent then listens again.
        request_refused: when the model's service refuses the caller's words; the agent then listens again.
        internal_error: when a handler fails.
        unknown_extension: when the line enters an extension that has no handler.
        no_call_id: when the line sends neither ``ApiCallId`` nor ``ApiYFCallId``.
        goodbye: when the caller leaves.
        limit_reached: when the call or the caller has reached one of ``Limits``.
        call_too_long: when a request is larger than the ``RequestLimits``; then the call ends.
        access_denied: when ``AccessPolicy`` refuses the caller.
        store_unavailable: when the store cannot be reached; the line then tries again.
        max_silences: number of silences in a row that ends a visit.
        keys: what single keys do; other keys are passed on as the utterance.
        exit_words: utterances that leave.
        answer_wait: seconds that the first request of a turn is held for its answer.
        poll_wait: seconds that each further request is held. Together with the poll's own
            wait of ``POLL_SECONDS`` it is the silence between two fillers.
        pronounce: what to say for a word or several words, in all that is spoken: ``{"AI": "איי איי"}``.
            Whole words only; Hebrew letters before a word (``בAI``, ``ה-AI``) stay.
        speech: a function that gets each sentence with these words replaced, and returns what to speak. It is
            called in the thread or loop of a request, may be called again for the same sentence, and has to
            return the same then. If it raises, the sentence is spoken without it.
    """

    filler: str | File | None = "רק רגע"
    not_heard: str = "לא שמעתי, אפשר לחזור?"
    too_many_silences: str = "לא שמעתי אותך, להתראות"
    apology: str = "סליחה, לא הצלחתי לענות, אפשר לנסות שוב"
    answer_cut_off: str = "סליחה, התשובה נקטעה, אפשר לשאול שוב"
    request_refused: str = "סליחה, על זה אי אפשר לענות, אפשר לשאול משהו אחר"
    internal_error: str = "סליחה, אירעה תקלה"
    unknown_extension: str = "השלוחה אינה קיימת"
    no_call_id: str = "סליחה, המערכת אינה מוגדרת כראוי"
    goodbye: str = "להתראות"
    limit_reached: str = "הגענו לסוף הזמן שלנו, תודה ולהתראות"
    call_too_long: str = "השיחה התארכה מדי, אפשר להתקשר שוב, להתראות"
    access_denied: str = "אין אפשרות להשתמש בשירות הזה"
    store_unavailable: str = "סליחה, יש תקלה זמנית, אנא המתינו"
    max_silences: int = 3
    keys: Mapping[str, KeyAction] = field(
        default_factory=lambda: MappingProxyType(
            {"9": KeyAction.LEAVE, "*": KeyAction.REPEAT, "0": KeyAction.RESTART}
        )
    )
    exit_words: frozenset[str] = frozenset({"להתראות", "ביי"})
    answer_wait: float = 2.0
    poll_wait: float = MAX_DEAD_AIR - POLL_SECONDS
    pronounce: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    speech: Callable[[str], str] | None = None
    _rewriter: Rewriter | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in (
            "not_heard",
            "too_many_silences",
            "apology",
            "answer_cut_off",
            "request_refused",
            "internal_error",
            "unknown_extension",
            "no_call_id",
            "goodbye",
            "limit_reached",
            "call_too_long",
            "access_denied",
            "store_unavailable",
        ):
            _check_speakable(name, getattr(self, name))
        if self.filler is not None and not isinstance(self.filler, File):
            _check_speakable("filler", self.filler)
        _check_silences(self.max_silences)
        for name in ("answer_wait", "poll_wait"):
            _check_seconds(name, getattr(self, name))
        _check_keys(self.keys)
        if isinstance(self.exit_words, str):
            raise ConfigurationError(f"exit_words={self.exit_words!r}: give a set, such as {{'ביי'}}")
        object.__setattr__(self, "_rewriter", make_rewriter(self.pronounce, self.speech))

    @property
    def filler_messages(self) -> tuple[Message, ...]:
        """The messages of a poll; a read needs a message, so silence is a comment [OFF noop]."""
        return _filler_messages(self.filler, self._rewriter)

    def rewrite(self, text: str) -> str:
        """Return ``text`` after ``pronounce`` and ``speech``; it may still have to be made speakable."""
        return text if self._rewriter is None else self._rewriter(text)

    def to_messages(self, text: str) -> tuple[Message, ...]:
        """Return the messages that speak ``text``; none if it has nothing that can be spoken."""
        return _speak(text, self._rewriter)

    def is_exit(self, utterance: str) -> bool:
        """Return whether the caller said goodbye."""
        return _normalize_words(utterance) in self.exit_words


@functools.lru_cache(maxsize=256)
def _filler_messages(filler: str | File | None, rewriter: Rewriter | None) -> tuple[Message, ...]:
    if filler is None:
        return (Comment("wait"),)
    if isinstance(filler, File):
        return (filler,)
    return _speak(filler, rewriter)


def _speak(text: str, rewriter: Rewriter | None) -> tuple[Message, ...]:
    """Return the messages of a sentence of the dialog, without the rewriter if that leaves nothing to speak.

    A read needs a message: a caller must not be dropped because ``speech`` empties the apology.
    """
    rewritten = speakable(text if rewriter is None else rewriter(text))
    return tuple(rewritten or speakable(text))


def _check_silences(count: object) -> None:
    if not isinstance(count, int) or count < 1:
        raise ConfigurationError(f"max_silences={count!r}: at least 1")


def _check_seconds(name: str, seconds: object) -> None:
    if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise ConfigurationError(f"{name}={seconds!r}: give seconds, 0 or more")


def _check_keys(keys: object) -> None:
    if not isinstance(keys, Mapping):
        raise ConfigurationError(f"keys={keys!r}: give a mapping, such as {{'9': KeyAction.LEAVE}}")
    for key, action in keys.items():
        if not isinstance(key, str) or not _KEYS.fullmatch(key) or not isinstance(action, KeyAction):
            raise ConfigurationError(
                f"keys={{{key!r}: {action!r}}}: give a key of the phone and a KeyAction, "
                "such as {'9': KeyAction.LEAVE}"
            )


def _check_speakable(name: str, text: object) -> None:
    if not isinstance(text, str):
        raise ConfigurationError(f"{name}={text!r}: give a text")
    if not speakable(text):
        raise ConfigurationError(
            f"{name}={text!r} has nothing that can be spoken (use filler=None for silence)"
        )


def _normalize_words(utterance: str) -> str:
    words = "".join(c if unicodedata.category(c)[0] in "LN" else " " for c in utterance)
    return " ".join(words.split())
