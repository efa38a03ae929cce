"""A call as a row of beats: what each side does, and the silences between, each with its turn.

>>> from yemot_ai_testing.line.transcript import CallerActed, Sound
>>> question = CallerActed(at=0.0, seconds=1.0, name="says", text="שלום")
>>> answer = Sound(at=4.0, seconds=2.0, text="ערב טוב", kind="text")
>>> timeline = build_timeline([TurnEvent(question, 1), TurnEvent(answer, 1)])
>>> [(event.origin, event.seconds) for event in timeline]
[('caller', 1.0), ('silence', 3.0), ('line', 2.0)]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from yemot_ai_testing.line.transcript import (
    Beep,
    CallEnded,
    CallerActed,
    CallEvent,
    ExtensionEntered,
    HoldMusic,
    Sound,
    SystemSound,
)
from yemot_ai_testing.scenario.format.model import SilenceLimits

__all__ = ["MIN_SHOWN_SILENCE", "Origin", "SilenceGrade", "TimelineEvent", "TurnEvent", "build_timeline"]

MIN_SHOWN_SILENCE = 1.0
"""Seconds of silence from which on it is shown, though no bound is passed."""

Origin: TypeAlias = Literal["caller", "line", "platform", "silence", "place"]
SilenceGrade: TypeAlias = Literal["", "long", "too_long"]


@dataclass(frozen=True, slots=True)
class TurnEvent:
    """An event of a call, and where in its scenario it belongs.

    Attributes:
        event: the event.
        turn: the number of its turn, from 1; 0 for what came after the last one.
        silence_limits: how long the line may be silent in that turn.
    """

    event: CallEvent
    turn: int
    silence_limits: SilenceLimits | None = None


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One thing that happens, or one silence.

    Attributes:
        at: when it begins, in seconds since the call began.
        seconds: how long it lasts; 0 for what takes no time.
        origin: whose it is.
        kind: the caller's verb (``says``, ``presses`` …), else ``speaks``, ``beeps``, ``music``, ``silence``,
            ``enters`` or ``ends``.
        text: what is said or done.
        grade: of a silence, whether it passes the turn's first bound (``long``) or its last (``too_long``).
        bound: the bound that it passes, in seconds.
        turn: the number of its turn, from 1; 0 for what came after the last one.
    """

    at: float
    seconds: float
    origin: Origin
    kind: str
    text: str = ""
    grade: SilenceGrade = ""
    bound: float | None = None
    turn: int = 0


def build_timeline(call: Iterable[TurnEvent]) -> list[TimelineEvent]:
    """Return what happens in the order in which it begins, silences in their places."""
    ordered = sorted(call, key=lambda one: one.event.at)  # music is noted when it ends
    return list(_iterate_timeline(ordered, ordered[0].event.at)) if ordered else []


def _iterate_timeline(ordered: list[TurnEvent], began: float) -> Iterator[TimelineEvent]:
    last: TurnEvent | None = None
    quiet_since = began
    for one in ordered:
        event = one.event
        if not isinstance(event, ExtensionEntered):
            if last is not None:
                yield from _silence(quiet_since - began, event.at - quiet_since, last)
            quiet_since = _silent_from(event, quiet_since)
            last = one
        if not isinstance(event, HoldMusic) or event.seconds >= MIN_SHOWN_SILENCE:
            yield _timeline_event(event, round(event.at - began, 3), one.turn)


def _silence(at: float, seconds: float, after: TurnEvent) -> Iterator[TimelineEvent]:
    """Yield a silence, unless it is too short; it belongs to the turn in which it begins."""
    seconds = round(seconds, 3)
    grade, bound = _grade_silence(seconds, after.silence_limits)
    if grade or seconds >= MIN_SHOWN_SILENCE:
        yield TimelineEvent(
            round(at, 3), seconds, "silence", "silence", grade=grade, bound=bound, turn=after.turn
        )


def _grade_silence(seconds: float, limits: SilenceLimits | None) -> tuple[SilenceGrade, float | None]:
    if limits is None or seconds <= limits.warn:
        return "", None
    return ("too_long", limits.fail) if seconds > limits.fail else ("long", limits.warn)


def _silent_from(event: CallEvent, before: float) -> float:
    """Return when silence begins; a caller who does something while the line speaks ends what was said."""
    if isinstance(event, CallerActed):
        return event.at + event.seconds
    return max(before, event.at + (0.0 if isinstance(event, ExtensionEntered | CallEnded) else event.seconds))


def _timeline_event(event: CallEvent, at: float, turn: int) -> TimelineEvent:
    seconds = 0.0 if isinstance(event, ExtensionEntered | CallEnded) else round(event.seconds, 3)
    who, deed, text = _origin_kind_text(event)
    return TimelineEvent(at, seconds, who, deed, text, turn=turn)


def _origin_kind_text(event: CallEvent) -> tuple[Origin, str, str]:
    match event:
        case CallerActed(name=name, text=text):
            return "caller", name, text
        case Sound(text=text):
            return "line", "speaks", text
        case SystemSound():
            return "platform", "speaks", str(event)
        case Beep() | HoldMusic():
            return "platform", "beeps" if isinstance(event, Beep) else "music", str(event)
        case ExtensionEntered():
            return "place", "enters", str(event)
        case CallEnded(reason=why):
            return "place", "ends", why
