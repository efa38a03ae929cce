"""The grammar of a response: one parser for ``Response.parse``, ``lint`` and ``explain`` [OFF].

::

    response = ["api_log_no&"] action *("&" action) ["&"]  |  bare word
    action   = name "=" fields  |  "id_list_message=" messages  |  "read=" messages "=" fields
    messages = message *("." message)
    message  = type "-" data
    fields   = field *("," field)

The parser continues after an error, so that all errors of a response are reported at once. The lenient
parser takes what is wrong with optional fields as a warning: whether a line refuses it is not confirmed [?].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from yemot_ai.errors import InvalidValueError
from yemot_ai.protocol.actions import ACTIONS, Action, MusicOnHold, Noop, Play, Read, SimpleAnswer
from yemot_ai.protocol.fields.codecs import CONTROL
from yemot_ai.protocol.fields.layout import Report, field_values
from yemot_ai.protocol.fields.parts import Part, split_parts
from yemot_ai.protocol.fields.white_space import BLANK, is_blank, strip_blanks
from yemot_ai.protocol.lint_rules import Problem
from yemot_ai.protocol.messages import MESSAGE_TYPES, Comment, GoTo, Message
from yemot_ai.protocol.misspellings import NO_LOG, describe_action, find_mode_mistake
from yemot_ai.protocol.normalizer.substitutes import describe_substitutes
from yemot_ai.protocol.read_modes import READ_RECORD, READ_TAP, READ_VOICE, Record, Tap, Voice

__all__ = ["NO_LOG", "ParseResult", "order_errors", "parse_response"]

_MARKUP: Final = re.compile("[<{[\"']")
_START: Final = re.compile(f"[{BLANK}]*+")
_WORD: Final = re.compile(r"[\w-]+")
_CONTROL: Final = re.compile(f"[{CONTROL}]")
_LINE_END: Final = re.compile("[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_JOINED: Final = re.compile(f"[,;|+][{BLANK}]*+(?=(?:{'|'.join(MESSAGE_TYPES)})-)")
_NAMES: Final = frozenset({*ACTIONS, Play.NAME, Read.NAME})
_MODES: Final[dict[str, tuple[Any, Any]]] = {"voice": (READ_VOICE, Voice), "record": (READ_RECORD, Record)}


@dataclass(slots=True)
class ParseResult:
    """A parsed response.

    Attributes:
        text: the response.
        lenient: whether an optional field that is not understood counts as its default.
        log: whether the line may log the exchange.
        parts: its actions, each with its value if it is valid.
        problems: errors and warnings, in order of discovery.
    """

    text: str
    lenient: bool = False
    log: bool = True
    parts: list[Part] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def actions(self) -> list[Action]:
        """The valid actions."""
        return [part.value for part in self.parts if part.valid]  # type: ignore[misc]  # the value of an action part

    @property
    def error(self) -> Problem | None:
        """The first error by position."""
        errors = [problem for problem in self.problems if problem.level == "error"]
        return min(errors, key=lambda problem: problem.position, default=None)

    def report(self, code: str, reason: str, position: int) -> None:
        """Record that the rule ``code`` is broken at ``position``."""
        self.problems.append(Problem.from_rule(code, reason, position))

    def report_ignored(self, code: str, reason: str, position: int) -> None:
        """Record as a warning that the rule ``code`` is broken by something that the parser ignores."""
        problem = Problem.from_rule(code, f"{reason}: ignored", position)
        self.problems.append(replace(problem, level="warning", source="[?]"))

    @property
    def ignore(self) -> Report | None:
        """Where to report what a lenient parser ignores; None if nothing is ignored."""
        return self.report_ignored if self.lenient else None

    def build(
        self,
        part: Part,
        make: Callable[[], object],
        position: Callable[[], int],
        make_lenient: Callable[[], object] | None = None,
    ) -> None:
        """Set the value of ``part`` to the result of ``make``; report the error that ``make`` raises.

        Args:
            part: its value is set, and that it is valid.
            make: returns the value.
            position: returns the position that the error counts from.
            make_lenient: returns the value without what is wrong, for the lenient parser.
        """
        try:
            part.value = make()
        except InvalidValueError as error:
            ignore = self.ignore if make_lenient else None
            (ignore or self.report)(error.code, error.reason, position() + error.position)
            if not ignore or not make_lenient:
                return
            part.value = make_lenient()
        part.valid = True


def parse_response(text: str, *, lenient: bool = False) -> ParseResult:
    """Parse a response; never raises.

    Args:
        text: the response body.
        lenient: an optional field that is not understood counts as its default, surplus fields are
            ignored, and both are warnings instead of errors [?].
    """
    parsed = ParseResult(text, lenient)
    start = _START.match(text).end()  # type: ignore[union-attr]  # it matches any text
    if start == len(text):
        parsed.report("empty-answer", "the response is empty", 0)
    elif _MARKUP.match(text, start):
        parsed.report("not-plain-text", f"the response starts with {text[start]!r}", start)
    else:
        _parse_actions(parsed, _trim(parsed, start), start)
    return parsed


def _trim(parsed: ParseResult, start: int) -> str:
    """Return the text from ``start`` on without a line end after it; report what is around it [?]."""
    text = parsed.text
    before, rest = text[:start], text[start:]
    body = rest if rest[-1].isalnum() else strip_blanks(rest)[0]
    if "\ufeff" in before:
        parsed.report("byte-order-mark", "U+FEFF precedes the response", before.index("\ufeff"))
    elif before:
        code = "line-end" if _LINE_END.search(before) else "white-space"
        parsed.report(code, "white space precedes the response", 0)
    if not _LINE_END.search(text, start + len(body)):
        return rest
    parsed.report("line-end", "a line end follows the response", start + len(body))
    return body


def order_errors(actions: Sequence[Action]) -> Iterator[tuple[str, str, int]]:
    """Yield the errors in the order of ``actions``: code, reason, index of the wrong action."""
    for index, action in enumerate(actions[:-1]):
        following = type(actions[index + 1]).__name__
        if isinstance(action, Read):
            yield "after-read", f"{following} follows a read and is ignored", index + 1
        elif not isinstance(action, Play | MusicOnHold | SimpleAnswer):
            yield "after-terminal", f"{following} follows {type(action).__name__}", index + 1
    for index, action in enumerate(actions):
        if isinstance(action, SimpleAnswer) and len(actions) > 1:
            reason = f"the bare word {action.word!r} is beside other actions"
            if _starts_as_message(action.word):
                reason += ": messages are joined with ."
            yield "simple-answer", reason, index


def _starts_as_message(text: str) -> bool:
    kind, dash, _ = text.partition("-")
    return bool(dash) and kind in MESSAGE_TYPES


def _parse_actions(parsed: ParseResult, text: str, offset: int) -> None:
    pieces = split_parts(text, "&", offset)
    if len(pieces) > 1 and not pieces[-1][1]:
        pieces.pop()
    if strip_blanks(pieces[0][1])[0] == NO_LOG:
        parsed.log = False
        _strip(parsed, "the prefix", *pieces.pop(0))
    for number, (position, piece) in enumerate(pieces, start=1):
        if not is_blank(piece):
            parsed.parts.append(_parse_action(parsed, piece, position, number))
        elif number == 1 or not is_blank(pieces[number - 2][1]):
            parsed.report("empty-action", "there is no action next to this &", position)
    if not parsed.parts:
        parsed.report("empty-answer", "the response has no action", offset + len(text))
    valid = [part for part in parsed.parts if part.valid]
    for code, reason, index in order_errors(parsed.actions):
        parsed.report(code, reason, valid[index].position)


def _parse_action(parsed: ParseResult, text: str, position: int, number: int) -> Part:
    written, equals, rest = text.partition("=")
    name = written if written in _NAMES else _strip(parsed, "the action", position, written)
    part = Part("action", name, text, position, number)
    offset = position + len(written) + 1
    if name == "noop" and not equals:
        parsed.report("bare-noop", "noop without a comment", position)
        part.value, part.valid = Noop(), True
    elif not equals and _WORD.fullmatch(name):
        _parse_fields(parsed, part, SimpleAnswer, name, position + written.index(name))
    elif equals and name == Play.NAME:
        if _parse_messages(parsed, part, rest, offset):
            parsed.build(part, lambda: Play(_messages_of(part)), lambda: offset)
    elif equals and name == Read.NAME:
        _parse_read(parsed, part, rest, offset)
    elif equals and name in ACTIONS:
        _parse_fields(parsed, part, ACTIONS[name], rest, offset)
    else:
        _report_unknown_action(parsed, part)
    return part


def _strip(parsed: ParseResult, what: str, position: int, written: str) -> str:
    """Return a name without blanks around it, and warn of them [?]."""
    name, start = strip_blanks(written)
    if name != written:
        reason = f"{what} is written {written[:40]!r}"
        parsed.report("white-space", reason, position + (0 if start else len(name)))
    return name


def _report_unknown_action(parsed: ParseResult, part: Part) -> None:
    name = part.name
    control = _CONTROL.search(name)
    if control:
        position = part.position + part.text.index(name) + control.start()
        parsed.report("character", f"{control.group()!r} is not allowed here", position)
        return
    reason = describe_action(name)
    if _starts_as_message(name):
        reason += ": messages are joined with ."
    elif "=" not in part.text and parsed.parts:
        reason += f": the & before it ends an action, in a text, {describe_substitutes('&')}"
    parsed.report("unknown-action", reason, part.position)


def _parse_fields(parsed: ParseResult, part: Part, cls: Any, text: str, offset: int) -> None:  # noqa: ANN401 - a class with a LAYOUT
    part.parts += cls.LAYOUT.parse(text, offset, parsed.report, parsed.ignore)
    values = field_values(part.parts)
    if values is not None:
        parsed.build(part, lambda: cls(**values), lambda: offset)


def _messages_of(part: Part) -> tuple[Message, ...]:
    return tuple(message.value for message in part.parts_of_kind("message"))  # type: ignore[misc]  # the value of a message part


def _parse_messages(parsed: ParseResult, action: Part, text: str, offset: int) -> bool:
    """Add the messages in ``text`` to the parts of ``action``; return whether all are valid."""
    if not text.strip("."):
        parsed.report("empty-messages", "there is no message", offset)
        return False
    valid = True
    for position, piece in split_parts(text, ".", offset):
        if not piece:
            valid = _report_empty_message(parsed, action, position, offset) and valid
            continue
        message = _parse_message(parsed, piece, position, len(action.parts) + 1)
        action.parts.append(message)
        valid = message.valid and valid
    for part in action.parts[:-1]:
        if isinstance(part.value, GoTo):
            parsed.report("go-to-not-last", "messages follow a g- message", part.position)
            valid = False
    return valid


def _report_empty_message(parsed: ParseResult, action: Part, position: int, offset: int) -> bool:
    """Report a surplus ``.``: an error after a text, a warning after other messages [?]."""
    dot = max(position - 1, offset)
    if action.parts and action.parts[-1].name == "t":
        parsed.report("text-character", "text: '.' is not allowed here", dot)
        return False
    parsed.report("empty-message", "there is no message next to this .", dot)
    return True


def _parse_message(parsed: ParseResult, text: str, position: int, number: int) -> Part:
    written, dash, data = text.partition("-")
    kind = written if written in MESSAGE_TYPES else strip_blanks(written)[0]
    part = Part("message", kind, text, position, number)
    message_type = MESSAGE_TYPES.get(kind)
    if message_type is Comment and not dash:
        dash = "-"
    if message_type is None or not dash:
        reason = f"{text[:40]!r} does not start with a message type"
        if dash and kind.casefold() in MESSAGE_TYPES:
            reason += f": write {kind.casefold()}-"
        parsed.report("message-type", reason, position)
        return part
    if kind != written:
        _strip(parsed, "the message type", position, written)
    joined = _JOINED.search(data)
    if joined:
        start = position + len(written) + 1 + joined.start()
        reason = f"a message follows {joined[0][0]!r}: {data[joined.start() :][:40]!r}"
        parsed.report("comma-joined", reason, start)
    _parse_fields(parsed, part, message_type, data, min(position + len(written) + 1, part.end))
    return part


def _report_mode(parsed: ParseResult, fields: list[tuple[int, str]], index: int, reason: str) -> Part:
    """Report that a read has no mode at ``index``, and return the part there."""
    position, text = fields[index]
    (parsed.ignore or parsed.report)("read-mode", reason, position + strip_blanks(text)[1])
    return Part("field", "_mode", text, position, index + 1, title="mode")


def _parse_read(parsed: ParseResult, part: Part, text: str, offset: int) -> None:
    question, equals, rest = text.partition("=")
    if not equals or "=" in rest:
        surplus = offset + len(question) + 1 + rest.index("=") if equals else offset
        parsed.report("read-shape", f"read has {text.count('=') + 1} = instead of 2", surplus)
        return
    valid = _parse_messages(parsed, part, question, offset)
    fields_offset = offset + len(question) + 1
    _, second, third, *_ = [*rest.split(",", 3), "", ""]
    third = strip_blanks(third)[0]
    mistake = find_mode_mistake(second, third)
    # Without the mode it is not known what the fields after it are: they are not read.
    known = rest if mistake is None else ",".join(rest.split(",", 2)[: mistake[0]])
    layout, make = _MODES.get(third.casefold(), (READ_TAP, Tap))
    fields = layout.parse(known, fields_offset, parsed.report, parsed.ignore)
    if mistake:
        wrong = _report_mode(parsed, split_parts(rest, ",", fields_offset), *mistake)
        fields = fields if parsed.lenient else [*fields[: mistake[0]], wrong]
    messages = _messages_of(part) if valid else ()
    part.parts += fields
    values = field_values(fields)
    if values is None:
        return
    name, reuse = values.pop("name"), values.pop("reuse")
    mode = Part("field", "", rest, fields_offset)
    minimum = "min_digits" if make is Tap else "min_seconds"
    parsed.build(
        mode,
        lambda: make(**values),
        lambda: part.position_of(minimum),
        lambda: make(**{name: value for name, value in values.items() if name != minimum}),
    )
    if valid and mode.valid:
        parsed.build(part, lambda: Read(messages, name, mode.value, reuse=reuse), lambda: fields_offset)  # type: ignore[arg-type]  # the value of a mode
