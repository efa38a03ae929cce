"""What was heard, held against what must be heard."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from yemot_ai.protocol import GoToFolder, Play, Read, Record, Response, Tap, Voice
from yemot_ai_testing.line.exchange import Exchange
from yemot_ai_testing.scenario.hebrew import folded
from yemot_ai_testing.scenario.model import Expectation, ReadFields
from yemot_ai_testing.scenario.outcome import Kind, Mismatch

__all__ = ["Observed", "mismatches", "protocol_mismatches"]

FAULTS = frozenset({"late", "status", "exception", "unreachable", "encoding"})


@dataclass(frozen=True, slots=True)
class Observed:
    """What one turn brought.

    Attributes:
        heard: everything audible.
        exchanges: the requests and answers of the turn, hang-up requests included.
        before: the last answer before the turn, byte for byte.
        ended: the call has left the application.
        dead_air: the longest silence, in seconds.
        question: the read that waits for the caller in the end.
    """

    heard: str
    exchanges: tuple[Exchange, ...]
    before: str
    ended: bool
    dead_air: float
    question: Read | None

    @property
    def responses(self) -> list[Response]:
        """The answers that the line understood."""
        return [one.response for one in self.exchanges if one.response is not None]

    @property
    def raw(self) -> str:
        """The last answer of the turn, byte for byte; of a turn without one, the last before it."""
        return next((one.body for one in reversed(self.exchanges) if not one.hangup), self.before)


def protocol_mismatches(exchanges: Sequence[Exchange]) -> Iterator[Mismatch]:
    """Yield what the line itself has against the answers."""
    for exchange in exchanges:
        for problem in exchange.problems:
            if problem.level == "error":
                kind: Kind = "no_answer" if problem.code in FAULTS else "protocol"
                text = f"{problem.code}: {problem.message}"
                yield Mismatch(kind, f"{text} in {problem.answer!r}" if problem.answer else text)


def mismatches(expected: Expectation, observed: Observed) -> Iterator[Mismatch]:
    """Yield what is not as expected."""
    yield from _words(expected, observed)
    yield from _actions(expected, observed)
    if expected.ends is not None and expected.ends != observed.ended:
        yield Mismatch("ends", "the call goes on" if expected.ends else "the call has ended")
    if expected.within is not None and observed.dead_air > expected.within.fail:
        yield Mismatch(
            "dead_air", f"{observed.dead_air:.1f} s of silence; at most {expected.within.fail:g} s may pass"
        )


def _words(expected: Expectation, observed: Observed) -> Iterator[Mismatch]:
    heard = folded(observed.heard)
    for text in expected.contains:
        if folded(text) not in heard:
            yield Mismatch("heard", f"heard no {text!r}")
    for text in expected.excludes:
        if folded(text) in heard:
            yield Mismatch("heard", f"heard {text!r}, which must not be said")
    if expected.equals is not None and folded(expected.equals) != heard:
        yield Mismatch("heard", f"did not hear exactly {expected.equals!r}")
    if expected.matches is not None and not re.search(expected.matches, heard):
        yield Mismatch("heard", f"heard nothing that matches {expected.matches!r}")


def _actions(expected: Expectation, observed: Observed) -> Iterator[Mismatch]:
    if expected.read is not None:
        yield from _asked(expected.read, observed)
    if expected.play and not any(_plays(response, expected.play) for response in observed.responses):
        yield Mismatch("response", f"no id_list_message plays {'.'.join(expected.play)!r}")
    if expected.goto is not None:
        targets = [a.target for r in observed.responses for a in r if isinstance(a, GoToFolder)]
        if expected.goto not in targets:
            yield Mismatch("response", f"no go_to_folder={expected.goto}, but {targets or 'none at all'}")
    if expected.same is not None and expected.same != (observed.raw == observed.before):
        wrong = f"the answer is another: {observed.raw!r}, before {observed.before!r}"
        yield Mismatch("response", wrong if expected.same else f"the answer is the same: {observed.raw!r}")


def _asked(expected: ReadFields | Literal[False], observed: Observed) -> Iterator[Mismatch]:
    read = observed.question
    if not isinstance(expected, ReadFields):
        if read is not None:
            yield Mismatch("response", f"the line reads something: {read}")
        return
    if read is None:
        yield Mismatch("response", f"the line reads nothing; the last answer was {observed.raw!r}")
        return
    for name, wanted in expected.expected.items():
        found = _field(read, name)
        if found != wanted:
            yield Mismatch("response", f"read.{name} is {found}, not {wanted}: {read}")


def _field(read: Read, name: str) -> str:
    if name == "mode":
        return _mode(read.mode)
    value = getattr(read, name) if name in {"name", "reuse"} else getattr(read.mode, name, "not there")
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return ".".join(value) if isinstance(value, tuple) else str(value)


def _mode(mode: Tap | Voice | Record) -> str:
    match mode:
        case Tap():
            return "tap"
        case Voice():
            return "voice"
        case Record():
            return "record"
        case _:
            assert_never(mode)


def _plays(response: Response, expected: tuple[str, ...]) -> bool:
    for action in response:
        if isinstance(action, Play):
            played = tuple(str(message) for message in action.messages)
            if any(played[at : at + len(expected)] == expected for at in range(len(played))):
                return True
    return False
