"""A turn as rows below each other: bubbles, keys, silences and small marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

from yemot_ai_testing.scenario.play.timeline import Beat, Grade
from yemot_ai_testing.scenario.report.call_record import TurnRecord
from yemot_ai_testing.scenario.report.html.words import DEEDS, WHYS

__all__ = ["PIXELS_PER_SECOND", "Row", "polls", "rows"]

PIXELS_PER_SECOND = 16
LONGEST_DRAWN = 40.0
"""Seconds of silence that are drawn to scale; what is longer is drawn broken."""

Shape: TypeAlias = Literal["bubble", "keys", "silence", "mark"]
SHAPES: dict[str, Shape] = {"says": "bubble", "speaks": "bubble", "presses": "keys", "silence": "silence"}


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

    shape: Shape
    kind: str
    at: float
    label: str
    texts: tuple[str, ...] = ()
    seconds: float = 0.0
    grade: Grade = ""
    bound: float | None = None

    @property
    def height(self) -> int:
        """Of a silence, its height in pixels, to scale."""
        return round(min(self.seconds, LONGEST_DRAWN) * PIXELS_PER_SECOND)

    @property
    def broken(self) -> bool:
        """Whether it is too long to be drawn to scale."""
        return self.seconds > LONGEST_DRAWN


def rows(turn: TurnRecord) -> list[Row]:
    """Return the rows of ``turn`` in the order in which they begin."""
    marks = [Row("mark", "polls", at, DEEDS["polls"]) for at in polls(turn)]
    return sorted([*marks, *_joined(map(_row, _told(turn.beats)))], key=lambda row: row.at)


def polls(turn: TurnRecord) -> Iterator[float]:
    """Yield when the line asked again by itself: in the same place, without the caller's doing."""
    done = [beat.at for beat in turn.beats if beat.who == "caller"]
    asked = [one for one in turn.exchanges if not one.hangup]
    for before, one in pairwise(asked):
        if one.extension == before.extension and not any(before.at <= at <= one.at for at in done):
            yield one.at


def _told(beats: Iterable[Beat]) -> Iterator[Beat]:
    """Yield ``beats`` without the place that a caller enters by dialling it."""
    dialled: str | None = None
    for beat in beats:
        if beat.deed != "enters" or beat.text != dialled:
            yield beat
        dialled = beat.text if beat.deed == "dials" else None


def _row(beat: Beat) -> Row:
    shape = SHAPES.get(beat.deed, "mark")
    kind = beat.who if shape == "bubble" else beat.deed.replace(" ", "-")
    label = DEEDS.get(beat.deed, beat.deed)
    if beat.who == "platform" and shape == "bubble":
        label = "הפלטפורמה אומרת"
    return Row(shape, kind, beat.at, label, _texts(beat), beat.seconds, beat.grade, beat.bound)


def _texts(beat: Beat) -> tuple[str, ...]:
    if beat.deed in {"repeats", "beeps", "silence"} or not beat.text:
        return ()
    if beat.deed == "presses":
        return tuple(beat.text)
    return (WHYS.get(beat.text, beat.text) if beat.deed == "ends" else beat.text,)


def _joined(several: Iterable[Row]) -> list[Row]:
    """Join what one side says in one breath."""
    joined: list[Row] = []
    for row in several:
        last = joined[-1] if joined else None
        if last is not None and row.shape == last.shape == "bubble" and row.kind == last.kind:
            joined[-1] = Row("bubble", row.kind, last.at, last.label, last.texts + row.texts)
        else:
            joined.append(row)
    return joined
