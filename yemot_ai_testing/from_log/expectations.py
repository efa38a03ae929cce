"""What the caller must hear, from the responses of a turn."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from yemot_ai.flow import DialogSettings
from yemot_ai.protocol import Comment, GoTo, GoToFolder, Message, Play, Read, Record, Tap, Text
from yemot_ai_testing.from_log.privacy import CallPrivacy
from yemot_ai_testing.from_log.replay import ReplayedTurn
from yemot_ai_testing.line.exchange import LineExchange
from yemot_ai_testing.line.verbs.keypad import is_poll
from yemot_ai_testing.scenario.format.model import CallEnding, Expectation
from yemot_ai_testing.scenario.play.checks.text_folding import fold_text

__all__ = ["Spoken", "expectation", "fillers_of", "spoken_in"]

MAX_EXACT: Final = 120
"""Characters of a text that is compared exactly; of a longer one only parts are."""

MAX_PART: Final = 80
MAX_PARTS: Final = 4

_AGENT_POLL: Final = re.compile(r"ai_\d+w\d+")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was spoken in a turn, without fillers.

    Attributes:
        texts: each message, as it is heard.
        in_polls: whether the caller waited: then fillers were heard too.
    """

    texts: tuple[str, ...]
    in_polls: bool

    def __str__(self) -> str:
        return " ".join(self.texts)


def fillers_of(turns: Iterable[ReplayedTurn]) -> frozenset[str]:
    """Return the texts of polls that are no part of an answer: they are heard more than once in the call."""
    counts = Counter(
        text
        for turn in turns
        for exchange in turn.exchanges
        for read in _reads(exchange)
        if is_poll(read.mode)
        for text in _texts(read.messages)
    )
    default = DialogSettings().filler
    return frozenset({text for text, count in counts.items() if count > 1} | {str(default)})


def spoken_in(turn: ReplayedTurn, fillers: Collection[str]) -> Spoken:
    """Return what was spoken in a turn; of polls only the parts of an answer of an agent."""
    texts: list[str] = []
    in_polls = False
    for exchange in turn.exchanges:
        for action in exchange.response or ():
            if isinstance(action, Play):
                texts += _texts(action.messages)
            elif isinstance(action, Read) and is_poll(action.mode):
                in_polls = True
                if turn.interruption is None and _AGENT_POLL.fullmatch(action.name):
                    texts += (text for text in _texts(action.messages) if text not in fillers)
            elif isinstance(action, Read):
                texts += _texts(action.messages)
    return Spoken(tuple(texts), in_polls)


def expectation(
    turn: ReplayedTurn, spoken: Spoken, privacy: CallPrivacy, *, by_model: bool
) -> Expectation | None:
    """Return the expectation of a turn; None if there is nothing to expect.

    A response that the line did not understand has none: the turn fails until the response is mended.

    Args:
        turn: the turn.
        spoken: what was spoken in it.
        privacy: replaces numbers and names.
        by_model: whether the model has said it.
    """
    if any(problem.level == "error" for exchange in turn.exchanges for problem in exchange.problems):
        return None
    equals = None if by_model else _exact(turn, spoken, privacy)
    hears = Expectation(
        contains=() if equals else _parts(spoken, privacy),
        equals=equals,
        read=_read(turn, privacy),
        goto=_goto(turn, privacy),
        ends=_ending(turn),
    )
    return None if hears == Expectation() else hears


def _exact(turn: ReplayedTurn, spoken: Spoken, privacy: CallPrivacy) -> str | None:
    """Return the whole text if it is short, the same in each call, and all that is heard."""
    text = str(spoken)
    if not text or len(text) > MAX_EXACT or spoken.in_polls or turn.interruption is not None:
        return None
    if fold_text(turn.heard) != fold_text(text) or privacy.heard(text) != privacy.unchanged(text):
        return None
    return text


def _parts(spoken: Spoken, privacy: CallPrivacy) -> tuple[str, ...]:
    parts = [_shortened(part) for text in spoken.texts for part in privacy.heard(text)]
    return tuple(dict.fromkeys(part for part in parts if fold_text(part)))[:MAX_PARTS]


def _shortened(text: str) -> str:
    if len(text) <= MAX_PART:
        return text
    return text[:MAX_PART].rpartition(" ")[0] or text[:MAX_PART]


def _read(turn: ReplayedTurn, privacy: CallPrivacy) -> dict[str, str | tuple[str, ...]] | None:
    read = turn.question
    if read is None or not turn.waits:
        return None
    mode = read.mode
    fields: dict[str, str | tuple[str, ...]] = {
        "mode": "tap" if isinstance(mode, Tap) else "record" if isinstance(mode, Record) else "voice"
    }
    if not privacy.is_sensitive(read.name):
        fields["name"] = read.name
    if isinstance(mode, Tap) and mode.max_digits is not None:
        fields["max_digits"] = str(mode.max_digits)
    return fields


def _goto(turn: ReplayedTurn, privacy: CallPrivacy) -> str | None:
    targets = [
        action.target
        for exchange in turn.exchanges
        for action in exchange.response or ()
        if isinstance(action, GoToFolder)
    ]
    return targets[-1] if targets and not privacy.is_sensitive(targets[-1]) else None


def _ending(turn: ReplayedTurn) -> bool | CallEnding | None:
    return True if turn.ender == "line" else turn.ender


def _reads(exchange: LineExchange) -> Iterator[Read]:
    return (action for action in exchange.response or () if isinstance(action, Read))


def _texts(messages: Sequence[Message]) -> Iterator[str]:
    """Yield what is heard of each message; nothing of a remark or a move."""
    for message in messages:
        if isinstance(message, Text):
            yield message.text.strip()
        elif not isinstance(message, Comment | GoTo):
            yield str(message)
