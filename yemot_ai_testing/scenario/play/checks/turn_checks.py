"""Compare what was heard in a turn with its expectations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from yemot_ai.protocol import Action, GoToFolder, Play, Read
from yemot_ai.protocol.fields.white_space import is_blank
from yemot_ai.protocol.grammar import parse_response
from yemot_ai_testing.line.exchange import LineExchange, LineProblem
from yemot_ai_testing.scenario.format.model import Edit, Expectation
from yemot_ai_testing.scenario.play.checks.canonical import canonical_messages, canonical_target
from yemot_ai_testing.scenario.play.checks.read_fields import read_fields, written_text
from yemot_ai_testing.scenario.play.checks.text_folding import fold_text, is_heard, is_whole_text
from yemot_ai_testing.scenario.play.checks.verb_hints import as_scenario_keys
from yemot_ai_testing.scenario.play.ending import Ender, ending_problem
from yemot_ai_testing.scenario.play.result import Mismatch, MismatchKind

__all__ = [
    "ObservedTurn",
    "expectation_mismatches",
    "is_mistaken_move",
    "move_mismatches",
    "problem_text",
    "protocol_mismatches",
]

A = TypeVar("A", bound=Action)
MISSING = "not there"
EMPTY_TEXT = "has an empty text, which is in every other: leave it out, or write equals: ''"
PROBLEM_KINDS: Mapping[str, MismatchKind] = {
    **dict.fromkeys(("late", "status", "exception", "unreachable", "encoding"), "no_answer"),
    "blocked-loop": "dead_air",
}
"""By the codes of problems that are not about the text of a response: the kinds of failure."""


@dataclass(frozen=True, slots=True)
class ObservedTurn:
    """The observed result of one turn.

    Attributes:
        heard: everything audible.
        exchanges: the requests and responses of the turn, with hang-up requests.
        previous_raw: the last response before the turn, byte for byte.
        ender: who ended the call; None if it continues.
        dead_air: the longest silence, in seconds.
        question: the read that waits for the caller at the end of the turn.
        sentences: what was heard, one item for each sound; empty if unknown.
    """

    heard: str
    exchanges: tuple[LineExchange, ...]
    previous_raw: str
    ender: Ender | None
    dead_air: float
    question: Read | None
    sentences: tuple[str, ...] = ()

    def actions(self, kind: type[A]) -> list[A]:
        """Return the actions of ``kind`` in the responses that the line could parse."""
        responses = (exchange.response or () for exchange in self.exchanges)
        return [action for response in responses for action in response if isinstance(action, kind)]

    @property
    def raw(self) -> str:
        """The last response of the turn, byte for byte; if it has none, the last one before it."""
        bodies = (exchange.body for exchange in reversed(self.exchanges) if not exchange.hangup)
        return next(bodies, self.previous_raw)


def protocol_mismatches(exchanges: Sequence[LineExchange]) -> Iterator[Mismatch]:
    """Yield the errors that the line found in the responses."""
    for exchange in exchanges:
        for problem in exchange.problems:
            if problem.level == "error":
                kind = PROBLEM_KINDS.get(problem.code, "protocol")
                yield Mismatch(kind, problem_text(problem) + _lenient_hint(kind, exchange))


def is_mistaken_move(problem: LineProblem) -> bool:
    """Return whether a problem is a move of the application for which it has no handler."""
    return problem.code == "no-handler" and problem.level == "error"


def move_mismatches(problems: Sequence[LineProblem]) -> Iterator[Mismatch]:
    """Yield the moves for which the application has no handler; the line finds them after a response."""
    return (Mismatch("app_error", problem_text(problem)) for problem in problems if is_mistaken_move(problem))


def _lenient_hint(kind: MismatchKind, exchange: LineExchange) -> str:
    """Return how an old line would understand a response that this line does not; empty if it would not."""
    if kind != "protocol" or parse_response(exchange.body, lenient=True).error is not None:
        return ""
    return "; a line that ignores it is caller: {line: {lenient: true}}"


def problem_text(problem: LineProblem) -> str:
    """Return a problem of a response with the response and what to change, for readers of scenario files."""
    text = f"{problem.code}: {as_scenario_keys(problem.message)}"
    text = f"{text} in {problem.body!r}" if problem.body else text
    return f"{text}; {as_scenario_keys(problem.hint)}" if problem.hint else text


def expectation_mismatches(expected: Expectation, observed: ObservedTurn) -> Iterator[Mismatch]:
    """Yield the differences between expectation and observation."""
    yield from _check_texts(expected, observed)
    yield from _check_actions(expected, observed)
    problem = ending_problem(expected.ends, observed.ender)
    if problem is not None:
        yield Mismatch("ends", problem)
    if expected.within is not None and expected.within.grade(observed.dead_air) == "too_long":
        yield Mismatch(
            "dead_air", f"{observed.dead_air:.1f} s of silence; at most {expected.within.fail:g} s may pass"
        )


def _check_texts(expected: Expectation, observed: ObservedTurn) -> Iterator[Mismatch]:
    heard = observed.heard
    for key, texts in (("contains", expected.contains), ("excludes", expected.excludes)):
        if any(map(is_blank, texts)):
            yield Mismatch("heard", f"{key} {EMPTY_TEXT}")
    missing = [number for number, text in enumerate(expected.contains) if not is_heard(text, heard)]
    instead = _heard_instead(expected.contains, missing, observed)
    for number in missing:
        text = expected.contains[number]
        correction = Edit(("contains", number), text, instead[number]) if fold_text(heard) else None
        yield Mismatch("heard", f"did not hear {text!r}", correction)
    for text in expected.excludes:
        if not is_blank(text) and is_heard(text, heard):
            yield Mismatch("heard", f"heard {text!r}, which must not be said")
    if expected.equals is not None and not is_whole_text(expected.equals, heard):
        correction = Edit(("equals",), expected.equals, heard)
        yield Mismatch("heard", f"did not hear exactly {expected.equals!r}", correction)
    spellings = (heard, fold_text(heard))
    if expected.matches is not None and not any(re.search(expected.matches, text) for text in spellings):
        yield Mismatch("heard", f"heard nothing that matches {expected.matches!r}")


def _heard_instead(contains: Sequence[str], missing: Sequence[int], observed: ObservedTurn) -> dict[int, str]:
    """Return what was heard instead of each missing text: one sentence each, if they can be matched."""
    present = [text for number, text in enumerate(contains) if number not in missing]
    unmatched = [
        sentence for sentence in observed.sentences if not any(is_heard(text, sentence) for text in present)
    ]
    if len(missing) == 1 and unmatched and " ".join(unmatched) in observed.heard:
        return {missing[0]: " ".join(unmatched)}
    if len(missing) == len(unmatched):
        return dict(zip(missing, unmatched, strict=True))
    return dict.fromkeys(missing, observed.heard)


def _check_actions(expected: Expectation, observed: ObservedTurn) -> Iterator[Mismatch]:
    asks = expected.ends != "maybe" or observed.ender is None  # after the end there is no question
    if expected.read is not None and asks:
        yield from _check_read(expected.read, observed)
    if expected.play:
        yield from _check_play(expected.play, observed)
    if expected.goto is not None:
        targets = [action.target for action in observed.actions(GoToFolder)]
        if canonical_target(expected.goto) not in targets:
            correction = Edit(("goto",), expected.goto, targets[-1]) if targets else None
            message = f"no go_to_folder={expected.goto}, but {', '.join(targets) or 'none at all'}"
            yield Mismatch("response", message, correction)
    if expected.same is not None and expected.same != (observed.raw == observed.previous_raw):
        changed = f"the response has changed: {observed.raw!r}, before {observed.previous_raw!r}"
        yield Mismatch(
            "response", changed if expected.same else f"the response is the same: {observed.raw!r}"
        )


def _check_read(
    expected: Mapping[str, str | tuple[str, ...]] | Literal[False], observed: ObservedTurn
) -> Iterator[Mismatch]:
    read = observed.question
    if expected is False:
        if read is not None:
            yield Mismatch("response", f"expected no read, got {written_text(read, observed.raw)}")
        return
    if read is None:
        yield Mismatch("response", f"expected a read, got none; the last response was {observed.raw!r}")
        return
    fields = read_fields(read, observed.raw)
    for name, value in expected.items():
        field = fields.get(name)
        if field is not None and field.matches(value):
            continue
        text = value if isinstance(value, str) else f"[{', '.join(value)}]"
        message = f"read.{name} is {field or MISSING}, not {text}: {written_text(read, observed.raw)}"
        correction = (
            None if field is None else Edit(("read", name), *map(_null_to_none, (text, field.corrected)))
        )
        yield Mismatch("response", message, correction)


def _check_play(written: tuple[str, ...], observed: ObservedTurn) -> Iterator[Mismatch]:
    expected = tuple(message for text in written for message in canonical_messages(text))
    plays = [tuple(str(message) for message in action.messages) for action in observed.actions(Play)]
    windows = [window for played in plays for window in _windows(played, len(expected))]
    if expected in windows:
        return
    closest = max(
        windows,
        key=lambda window: sum(actual == message for actual, message in zip(window, expected, strict=True)),
        default=None,
    )
    played_texts = ", ".join(map(".".join, plays)) or "none at all"
    problem = f"no id_list_message plays {'.'.join(written)}, but {played_texts}"
    if closest is None or len(written) != len(expected):
        yield Mismatch("response", problem)
        return
    for number, (message, actual) in enumerate(zip(expected, closest, strict=True)):
        if message != actual:
            yield Mismatch("response", problem, Edit(("play", number), written[number], actual))


def _windows(played: tuple[str, ...], length: int) -> list[tuple[str, ...]]:
    return [played[start : start + length] for start in range(len(played) - length + 1)]


def _null_to_none(field_text: str) -> str | None:
    return None if field_text == "null" else field_text
