"""Read the questions of ``ext.ini`` before the first request: ``api_000``, ``api_001`` … [OFF].

>>> values = {"api_000": "id,no,9,8,7,TeudatZehut", "api_001_key_2_say": "100"}
>>> result = read_pre_questions(values)
>>> result.questions[0].read.name
'id'
>>> result.warnings
(('api_001_key_2_say', 'pre-question', 'there is no api_001 that it belongs to'),)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from yemot_ai.protocol import Read, Response, lint
from yemot_ai_testing.line.platform.extension import PreQuestion

__all__ = ["PreQuestions", "read_pre_questions"]

_QUESTION: Final = re.compile(r"api_([0-9]{3})")
_KEY_SOUND: Final = re.compile(r"api_([0-9]{3})_key_([0-9*#])_say")
_EXPECTED: Final = frozenset({"reuse", "confirmation"})
"""Warnings for what the official questions do on purpose [OFF]."""


@dataclass(frozen=True, slots=True)
class PreQuestions:
    """The questions of one extension.

    Attributes:
        questions: in the order of their numbers.
        warnings: the key, the code and the message of each warning.
    """

    questions: tuple[PreQuestion, ...]
    warnings: tuple[tuple[str, str, str], ...]


def read_pre_questions(values: Mapping[str, str]) -> PreQuestions:
    """Read the questions among the settings of an extension; never raises.

    Args:
        values: the values by key; other keys are ignored.
    """
    warnings: list[tuple[str, str, str]] = []
    questions = []
    for key in sorted(key for key in values if _QUESTION.fullmatch(key)):
        question, messages = _read_question(key.removeprefix("api_"), values)
        warnings += [(key, "pre-question", message) for message in messages]
        questions += [] if question is None else [question]
    warnings += [(key, "pre-question", message) for key, message in _sounds_without_question(values)]
    return PreQuestions(tuple(questions), tuple(warnings))


def _read_question(number: str, values: Mapping[str, str]) -> tuple[PreQuestion | None, list[str]]:
    """Return a question, None if it cannot be asked, and what is wrong with it."""
    value = values[f"api_{number}"]
    source = f"read=f-{number}={value}"
    problems = [problem for problem in lint(source) if problem.code not in _EXPECTED]
    errors = [problem.message for problem in problems if problem.level == "error"]
    if not errors:
        return _question(number, source, values), [f"{value!r}: {problem.message}" for problem in problems]
    if any(problem.level == "error" for problem in lint(source, lenient=True)):
        return None, [f"{value!r} cannot be asked: {'; '.join(errors)}"]
    message = f"{value!r} is asked by a lenient line only: {'; '.join(errors)}"
    return _question(number, source, values, lenient_only=True), [message]


def _question(
    number: str, source: str, values: Mapping[str, str], *, lenient_only: bool = False
) -> PreQuestion:
    read = next(iter(Response.parse(source, lenient=lenient_only)))
    if not isinstance(read, Read):
        raise TypeError(read)
    return PreQuestion(number, read, tuple(_key_sounds(number, values)), lenient_only)


def _key_sounds(number: str, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each key that has a sound, and the file."""
    for key in "0123456789*#":
        value = values.get(f"api_{number}_key_{key}_say")
        if value is not None:
            yield key, value


def _sounds_without_question(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the sounds of keys that belong to no question."""
    for key in values:
        match = _KEY_SOUND.fullmatch(key)
        if match and f"api_{match[1]}" not in values:
            yield key, f"there is no api_{match[1]} that it belongs to"
