"""Build the timeline of a call: events and the silences between them, each with its turn.

>>> from yemot_ai_testing.line.transcript import CallerActed, Sound
>>> question = CallerActed(at=0.0, seconds=1.0, name="says", text="שלום")
>>> answer = Sound(at=4.0, seconds=2.0, text="ערב טוב", kind="text")
>>> timeline = build_timeline([([question, answer], None)])
>>> [(event.origin, event.seconds) for event in timeline]
[('caller', 1.0), ('silence', 3.0), ('line', 2.0)]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from yemot_ai_testing.line.transcript import (
    Beep,
    CallEnded,
    CallerActed,
    CallEvent,
    ExtensionEntered,
    HoldMusic,
    ServerActed,
    Sound,
    SystemSound,
)
from yemot_ai_testing.scenario.format.model import SilenceGrade, SilenceLimits
from yemot_ai_testing.scenario.play.tools.runs import ToolRun

__all__ = [
    "MIN_SHOWN_SILENCE",
    "Origin",
    "TimedEvent",
    "TimelineEvent",
    "build_timeline",
    "in_order",
    "join_speech",
    "with_tools",
]

MIN_SHOWN_SILENCE = 1.0
"""Seconds; a shorter silence is shown only if it exceeds a limit."""

MAX_SHOWN_RESULT: Final = 200
"""Characters of what a tool returns to the model."""

TimedEvent: TypeAlias = CallEvent | ToolRun
"""What a timeline is made of."""

Origin: TypeAlias = Literal["caller", "line", "platform", "server", "tool", "silence", "place"]


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One event or one silence of a call.

    Attributes:
        at: its start, in seconds since the call began.
        seconds: its duration; 0 for an instant.
        origin: who or what caused it.
        kind: the caller's verb (``says``, ``presses`` …), else ``speaks``, ``beeps``, ``music``, ``silence``,
            ``acts`` (at the server), ``tool``, ``tool failed``, ``enters`` or ``ends``.
        text: the spoken text, the keys, or a description.
        grade: of a silence: ``long`` above the turn's warning limit, ``too_long`` above its failure limit.
        bound: the limit that it exceeds, in seconds.
        turn: the number of its turn, from 1; 0 after the last turn.
    """

    at: float
    seconds: float
    origin: Origin
    kind: str
    text: str = ""
    grade: SilenceGrade = ""
    bound: float | None = None
    turn: int = 0


def build_timeline(
    turns: Iterable[tuple[Iterable[TimedEvent], SilenceLimits | None]], after: Iterable[TimedEvent] = ()
) -> list[TimelineEvent]:
    """Return events and silences in the order of their start.

    Args:
        turns: the events of each turn, and its limits of dead air.
        after: the events after the last turn.
    """
    numbered = [(event, turn, limits) for turn, (events, limits) in enumerate(turns, 1) for event in events]
    numbered += [(event, 0, None) for event in after]
    ordered = sorted(numbered, key=lambda one: one[0].at)  # music is recorded when it ends
    return list(_iterate_timeline(ordered, ordered[0][0].at)) if ordered else []


def with_tools(events: Iterable[CallEvent], tools: Iterable[ToolRun]) -> list[TimedEvent]:
    """Return events and tools; of the same time, a tool comes after what the caller did."""
    caller: list[TimedEvent] = []
    others: list[TimedEvent] = []
    for event in events:
        (caller if isinstance(event, CallerActed) else others).append(event)
    ran = list(tools)
    return [*caller, *ran, *others] if ran else list(events)


def in_order(timeline: list[TimelineEvent]) -> list[TimelineEvent]:
    """Return events by start, also a silence in which a tool ran, which is known only at its end."""
    has_tools = any(event.origin == "tool" for event in timeline)
    return sorted(timeline, key=lambda event: event.at) if has_tools else timeline


def join_speech(
    timeline: Iterable[TimelineEvent], side: Callable[[TimelineEvent], object]
) -> list[list[TimelineEvent]]:
    """Group what one side says without a pause.

    Args:
        timeline: the events.
        side: returns the side that speaks; a false value for an event that is a group of its own.
    """
    groups: list[list[TimelineEvent]] = []
    for event in timeline:
        if groups and side(event) and side(event) == side(groups[-1][-1]):
            groups[-1].append(event)
        else:
            groups.append([event])
    return groups


def _iterate_timeline(
    ordered: list[tuple[TimedEvent, int, SilenceLimits | None]], start: float
) -> Iterator[TimelineEvent]:
    before: tuple[int, SilenceLimits | None] | None = None
    quiet_since = start
    for event, turn, limits in ordered:
        if not isinstance(event, ExtensionEntered | ServerActed | ToolRun):
            if before is not None:
                yield from _silence(quiet_since - start, event.at - quiet_since, *before)
            quiet_since = _silence_start(event, quiet_since)
            before = (turn, limits)
        if not isinstance(event, HoldMusic) or event.seconds >= MIN_SHOWN_SILENCE:
            yield _timeline_event(event, round(event.at - start, 3), turn)


def _silence(at: float, seconds: float, turn: int, limits: SilenceLimits | None) -> Iterator[TimelineEvent]:
    """Yield a silence, unless it is too short; its turn is that of the event before it."""
    at, seconds = round(at, 3), round(seconds, 3)
    grade = limits.grade(seconds) if limits else ""
    bound = {"too_long": limits.fail, "long": limits.warn}.get(grade) if limits else None
    if grade or seconds >= MIN_SHOWN_SILENCE:
        yield TimelineEvent(at, seconds, "silence", "silence", grade=grade, bound=bound, turn=turn)


def _silence_start(event: CallEvent, previous: float) -> float:
    """Return when the silence after ``event`` begins; an action of the caller stops what the line plays."""
    end = event.at + _seconds(event)
    return end if isinstance(event, CallerActed) else max(previous, end)


def _seconds(event: CallEvent) -> float:
    return 0.0 if isinstance(event, ExtensionEntered | ServerActed | CallEnded) else event.seconds


def _timeline_event(event: TimedEvent, at: float, turn: int) -> TimelineEvent:
    if isinstance(event, ToolRun):
        kind = "tool failed" if event.has_failed else "tool"
        return TimelineEvent(at, 0.0, "tool", kind, _tool_text(event), turn=turn)
    origin, kind = _origin_kind(event)
    text = event.text if isinstance(event, CallerActed) else str(event)
    return TimelineEvent(at, round(_seconds(event), 3), origin, kind, text, turn=turn)


def _tool_text(run: ToolRun) -> str:
    """Return the call of a tool, its seconds, and its result or why it has none."""
    seconds = f"{run.seconds:.1f} s" if run.times and run.done else ""
    how = ", ".join(filter(None, (seconds, run.outcome)))
    result = run.message or run.result
    result = result if len(result) <= MAX_SHOWN_RESULT else f"{result[:MAX_SHOWN_RESULT]}…"
    return f"{run}{f' ({how})' if how else ''}{f' → {result}' if result else ''}"


def _origin_kind(event: CallEvent) -> tuple[Origin, str]:
    match event:
        case CallerActed(name=name):
            return "caller", name
        case Sound():
            return "line", "speaks"
        case SystemSound():
            return "platform", "speaks"
        case Beep() | HoldMusic():
            return "platform", "beeps" if isinstance(event, Beep) else "music"
        case ServerActed():
            return "server", "acts"
        case ExtensionEntered() | CallEnded():
            return "place", "ends" if isinstance(event, CallEnded) else "enters"
