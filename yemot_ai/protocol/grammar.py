"""The grammar of an answer, read once, for ``Response.parse`` and ``lint`` alike [OFF].

::

    answer   = ["api_log_no&"] action *("&" action) ["&"]  |  bare word
    action   = name "=" fields  |  "id_list_message=" messages  |  "read=" messages "=" fields
    messages = message *("." message)
    message  = type "-" data
    fields   = field *("," field)

Reading goes on after a mistake, so that all mistakes of an answer are told at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from yemot_ai.errors import InvalidValueError
from yemot_ai.protocol.actions import ACTIONS, Action, MusicOnHold, Noop, Play, Read, SimpleAnswer
from yemot_ai.protocol.fields import parts_of
from yemot_ai.protocol.messages import MESSAGE_TYPES, Message
from yemot_ai.protocol.modes import READ_RECORD, READ_TAP, READ_VOICE, Record, Tap, Voice
from yemot_ai.protocol.rules import Problem

__all__ = ["Reading", "chain_faults", "read_answer"]

T = TypeVar("T")

SILENT: Final = "api_log_no"
_MARKUP: Final = re.compile("\\s*[<{[]|\ufeff")
_WORD: Final = re.compile("[A-Za-z0-9_-]+")
_INVENTED: Final = {
    "hangup": "there is no such action: go_to_folder=hangup ends the call",
    "say_api_answer": "that is a setting of ext.ini, not an action",
    "goto": "there is no such action: go_to_folder moves the caller",
    "play": "there is no such action: id_list_message plays",
}
_MODES: Final = {"voice": (READ_VOICE, Voice), "record": (READ_RECORD, Record)}


@dataclass(slots=True)
class Reading:
    """What was found in an answer.

    Attributes:
        text: the answer.
        log: whether the line may log the exchange.
        actions: what could be read, each with its position.
        problems: what is wrong or doubtful, in order of discovery.
    """

    text: str
    log: bool = True
    actions: list[tuple[Action, int]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def error(self) -> Problem | None:
        """The first error by position."""
        errors = [one for one in self.problems if one.level == "error"]
        return min(errors, key=lambda one: one.position, default=None)

    def tell(self, code: str, reason: str, position: int) -> None:
        """Note that the rule ``code`` is broken at ``position``."""
        self.problems.append(Problem.of(code, reason, position))

    def teller(self, offset: int) -> Callable[[str, str, int], None]:
        """``tell`` for a part of the text that begins at ``offset``."""
        return lambda code, reason, position: self.tell(code, reason, offset + position)

    def made(self, make: Callable[[], T], position: int) -> T | None:
        """What ``make`` makes, or None when its parts do not go together."""
        try:
            return make()
        except InvalidValueError as error:
            self.tell(error.code, error.reason, position + error.position)
            return None


def read_answer(text: str) -> Reading:
    """Read an answer; never raises."""
    reading = Reading(text)
    if not text or text.isspace():
        reading.tell("empty-answer", "the answer is empty", 0)
    elif _MARKUP.match(text):
        reading.tell("not-plain-text", f"the answer begins with {text.lstrip()[:1]!r}", 0)
    else:
        _read_actions(reading)
    return reading


def chain_faults(actions: Sequence[Action]) -> Iterator[tuple[str, str, int]]:
    """What is wrong with the order of ``actions``: code, reason, index of the action at fault."""
    for index, action in enumerate(actions[:-1]):
        after = type(actions[index + 1]).__name__
        if isinstance(action, Read):
            yield "after-read", f"{after} follows a read and is ignored", index + 1
        elif not isinstance(action, Play | MusicOnHold | SimpleAnswer):
            yield "after-terminal", f"{after} follows {type(action).__name__}", index + 1
    for index, action in enumerate(actions):
        if isinstance(action, SimpleAnswer) and len(actions) > 1:
            yield "simple-answer", f"the bare word {action.word!r} stands beside other actions", index


def _read_actions(reading: Reading) -> None:
    parts = parts_of(reading.text, "&")
    if len(parts) > 1 and not parts[-1][1]:
        parts.pop()
    if parts[0][1] == SILENT:
        reading.log = False
        parts.pop(0)
        if not parts:
            reading.tell("empty-answer", f"{SILENT} is no action", len(reading.text))
    for position, part in parts:
        action = _read_action(reading, part, position)
        if action is not None:
            reading.actions.append((action, position))
    for code, reason, index in chain_faults([action for action, _ in reading.actions]):
        reading.tell(code, reason, reading.actions[index][1])


def _read_action(reading: Reading, part: str, position: int) -> Action | None:
    name, equals, rest = part.partition("=")
    inside = position + len(name) + 1
    if not part:
        reading.tell("empty-action", "there is nothing between two &", position)
    elif name == "noop" and not equals:
        reading.tell("bare-noop", "noop without a comment", position)
        return Noop()
    elif not equals and _WORD.fullmatch(name):
        return reading.made(partial(SimpleAnswer, name), position)
    elif name == Play.NAME:
        messages = _read_messages(reading, rest, inside)
        return None if messages is None else reading.made(partial(Play, messages), inside)
    elif name == Read.NAME:
        return _read_read(reading, rest, inside)
    elif equals and name in ACTIONS:
        known = ACTIONS[name]
        values = known.LAYOUT.decode(rest, reading.teller(inside))
        return None if values is None else reading.made(lambda: known(**values), inside)
    else:
        reading.tell("unknown-action", _INVENTED.get(name, f"there is no action {name[:40]!r}"), position)
    return None


def _read_messages(reading: Reading, text: str, offset: int) -> tuple[Message, ...] | None:
    if not text:
        reading.tell("empty-messages", "there is no message", offset)
        return None
    messages = [_read_message(reading, part, position) for position, part in parts_of(text, ".", offset)]
    return tuple(one for one in messages if one is not None) if None not in messages else None


def _read_message(reading: Reading, part: str, position: int) -> Message | None:
    kind, dash, data = part.partition("-")
    known = MESSAGE_TYPES.get(kind)
    if known is None or not dash:
        reading.tell("message-type", f"{part[:40]!r} begins with no message type", position)
        return None
    inside = position + len(kind) + 1
    values = known.LAYOUT.decode(data, reading.teller(inside))
    return None if values is None else reading.made(lambda: known(**values), inside)


def _read_read(reading: Reading, text: str, offset: int) -> Read | None:
    question, equals, rest = text.partition("=")
    if not equals or "=" in rest:
        reading.tell("read-shape", f"read has {text.count('=') + 1} = instead of 2", offset)
        return None
    messages = _read_messages(reading, question, offset)
    inside = offset + len(question) + 1
    layout, make = _MODES.get([*rest.split(",", 3), "", ""][2], (READ_TAP, Tap))
    values = layout.decode(rest, reading.teller(inside))
    if values is None:
        return None
    name, reuse = values.pop("name"), values.pop("reuse")
    mode = reading.made(partial(make, **values), inside)
    if messages is None or mode is None:
        return None
    return reading.made(partial(Read, messages, name, mode, reuse=reuse), inside)
