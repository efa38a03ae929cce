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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from yemot_ai_testing.scenario.play.timeline import TimelineEvent
from yemot_ai_testing.scenario.report.html.words import EVENT_LABELS, format_clock, format_seconds

__all__ = ["StripPart", "TimelineStrip"]

STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
MAX_TICKS = 6
MIN_WIDTH = 0.6
"""Percent; the minimum width of a visible segment."""

MARKER_KINDS = frozenset(
    {"presses", "hangs up", "repeats", "is silent", "ends", "polls", "tool", "tool failed"}
)


@dataclass(frozen=True, slots=True)
class StripPart:
    """A period or an instant.

    Attributes:
        kind: the kind of the event; for speech, the side that speaks.
        x: its left edge.
        title: its description; for a tick of the scale, its time.
        width: its duration; 0 for an instant.
        grade: of a silence, whether it exceeds a limit.
    """

    kind: str
    x: float
    title: str
    width: float = 0.0
    grade: str = ""


@dataclass(frozen=True, slots=True)
class TimelineStrip:
    """A call drawn to scale.

    Attributes:
        seconds: its duration.
        segments: speech and silences.
        markers: keys, hang-ups, polls, tools.
        ticks: the time scale.
    """

    seconds: float
    segments: tuple[StripPart, ...]
    markers: tuple[StripPart, ...]
    ticks: tuple[StripPart, ...]

    @classmethod
    def from_timeline(cls, timeline: Iterable[TimelineEvent], polls: Iterable[TimelineEvent]) -> Self:
        """Draw ``timeline``, and markers for ``polls``."""
        events = list(timeline)
        duration = max((event.at + event.seconds for event in events), default=0.0)
        scale = max(duration, 1.0)
        return cls(
            duration,
            tuple(_segment(event, scale) for event in events if event.seconds),
            tuple(_marker(event, scale) for event in (*events, *polls) if event.kind in MARKER_KINDS),
            tuple(_ticks(scale)),
        )


def _segment(event: TimelineEvent, scale: float) -> StripPart:
    width = max(event.seconds / scale * 100, MIN_WIDTH)
    x = max(_from_right(event.at, scale) - width, 0.0)
    kind = event.kind.replace(" ", "-") if event.kind in {"music", "is silent"} else event.origin
    title = f"{_tooltip(event)} ({format_seconds(event.seconds)})"
    return StripPart(kind, round(x, 3), title, round(width, 3), event.grade)


def _marker(event: TimelineEvent, scale: float) -> StripPart:
    return StripPart(event.kind.replace(" ", "-"), _from_right(event.at, scale), _tooltip(event))


def _ticks(scale: float) -> Iterator[StripPart]:
    step = next((step for step in STEPS if scale / step <= MAX_TICKS), scale / MAX_TICKS)
    for number in range(math.floor(scale / step) + 1):
        at = number * step
        yield StripPart("tick", _from_right(at, scale), f"{int(at // 60)}:{int(at % 60):02}")


def _from_right(at: float, scale: float) -> float:
    return round(100 - at / scale * 100, 3)


def _tooltip(event: TimelineEvent) -> str:
    return f"{format_clock(event.at)} {EVENT_LABELS.get(event.kind, event.kind)} {event.text}".rstrip()
