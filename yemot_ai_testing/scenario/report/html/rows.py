"""The rows of a turn on the page: bubbles, keys, silences and notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Literal, TypeAlias

from yemot_ai_testing.scenario.play.timeline import TimelineEvent, join_speech
from yemot_ai_testing.scenario.report.call_record import TurnRecord
from yemot_ai_testing.scenario.report.html.words import END_REASONS, EVENT_LABELS

__all__ = ["PIXELS_PER_SECOND", "Row", "polls", "rows"]

PIXELS_PER_SECOND = 16
MAX_DRAWN_SECONDS = 40.0
"""Seconds of silence that are drawn to scale; a longer one is cut."""

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
        event: its first event.
        shape: its form; ``mark`` is a note.
        kind: the origin of a bubble, otherwise the kind of the event.
        label: its description.
        texts: what is said, one item for each event.
    """

    event: TimelineEvent
    shape: RowShape
    kind: str
    label: str
    texts: tuple[str, ...]

    @property
    def height(self) -> int:
        """The height of a silence in pixels, to scale."""
        return round(min(self.event.seconds, MAX_DRAWN_SECONDS) * PIXELS_PER_SECOND)

    @property
    def broken(self) -> bool:
        """Whether the silence is too long to be drawn to scale."""
        return self.event.seconds > MAX_DRAWN_SECONDS


def rows(turn: TurnRecord) -> list[Row]:
    """Return the rows of ``turn`` by start; consecutive texts of one side are one bubble."""
    notes = [[poll] for poll in polls(turn)]
    bubbles = join_speech(_without_dialled_extension(turn.timeline), _bubble_side)
    return sorted(map(_row, [*notes, *bubbles]), key=lambda row: row.event.at)


def polls(turn: TurnRecord) -> Iterator[TimelineEvent]:
    """Yield the polls: requests in the same extension, with no caller's action before them."""
    actions = [event.at for event in turn.timeline if event.origin == "caller"]
    exchanges = [exchange for exchange in turn.exchanges if not exchange.hangup]
    for previous, exchange in pairwise(exchanges):
        if exchange.extension == previous.extension and not any(
            previous.at <= at <= exchange.at for at in actions
        ):
            yield TimelineEvent(exchange.at, 0.0, "platform", "polls")


def _without_dialled_extension(timeline: Iterable[TimelineEvent]) -> Iterator[TimelineEvent]:
    """Yield ``timeline`` without the entry into an extension that the caller has just dialled."""
    dialled: str | None = None
    for event in timeline:
        if event.kind != "enters" or event.text != dialled:
            yield event
        dialled = event.text if event.kind == "dials" else None


def _bubble_side(event: TimelineEvent) -> str:
    return event.origin if ROW_SHAPES.get(event.kind) == "bubble" else ""


def _row(events: list[TimelineEvent]) -> Row:
    event = events[0]
    shape = ROW_SHAPES.get(event.kind, "mark")
    kind = event.origin if shape == "bubble" else event.kind.replace(" ", "-")
    label = EVENT_LABELS.get(event.kind, event.kind)
    if event.origin == "platform" and shape == "bubble":
        label = "הפלטפורמה אומרת"
    return Row(event, shape, kind, label, tuple(chain.from_iterable(map(_texts, events))))


def _texts(event: TimelineEvent) -> tuple[str, ...]:
    if event.kind in {"repeats", "beeps", "silence"} or not event.text:
        return ()
    if event.kind == "presses":
        return tuple(event.text)
    return (END_REASONS.get(event.text, event.text) if event.kind == "ends" else event.text,)
