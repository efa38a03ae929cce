"""A call drawn to scale along one line: who is heard when, and where nobody is.

Places are percents from the right edge, where a call begins on a page that is read from right to left.

>>> from yemot_ai_testing.scenario.play.timeline import Beat
>>> strip = Strip.of([Beat(0.0, 2.0, "caller", "says"), Beat(2.0, 2.0, "silence", "silence")], [])
>>> [(part.kind, part.x, part.width) for part in strip.parts]
[('caller', 50.0, 50.0), ('silence', 0.0, 50.0)]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from yemot_ai_testing.scenario.play.timeline import Beat
from yemot_ai_testing.scenario.report.html.words import DEEDS, clock, seconds

__all__ = ["Mark", "Part", "Strip", "Tick"]

STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
MOST_TICKS = 6
LEAST_WIDTH = 0.6
"""Percent; what is shorter could not be seen."""

MARKED = frozenset({"presses", "hangs up", "repeats", "dials", "is silent", "ends", "enters"})


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of time; ``x`` is its left edge."""

    kind: str
    grade: str
    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment."""

    kind: str
    x: float
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A time on the scale."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Strip:
    """The whole call.

    Attributes:
        seconds: how long it was.
        parts: who is heard when, and silences.
        marks: keys, hang-ups, polls.
        ticks: the scale.
    """

    seconds: float
    parts: tuple[Part, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]

    @classmethod
    def of(cls, beats: Iterable[Beat], polls: Iterable[float]) -> Self:
        """Draw ``beats``, and marks at the times of ``polls``."""
        call = list(beats)
        length = max((beat.at + beat.seconds for beat in call), default=0.0)
        whole = max(length, 1.0)
        marks = [*map(_mark_of(whole), (beat for beat in call if beat.deed in MARKED))]
        marks += [Mark("polls", _from_right(at, whole), _titled("polls", "", at)) for at in polls]
        parts = tuple(_part(beat, whole) for beat in call if beat.seconds)
        return cls(length, parts, tuple(marks), tuple(_ticks(whole)))


def _part(beat: Beat, whole: float) -> Part:
    width = max(beat.seconds / whole * 100, LEAST_WIDTH)
    x = max(_from_right(beat.at, whole) - width, 0.0)
    kind = beat.deed.replace(" ", "-") if beat.deed in {"music", "is silent"} else beat.who
    title = f"{_titled(beat.deed, beat.text, beat.at)} ({seconds(beat.seconds)})"
    return Part(kind, beat.grade, round(x, 3), round(width, 3), title)


def _mark_of(whole: float) -> Callable[[Beat], Mark]:
    return lambda beat: Mark(
        beat.deed.replace(" ", "-"), _from_right(beat.at, whole), _titled(beat.deed, beat.text, beat.at)
    )


def _ticks(whole: float) -> Iterable[Tick]:
    step = next((step for step in STEPS if whole / step <= MOST_TICKS), whole / MOST_TICKS)
    for number in range(math.floor(whole / step) + 1):
        at = number * step
        yield Tick(_from_right(at, whole), f"{int(at // 60)}:{int(at % 60):02}")


def _from_right(at: float, whole: float) -> float:
    return round(100 - at / whole * 100, 3)


def _titled(deed: str, text: str, at: float) -> str:
    return f"{clock(at)} {DEEDS.get(deed, deed)} {text}".rstrip()
