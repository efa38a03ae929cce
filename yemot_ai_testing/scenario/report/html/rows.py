"""A turn as rows below each other: bubbles, keys, silences and small marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

from yemot_ai_testing.scenario.play.timeline import SilenceGrade, TimelineEvent
from yemot_ai_testing.scenario.report.call_record import TurnRecord
from yemot_ai_testing.scenario.report.html.words import END_REASONS, EVENT_LABELS

__all__ = ["PIXELS_PER_SECOND", "Row", "polls", "rows"]

PIXELS_PER_SECOND = 16
MAX_DRAWN_SECONDS = 40.0
"""Seconds of silence that are drawn to scale; what is longer is drawn broken."""

RowShape: TypeAlias = Literal["bubble", "keys", "silence", "mark"]
ROW_SHAPES: dict[str, RowShape] = {
    "says": "bubble",
    "speaks": "bubble",
    "presses": "keys",
    "silence": "silence",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        shape: what it looks like.
        kind: whose it is, or of a mark what it marks.
        at: seconds since the call began.
        label: what it is, in words.
        texts: what is said; each was an utterance of its own.
        seconds: how long it lasts.
        grade: of a silence, whether it passes a bound.
        bound: that bound, in seconds.
    """

    shape: RowShape
    kind: str
    at: float
    label: str
    texts: tuple[str, ...] = ()
    seconds: float = 0.0
    grade: SilenceGrade = ""
    bound: float | None = None

    @property
    def height(self) -> int:
        """Of a silence, its height in pixels, to scale."""
        return round(min(self.seconds, MAX_DRAWN_SECONDS) * PIXELS_PER_SECOND)

    @property
    def broken(self) -> bool:
        """Whether it is too long to be drawn to scale."""
        return self.seconds > MAX_DRAWN_SECONDS


def rows(turn: TurnRecord) -> list[Row]:
    """Return the rows of ``turn`` in the order in which they begin."""
    marks = [Row("mark", "polls", at, EVENT_LABELS["polls"]) for at in polls(turn)]
    return sorted(
        [*marks, *_merge_speech(map(_row, _without_dialled_extension(turn.timeline)))], key=lambda row: row.at
    )


def polls(turn: TurnRecord) -> Iterator[float]:
    """Yield when the line asked again by itself: in the same place, without the caller's doing."""
    done = [beat.at for beat in turn.timeline if beat.origin == "caller"]
    asked = [one for one in turn.exchanges if not one.hangup]
    for before, one in pairwise(asked):
        if one.extension == before.extension and not any(before.at <= at <= one.at for at in done):
            yield one.at


def _without_dialled_extension(timeline: Iterable[TimelineEvent]) -> Iterator[TimelineEvent]:
    """Yield ``timeline`` without the place that a caller enters by dialling it."""
    dialled: str | None = None
    for beat in timeline:
        if beat.kind != "enters" or beat.text != dialled:
            yield beat
        dialled = beat.text if beat.kind == "dials" else None


def _row(beat: TimelineEvent) -> Row:
    shape = ROW_SHAPES.get(beat.kind, "mark")
    kind = beat.origin if shape == "bubble" else beat.kind.replace(" ", "-")
    label = EVENT_LABELS.get(beat.kind, beat.kind)
    if beat.origin == "platform" and shape == "bubble":
        label = "הפלטפורמה אומרת"
    return Row(shape, kind, beat.at, label, _texts(beat), beat.seconds, beat.grade, beat.bound)


def _texts(beat: TimelineEvent) -> tuple[str, ...]:
    if beat.kind in {"repeats", "beeps", "silence"} or not beat.text:
        return ()
    if beat.kind == "presses":
        return tuple(beat.text)
    return (END_REASONS.get(beat.text, beat.text) if beat.kind == "ends" else beat.text,)


def _merge_speech(several: Iterable[Row]) -> list[Row]:
    """Join what one side says in one breath."""
    joined: list[Row] = []
    for row in several:
        last = joined[-1] if joined else None
        if last is not None and row.shape == last.shape == "bubble" and row.kind == last.kind:
            joined[-1] = Row("bubble", row.kind, last.at, last.label, last.texts + row.texts)
        else:
            joined.append(row)
    return joined
