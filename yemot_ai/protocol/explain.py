"""Explains a response: each action, message and field by its position in the official table.

Defaults are marked, each problem is listed at its part, and of an invalid response all readable parts
are explained.

>>> for line in explain("read=t-מה=size,no,1,,,,,,,123").lines():
...     if "field 10" in line or "field 4" in line or "message" in line:
...         print(line.strip())
message 1, text, spoken: מה
field 4, the fewest digits: 1 (default)
field 10, allowed keys: 1, 2, 3
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from yemot_ai.protocol.actions import ACTIONS, Play, Read, SimpleAnswer
from yemot_ai.protocol.fields.codecs import Integer
from yemot_ai.protocol.fields.parts import Part
from yemot_ai.protocol.grammar import parse_response
from yemot_ai.protocol.lint import lint_parsed
from yemot_ai.protocol.lint_rules import Problem
from yemot_ai.protocol.messages import MESSAGE_TYPES

__all__ = ["ExplainedPart", "Explanation", "explain", "printable"]

_ACTIONS: Final = {action.NAME: action.TITLE for action in (*ACTIONS.values(), Play, Read)}
_MAX_WIDTH: Final = 120


@dataclass(frozen=True, slots=True)
class ExplainedPart:
    """A part of a response in words.

    Attributes:
        kind: ``action``, ``message`` or ``field``.
        number: position among its siblings, from 1: a field's number in the official table.
        name: an action's name, a message's type, a field's attribute; empty if it is unknown.
        title: what it is, in words.
        text: its text in the response; empty if it is omitted.
        position: index of its first character.
        value: its meaning in words; None if it cannot be parsed.
        default: whether it is empty or omitted, and so has its default.
        problems: its errors and warnings, without those of its parts.
        parts: its parts.
    """

    kind: str
    number: int
    name: str
    title: str
    text: str
    position: int
    value: str | None
    default: bool
    problems: tuple[Problem, ...]
    parts: tuple[ExplainedPart, ...]

    def lines(self, indent: str = "") -> Iterator[str]:
        """Return the part and its parts, one line each."""
        yield indent + self.heading
        for problem in self.problems:
            where = f"{problem.level} {problem.code} at {problem.position}"
            yield f"{indent}  ! {where}: {problem.message} {problem.source}"
        for part in self.parts:
            yield from part.lines(indent + "  ")

    @property
    def heading(self) -> str:
        """The part in one line, without its parts."""
        if self.kind == "action":
            return f"{self.name or printable(self.text)}: {self.title}"
        value = f"{printable(self.text)}  (cannot be read)" if self.value is None else printable(self.value)
        default = " (default)" if self.default else ""
        return f"{self.kind} {self.number}, {self.title}: {value}{default}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A response in words.

    Attributes:
        text: the response.
        log: whether the line may log the exchange.
        actions: its actions.
        problems: all errors and warnings, by position.
        other_problems: those that belong to no action.
    """

    text: str
    log: bool
    actions: tuple[ExplainedPart, ...]
    problems: tuple[Problem, ...]
    other_problems: tuple[Problem, ...]

    @property
    def valid(self) -> bool:
        """Whether the response has no errors."""
        return all(problem.level != "error" for problem in self.problems)

    def lines(self) -> Iterator[str]:
        """Return the whole explanation, one line for each part."""
        if not self.log:
            yield "api_log_no: the line does not log this exchange"
        for problem in self.other_problems:
            where = f"{problem.level} {problem.code} at {problem.position}"
            yield f"! {where}: {problem.message} {problem.source}"
        for action in self.actions:
            yield from action.lines()


def explain(text: str, *, lenient: bool = False) -> Explanation:
    """Explain each part of a response; never raises.

    Args:
        text: the response body, valid or not.
        lenient: an optional field that is not understood is a warning, as for ``Response.parse``.
    """
    parsed = parse_response(text, lenient=lenient)
    problems = lint_parsed(parsed)
    by_position = _ProblemsByPosition(problems)
    actions = tuple(_explain_part(part, by_position) for part in parsed.parts)
    return Explanation(text, parsed.log, actions, tuple(problems), tuple(by_position.remaining()))


def printable(text: str, limit: int = _MAX_WIDTH) -> str:
    """Return a text for one line of a terminal: shortened, invisible characters escaped."""
    short = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in short
    )


class _ProblemsByPosition:
    """Problems, each returned once: to the innermost part at its position, which is explained first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self._at: dict[int, list[Problem]] = {}
        for problem in problems:
            self._at.setdefault(problem.position, []).append(problem)

    def take_inside(self, part: Part) -> tuple[Problem, ...]:
        """Return and remove the problems in ``part`` or right after it."""
        if not self._at:
            return ()
        are_few = len(self._at) <= part.end - part.position
        positions = (
            [at for at in self._at if part.position <= at <= part.end]
            if are_few
            else [at for at in range(part.position, part.end + 1) if at in self._at]
        )
        return tuple(problem for at in sorted(positions) for problem in self._at.pop(at))

    def remaining(self) -> list[Problem]:
        """Return the problems that belong to no part."""
        return [problem for _, problems in sorted(self._at.items()) for problem in problems]


def _explain_part(part: Part, problems: _ProblemsByPosition) -> ExplainedPart:
    fields = [child for child in part.parts if child.kind == "field"]
    children = part.parts
    if part.kind == "message" and len(fields) == 1:
        children = []  # the message shows the value of its only field
    parts = tuple(_explain_part(child, problems) for child in children)
    return ExplainedPart(
        part.kind,
        part.number,
        part.name if _is_known(part) else "",
        _title(part),
        part.text if part.present else "",
        part.position,
        _value(part, fields),
        part.kind == "field" and part.valid and not part.text and not part.name.startswith("_"),
        problems.take_inside(part) if part.present else (),
        parts,
    )


def _is_known(part: Part) -> bool:
    if part.kind == "action":
        return part.name in _ACTIONS
    return part.kind == "field" or part.name in MESSAGE_TYPES


def _title(part: Part) -> str:
    if part.kind == "field":
        return part.title
    if part.kind == "message":
        message_type = MESSAGE_TYPES.get(part.name)
        return message_type.TITLE if message_type else "of no known type"
    if part.parts and part.name not in _ACTIONS:
        return SimpleAnswer.TITLE
    title = _ACTIONS.get(part.name, "not a known action")
    return f"{title} {part.value.mode.TITLE}" if isinstance(part.value, Read) else title


def _value(part: Part, fields: Sequence[Part]) -> str | None:
    if not part.valid:
        return None
    if part.kind == "field":
        return _describe(part.value, part)
    if part.kind == "message" and len(fields) == 1:
        return _describe(fields[0].value, fields[0])
    return part.text


def _describe(value: Any, part: Part) -> str:  # noqa: ANN401 - each field has its own type
    if part.name.startswith("_"):
        return part.text or "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return part.codec.none_label if isinstance(part.codec, Integer) else "not set"
    if isinstance(value, tuple):
        return ", ".join(value) or "any"
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) or "none"
