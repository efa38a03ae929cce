"""Manners: what an agent says and does on the line besides answering."""

from __future__ import annotations

import enum
import functools
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from yemot_ai.errors import ConfigurationError
from yemot_ai.protocol import Comment, File, Message, Text, speakable

__all__ = ["DEAD_AIR", "POLL_SECONDS", "Key", "Manners"]

DEAD_AIR = 3.0
"""Seconds of silence after which callers believe the line is dead."""

POLL_SECONDS = 1
"""How long the line itself waits in a poll before it asks us again (field 5 of a tap read)."""


class Key(enum.Enum):
    """What a key does when it is pressed instead of speaking."""

    LEAVE = "leave"
    REPEAT = "repeat"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Manners:
    """Sentences (Hebrew: a caller hears them), keys and times; change what you need.

    Attributes:
        filler: said while the model thinks: a text, ``File("…")``, or None for silence.
        not_heard: after silence.
        gave_up: after ``silences`` silences in a row, before leaving.
        apology: when there is no answer; the caller is listened to again.
        broken_off: when an answer ends in the middle; likewise.
        fault: when a handler of ours fails.
        unknown_extension: when the line enters an extension that has no handler.
        no_call_id: when the line is set up not to send ``ApiCallId``.
        goodbye: when the caller leaves.
        limit_reached: when the call or the caller has had as much as ``Limits`` allow.
        refused: to whom ``Guard`` does not admit.
        trouble: when what is remembered of calls cannot be reached; the line then tries again.
        silences: how many silences in a row end a visit.
        keys: what single keys do; other keys are passed on as what was said.
        exit_words: utterances that leave.
        hold: seconds that the first request of a turn is held for its answer.
        poll_hold: seconds that each further request is held. Together with the poll's own
            wait of ``POLL_SECONDS`` it is the silence between two fillers.
    """

    filler: str | File | None = "רק רגע"
    not_heard: str = "לא שמעתי, אפשר לחזור?"
    gave_up: str = "לא שמעתי אותך, להתראות"
    apology: str = "סליחה, לא הצלחתי לענות, אפשר לנסות שוב"
    broken_off: str = "סליחה, התשובה נקטעה, אפשר לשאול שוב"
    fault: str = "סליחה, אירעה תקלה"
    unknown_extension: str = "השלוחה אינה קיימת"
    no_call_id: str = "סליחה, המערכת אינה מוגדרת כראוי"
    goodbye: str = "להתראות"
    limit_reached: str = "הגענו לסוף הזמן שלנו, תודה ולהתראות"
    refused: str = "אין אפשרות להשתמש בשירות הזה"
    trouble: str = "סליחה, יש תקלה זמנית, אנא המתינו"
    silences: int = 3
    keys: Mapping[str, Key] = field(
        default_factory=lambda: MappingProxyType({"9": Key.LEAVE, "*": Key.REPEAT, "0": Key.RESTART})
    )
    exit_words: frozenset[str] = frozenset({"להתראות", "ביי"})
    hold: float = 2.0
    poll_hold: float = DEAD_AIR - POLL_SECONDS

    def __post_init__(self) -> None:
        for name in (
            "not_heard",
            "gave_up",
            "apology",
            "broken_off",
            "fault",
            "unknown_extension",
            "no_call_id",
            "goodbye",
            "limit_reached",
            "refused",
            "trouble",
        ):
            _check_speakable(name, getattr(self, name))
        if isinstance(self.filler, str):
            _check_speakable("filler", self.filler)
        if self.silences < 1:
            raise ConfigurationError(f"silences={self.silences!r}: at least 1")
        if self.hold < 0 or self.poll_hold < 0:
            raise ConfigurationError("hold and poll_hold are seconds, 0 or more")

    @property
    def filler_messages(self) -> tuple[Message, ...]:
        """What a poll plays; a read cannot play nothing, so silence is a comment [OFF noop]."""
        return _filler(self.filler)

    def is_exit(self, utterance: str) -> bool:
        """Tell whether the caller said goodbye."""
        return _words(utterance) in self.exit_words


@functools.cache
def _filler(filler: str | File | None) -> tuple[Message, ...]:
    if filler is None:
        return (Comment("wait"),)
    return (filler,) if isinstance(filler, File) else sentence(filler)


def sentence(text: str) -> tuple[Text, ...]:
    """Make a sentence of ours playable."""
    return tuple(speakable(text))


def _check_speakable(name: str, text: str) -> None:
    if not speakable(text):
        raise ConfigurationError(f"{name}={text!r} has nothing that can be spoken (filler=None is silence)")


def _words(utterance: str) -> str:
    kept = "".join(c if unicodedata.category(c)[0] in "LN" else " " for c in utterance)
    return " ".join(kept.split())
