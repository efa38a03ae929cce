"""A call drawn to scale along one line: who is heard when, and where nobody is.

Places are percents from the right edge, where a call begins on a page that is read from right to left.

>>> from yemot_ai_testing.scenario.play.timeline import TimelineEvent
>>> timeline = [TimelineEvent(0, 2, "caller", "says"), TimelineEvent(2, 2, "silence", "silence")]
>>> strip = TimelineStrip.from_timeline(timeline, [])
>>> [(part.kind, part.x, part.width) for part in strip.segments]
[('caller', 50.0, 50.0), ('silence', 0.0, 50.0)]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from yemot_ai_testing.scenario.play.timeline import TimelineEvent
from yemot_ai_testing.scenario.report.html.words import EVENT_LABELS, format_clock, format_seconds

__all__ = ["StripMarker", "StripSegment", "StripTick", "TimelineStrip"]

STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
MOST_TICKS = 6
LEAST_WIDTH = 0.6
"""Percent; what is shorter could not be seen."""

MARKER_KINDS = frozenset({"presses", "hangs up", "repeats", "dials", "is silent", "ends", "enters"})


@dataclass(frozen=True, slots=True)
class StripSegment:
    """A stretch of time; ``x`` is its left edge."""

    kind: str
    grade: str
    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class StripMarker:
    """A moment."""

    kind: str
    x: float
    title: str


@dataclass(frozen=True, slots=True)
class StripTick:
    """A time on the scale."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class TimelineStrip:
    """The whole call.

    Attributes:
        seconds: how long it was.
        segments: who is heard when, and silences.
        markers: keys, hang-ups, polls.
        ticks: the scale.
    """

    seconds: float
    segments: tuple[StripSegment, ...]
    markers: tuple[StripMarker, ...]
    ticks: tuple[StripTick, ...]

    @classmethod
    def from_timeline(cls, timeline: Iterable[TimelineEvent], polls: Iterable[float]) -> Self:
        """Draw ``timeline``, and marks at the times of ``polls``."""
        call = list(timeline)
        length = max((beat.at + beat.seconds for beat in call), default=0.0)
        whole = max(length, 1.0)
        marks = [*map(_marker_for(whole), (beat for beat in call if beat.kind in MARKER_KINDS))]
        marks += [StripMarker("polls", _from_right(at, whole), _tooltip("polls", "", at)) for at in polls]
        parts = tuple(_segment(beat, whole) for beat in call if beat.seconds)
        return cls(length, parts, tuple(marks), tuple(_ticks(whole)))


def _segment(beat: TimelineEvent, whole: float) -> StripSegment:
    width = max(beat.seconds / whole * 100, LEAST_WIDTH)
    x = max(_from_right(beat.at, whole) - width, 0.0)
    kind = beat.kind.replace(" ", "-") if beat.kind in {"music", "is silent"} else beat.origin
    title = f"{_tooltip(beat.kind, beat.text, beat.at)} ({format_seconds(beat.seconds)})"
    return StripSegment(kind, beat.grade, round(x, 3), round(width, 3), title)


def _marker_for(whole: float) -> Callable[[TimelineEvent], StripMarker]:
    return lambda beat: StripMarker(
        beat.kind.replace(" ", "-"), _from_right(beat.at, whole), _tooltip(beat.kind, beat.text, beat.at)
    )


def _ticks(whole: float) -> Iterable[StripTick]:
    step = next((step for step in STEPS if whole / step <= MOST_TICKS), whole / MOST_TICKS)
    for number in range(math.floor(whole / step) + 1):
        at = number * step
        yield StripTick(_from_right(at, whole), f"{int(at // 60)}:{int(at % 60):02}")


def _from_right(at: float, whole: float) -> float:
    return round(100 - at / whole * 100, 3)


def _tooltip(kind: str, text: str, at: float) -> str:
    return f"{format_clock(at)} {EVENT_LABELS.get(kind, kind)} {text}".rstrip()
