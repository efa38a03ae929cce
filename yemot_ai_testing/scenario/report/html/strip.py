"""A timeline strip: a call drawn to scale, with speech and silences.

Positions are percent of the width; a call begins at the right edge, because the page is right-to-left.

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
MAX_TICKS = 6
MIN_WIDTH = 0.6
"""Percent; the minimum width of a visible segment."""

MARKER_KINDS = frozenset({"presses", "hangs up", "repeats", "dials", "is silent", "ends", "enters"})


@dataclass(frozen=True, slots=True)
class StripSegment:
    """A period of time; ``x`` is its left edge."""

    kind: str
    grade: str
    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class StripMarker:
    """An instant."""

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
    """The scale call.

    Attributes:
        seconds: its duration.
        segments: speech and silences.
        markers: keys, hang-ups, polls.
        ticks: the time scale.
    """

    seconds: float
    segments: tuple[StripSegment, ...]
    markers: tuple[StripMarker, ...]
    ticks: tuple[StripTick, ...]

    @classmethod
    def from_timeline(cls, timeline: Iterable[TimelineEvent], polls: Iterable[float]) -> Self:
        """Draw ``timeline``, and markers at the times of ``polls``."""
        events = list(timeline)
        duration = max((event.at + event.seconds for event in events), default=0.0)
        scale = max(duration, 1.0)
        markers = [*map(_marker_for(scale), (event for event in events if event.kind in MARKER_KINDS))]
        markers += [StripMarker("polls", _from_right(at, scale), _tooltip("polls", "", at)) for at in polls]
        segments = tuple(_segment(event, scale) for event in events if event.seconds)
        return cls(duration, segments, tuple(markers), tuple(_ticks(scale)))


def _segment(event: TimelineEvent, scale: float) -> StripSegment:
    width = max(event.seconds / scale * 100, MIN_WIDTH)
    x = max(_from_right(event.at, scale) - width, 0.0)
    kind = event.kind.replace(" ", "-") if event.kind in {"music", "is silent"} else event.origin
    title = f"{_tooltip(event.kind, event.text, event.at)} ({format_seconds(event.seconds)})"
    return StripSegment(kind, event.grade, round(x, 3), round(width, 3), title)


def _marker_for(scale: float) -> Callable[[TimelineEvent], StripMarker]:
    return lambda event: StripMarker(
        event.kind.replace(" ", "-"), _from_right(event.at, scale), _tooltip(event.kind, event.text, event.at)
    )


def _ticks(scale: float) -> Iterable[StripTick]:
    step = next((step for step in STEPS if scale / step <= MAX_TICKS), scale / MAX_TICKS)
    for number in range(math.floor(scale / step) + 1):
        at = number * step
        yield StripTick(_from_right(at, scale), f"{int(at // 60)}:{int(at % 60):02}")


def _from_right(at: float, scale: float) -> float:
    return round(100 - at / scale * 100, 3)


def _tooltip(kind: str, text: str, at: float) -> str:
    return f"{format_clock(at)} {EVENT_LABELS.get(kind, kind)} {text}".rstrip()
