"""Lists all problems of a response, each with a hint; never raises.

Errors come from the parser that ``Response.parse`` uses: without an error it succeeds. Warnings are
for what is valid but may surprise, or is not confirmed.

>>> for problem in lint("id_list_message=t-ב-3 בערב&read=t-מה=wish,yes,voice"):
...     print(problem.level, problem.code, problem.position, problem.source)
error text-character 19 [OFF]
warning reuse 42 [OFF]
>>> lint("id_list_message=t-שלום&go_to_folder=hangup")
[]
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import zip_longest
from typing import Final

from yemot_ai.protocol.actions import Play, Read
from yemot_ai.protocol.fields.parts import Part
from yemot_ai.protocol.grammar import ParseResult, parse_response
from yemot_ai.protocol.lint_rules import Problem
from yemot_ai.protocol.messages import (
    MAX_CHARACTERS,
    MAX_WORD_CHARACTERS,
    MAX_WORDS,
    GoTo,
    MusicOnHoldMessage,
    Text,
)
from yemot_ai.protocol.read_modes import KEYBOARD_LENGTHS, Tap, Voice

__all__ = ["lint", "lint_parsed"]

_Finding = tuple[str, str, int]
_WORD: Final = re.compile(r"\S+")


def lint(text: str, known_names: Collection[str] = (), *, lenient: bool = False) -> list[Problem]:
    """Return all errors and warnings of a response.

    Args:
        text: the response body.
        known_names: names that the call already has values of.
        lenient: an optional field that is not understood is a warning, as for ``Response.parse``.

    Returns:
        Problems by position; without an error among them ``Response.parse`` succeeds.
    """
    return lint_parsed(parse_response(text, lenient=lenient), known_names)


def lint_parsed(parsed: ParseResult, known_names: Collection[str] = ()) -> list[Problem]:
    """Return the problems of a parsed response, including warnings, by position."""
    warnings = [
        Problem.from_rule(*finding)
        for part, following in zip_longest(parsed.parts, parsed.parts[1:])
        for finding in (*_part_warnings(part, known_names), *_order_warnings(part, following))
    ]
    return sorted([*parsed.problems, *warnings], key=lambda problem: (problem.position, problem.level))


def _part_warnings(part: Part, known_names: Collection[str]) -> Iterator[_Finding]:
    for message in part.parts_of_kind("message"):
        yield from _message_warnings(message)
    if isinstance(part.value, Read):
        yield from _read_warnings(part, part.value, known_names)


def _message_warnings(part: Part) -> Iterator[_Finding]:
    if isinstance(part.value, MusicOnHoldMessage):
        yield "music-message", "an h- message is not in the official table", part.position
    if not isinstance(part.value, Text):
        return
    text, start = part.value.text, part.position + part.text.index("-") + 1
    words = list(_WORD.finditer(text))
    if len(words) > MAX_WORDS:
        yield "too-many-words", f"a message has {len(words)} words", start + words[MAX_WORDS].start()
    if len(text) > MAX_CHARACTERS:
        yield "long-text", f"a message has {len(text)} characters", start + MAX_CHARACTERS
    for word in words:
        if word.end() - word.start() > MAX_WORD_CHARACTERS:
            reason = f"a word has {word.end() - word.start()} characters"
            yield "long-word", reason, start + word.start()
            break


def _read_warnings(part: Part, read: Read, known_names: Collection[str]) -> Iterator[_Finding]:
    mode = read.mode
    if read.name in known_names:
        yield "name-reused", f"the call has a value named {read.name!r} already", part.position_of("name")
    if read.reuse:
        yield "reuse", f"{read.name!r} is not asked if the call has a value of it", part.position_of("reuse")
    if isinstance(read.messages[-1], GoTo):
        *_, last = part.parts_of_kind("message")
        yield "unreachable", "a g- message ends the question", last.position
    if isinstance(mode, Tap) and mode.confirm and mode.keyboard != "No":
        yield "confirmation", "the caller must approve what was typed", part.position_of("confirm")
    if isinstance(mode, Tap) and (reason := _misfit_of_keyboard(mode)):
        yield "keyboard-length", reason, part.position_of("max_digits")
    if isinstance(mode, Voice) and not mode.record_engine and (mode.silence_seconds or mode.max_seconds):
        position = part.position_of("silence_seconds" if mode.silence_seconds else "max_seconds")
        yield "without-record-engine", "fields 8 and 9 belong to the record engine", position


def _misfit_of_keyboard(tap: Tap) -> str:
    """Return why fields 3 and 4 do not fit the keyboard; empty if they do."""
    if tap.keyboard not in KEYBOARD_LENGTHS:
        return ""
    fewest, most = KEYBOARD_LENGTHS[tap.keyboard]
    if tap.max_digits is not None and fewest <= tap.min_digits <= tap.max_digits <= most:
        return ""
    length = f"{most}" if fewest == most else f"{fewest} to {most}"
    limit = "any number" if tap.max_digits is None else f"at most {tap.max_digits}"
    return f"{tap.keyboard} has {length} digits, and the fields allow at least {tap.min_digits} and {limit}"


def _order_warnings(part: Part, following: Part | None) -> Iterator[_Finding]:
    if not isinstance(part.value, Play):
        return
    moves = isinstance(part.value.messages[-1], GoTo)
    if following is not None and moves:
        yield "unreachable", "an action follows a g- message", following.position
    if following is not None and isinstance(following.value, Play):
        reason = "one id_list_message follows another; the second may cancel the first"
        yield "two-plays", reason, following.position
    if following is None and not moves:
        yield "play-leaves", "the response ends with id_list_message", part.position
