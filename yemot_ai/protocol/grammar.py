"""The grammar of an answer, read once, for ``Response.parse``, ``lint`` and ``explain`` alike [OFF].

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
from typing import Any, Final

from yemot_ai.errors import InvalidValueError
from yemot_ai.protocol.actions import ACTIONS, Action, MusicOnHold, Noop, Play, Read, SimpleAnswer
from yemot_ai.protocol.fields.codecs import CONTROL
from yemot_ai.protocol.fields.layout import values_of
from yemot_ai.protocol.lint_rules import Problem
from yemot_ai.protocol.messages import MESSAGE_TYPES, Comment, GoTo, Message
from yemot_ai.protocol.read_modes import READ_RECORD, READ_TAP, READ_VOICE, Record, Tap, Voice
from yemot_ai.protocol.syntax import Part, parts_of

__all__ = ["SILENT", "Reading", "chain_faults", "read_answer"]

SILENT: Final = "api_log_no"
_MARKUP: Final = re.compile("\\s*[<{[\"']|\ufeff")
_WORD: Final = re.compile(r"[\w-]+")
_CONTROL: Final = re.compile(f"[{CONTROL}]")
_LINE_ENDS: Final = "\r\n"
_INVENTED: Final = {
    "hangup": "there is no such action: go_to_folder=hangup ends the call",
    "say_api_answer": "that is a setting of ext.ini, not an action",
    "goto": "there is no such action: go_to_folder moves the caller",
    "play": "there is no such action: id_list_message plays",
    "record": "there is no such action: read takes a recording, with record as its third field",
}
_MODES: Final[dict[str, tuple[Any, Any]]] = {"voice": (READ_VOICE, Voice), "record": (READ_RECORD, Record)}


@dataclass(slots=True)
class Reading:
    """What was found in an answer.

    Attributes:
        text: the answer.
        log: whether the line may log the exchange.
        parts: its actions, each with its value if it could be read.
        problems: what is wrong or doubtful, in order of discovery.
    """

    text: str
    log: bool = True
    parts: list[Part] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def actions(self) -> list[Action]:
        """The actions that could be read."""
        return [part.value for part in self.parts if part.valid]  # type: ignore[misc]  # an action's value is one

    @property
    def error(self) -> Problem | None:
        """The first error by position."""
        errors = [one for one in self.problems if one.level == "error"]
        return min(errors, key=lambda one: one.position, default=None)

    def tell(self, code: str, reason: str, position: int) -> None:
        """Note that the rule ``code`` is broken at ``position``."""
        self.problems.append(Problem.of(code, reason, position))

    def make(self, part: Part, make: Callable[[], object], place: Callable[[], int]) -> None:
        """Give ``part`` the value that ``make`` makes, unless its parts do not go together."""
        try:
            part.value = make()
        except InvalidValueError as error:
            self.tell(error.code, error.reason, place() + error.position)
            return
        part.valid = True


def read_answer(text: str) -> Reading:
    """Read an answer; never raises."""
    reading = Reading(text)
    body = text.rstrip(_LINE_ENDS)
    if not body or body.isspace():
        reading.tell("empty-answer", "the answer is empty", 0)
        return reading
    if _MARKUP.match(body):
        start = len(body) - len(body.lstrip())
        reading.tell("not-plain-text", f"the answer begins with {body[start]!r}", start)
        return reading
    if body != text:
        reading.tell("line-end", "a line end follows the answer", len(body))
    _read_actions(reading, body)
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


def _read_actions(reading: Reading, text: str) -> None:
    pieces = parts_of(text, "&")
    if len(pieces) > 1 and not pieces[-1][1]:
        pieces.pop()
    if pieces[0][1] == SILENT:
        reading.log = False
        pieces.pop(0)
        if not pieces:
            reading.tell("empty-answer", f"{SILENT} is no action", len(text))
    for number, (position, piece) in enumerate(pieces, start=1):
        if piece or not reading.parts or reading.parts[-1].text:
            reading.parts.append(_read_action(reading, piece, position, number))
    valid = [part for part in reading.parts if part.valid]
    for code, reason, index in chain_faults(reading.actions):
        reading.tell(code, reason, valid[index].position)


def _read_action(reading: Reading, text: str, position: int, number: int) -> Part:
    name, equals, rest = text.partition("=")
    part = Part("action", name, text, position, number)
    inside = position + len(name) + 1
    if not text:
        reading.tell("empty-action", "there is no action beside this &", position)
    elif name == "noop" and not equals:
        reading.tell("bare-noop", "noop without a comment", position)
        part.value, part.valid = Noop(), True
    elif not equals and _WORD.fullmatch(name):
        _read_fields(reading, part, SimpleAnswer, text, position)
    elif equals and name == Play.NAME:
        if _read_messages(reading, part, rest, inside):
            reading.make(part, lambda: Play(_messages_of(part)), lambda: inside)
    elif equals and name == Read.NAME:
        _read_read(reading, part, rest, inside)
    elif equals and name in ACTIONS:
        _read_fields(reading, part, ACTIONS[name], rest, inside)
    else:
        _tell_unknown(reading, part)
    return part


def _tell_unknown(reading: Reading, part: Part) -> None:
    name = part.name
    control = _CONTROL.search(name)
    if control:
        reading.tell("character", f"{control.group()!r} may not stand here", part.position + control.start())
        return
    known = {one.casefold() for one in (*ACTIONS, Play.NAME, Read.NAME)}
    reason = f"there is no action {name[:40]!r}"
    if name.strip().casefold() in known:
        reason += f": write {name.strip().casefold()!r}"
    reading.tell("unknown-action", _INVENTED.get(name, reason), part.position)


def _read_fields(reading: Reading, part: Part, known: Any, text: str, offset: int) -> None:  # noqa: ANN401 - a class with a LAYOUT
    part.parts += known.LAYOUT.read(text, offset, reading.tell)
    values = values_of(part.parts)
    if values is not None:
        reading.make(part, lambda: known(**values), lambda: offset)


def _messages_of(part: Part) -> tuple[Message, ...]:
    return tuple(one.value for one in part.of("message"))  # type: ignore[misc]  # a message's value is one


def _read_messages(reading: Reading, action: Part, text: str, offset: int) -> bool:
    """Add the messages in ``text`` to the parts of ``action``; return whether all of them are valid."""
    if not text.strip("."):
        reading.tell("empty-messages", "there is no message", offset)
        return False
    valid = True
    for position, piece in parts_of(text, ".", offset):
        if not piece:
            valid = _tell_empty_message(reading, action, position, offset) and valid
            continue
        message = _read_message(reading, piece, position, len(action.parts) + 1)
        action.parts.append(message)
        valid = message.valid and valid
    for one in action.parts[:-1]:
        if isinstance(one.value, GoTo):
            reading.tell("go-to-not-last", "messages follow a g- message", one.position)
            valid = False
    return valid


def _tell_empty_message(reading: Reading, action: Part, position: int, offset: int) -> bool:
    """A ``.`` too many ends a text, where it is forbidden; after other messages nobody has confirmed that."""
    dot = max(position - 1, offset)
    if action.parts and action.parts[-1].name == "t":
        reading.tell("text-character", "text: '.' may not stand here", dot)
        return False
    reading.tell("empty-message", "there is no message beside this .", dot)
    return True


def _read_message(reading: Reading, text: str, position: int, number: int) -> Part:
    kind, dash, data = text.partition("-")
    part = Part("message", kind, text, position, number)
    known = MESSAGE_TYPES.get(kind)
    if known is Comment and not dash:
        dash = "-"
    if known is None or not dash:
        reading.tell("message-type", f"{text[:40]!r} begins with no message type", position)
        return part
    _read_fields(reading, part, known, data, min(position + len(kind) + 1, part.end))
    return part


def _read_read(reading: Reading, part: Part, text: str, offset: int) -> None:
    question, equals, rest = text.partition("=")
    if not equals or "=" in rest:
        surplus = offset + len(question) + 1 + rest.index("=") if equals else offset
        reading.tell("read-shape", f"read has {text.count('=') + 1} = instead of 2", surplus)
        return
    valid = _read_messages(reading, part, question, offset)
    inside = offset + len(question) + 1
    layout, make = _MODES.get([*rest.split(",", 3), "", ""][2], (READ_TAP, Tap))
    fields = layout.read(rest, inside, reading.tell)
    messages = _messages_of(part) if valid else ()
    part.parts += fields
    values = values_of(fields)
    if values is None:
        return
    name, reuse = values.pop("name"), values.pop("reuse")
    mode = Part("field", "", rest, inside)
    least = "min_digits" if make is Tap else "min_seconds"
    reading.make(mode, lambda: make(**values), lambda: part.place(least))
    if valid and mode.valid:
        reading.make(part, lambda: Read(messages, name, mode.value, reuse=reuse), lambda: inside)  # type: ignore[arg-type]  # a mode's value is one
