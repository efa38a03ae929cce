"""A call as a row of beats: what each side does, and the silences between, each with its turn.

>>> from yemot_ai_testing.line.transcript import Sound, Transcript, Verb
>>> asked = Verb(at=0.0, seconds=1.0, name="says", text="שלום")
>>> answered = Sound(at=4.0, seconds=2.0, text="ערב טוב", kind="text")
>>> [(beat.who, beat.seconds) for beat in beats([Happened(asked, 1), Happened(answered, 1)])]
[('caller', 1.0), ('silence', 3.0), ('line', 2.0)]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from yemot_ai_testing.line.transcript import Beep, Ended, Event, HoldMusic, Moved, Sound, SystemSound, Verb
from yemot_ai_testing.scenario.format.model import Within

__all__ = ["QUIET", "Beat", "Grade", "Happened", "Who", "beats"]

QUIET = 1.0
"""Seconds of silence from which on it is shown, though no bound is passed."""

Who: TypeAlias = Literal["caller", "line", "platform", "silence", "place"]
Grade: TypeAlias = Literal["", "long", "too_long"]


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a call, and where in its scenario it belongs.

    Attributes:
        event: the event.
        turn: the number of its turn, from 1; 0 for what came after the last one.
        within: how long the line may be silent in that turn.
    """

    event: Event
    turn: int
    within: Within | None = None


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing that happens, or one silence.

    Attributes:
        at: when it begins, in seconds since the call began.
        seconds: how long it lasts; 0 for what takes no time.
        who: whose it is.
        deed: the caller's verb (``says``, ``presses`` …), else ``speaks``, ``beeps``, ``music``, ``silence``,
            ``enters`` or ``ends``.
        text: what is said or done.
        grade: of a silence, whether it passes the turn's first bound (``long``) or its last (``too_long``).
        bound: the bound that it passes, in seconds.
        turn: the number of its turn, from 1; 0 for what came after the last one.
    """

    at: float
    seconds: float
    who: Who
    deed: str
    text: str = ""
    grade: Grade = ""
    bound: float | None = None
    turn: int = 0


def beats(call: Iterable[Happened]) -> list[Beat]:
    """Return what happens in the order in which it begins, silences in their places."""
    ordered = sorted(call, key=lambda one: one.event.at)  # music is noted when it ends
    return list(_beats(ordered, ordered[0].event.at)) if ordered else []


def _beats(ordered: list[Happened], began: float) -> Iterator[Beat]:
    last: Happened | None = None
    quiet_since = began
    for one in ordered:
        event = one.event
        if not isinstance(event, Moved):
            if last is not None:
                yield from _silence(quiet_since - began, event.at - quiet_since, last)
            quiet_since = _quiet_from(event, quiet_since)
            last = one
        if not isinstance(event, HoldMusic) or event.seconds >= QUIET:
            yield _beat(event, round(event.at - began, 3), one.turn)


def _silence(at: float, seconds: float, after: Happened) -> Iterator[Beat]:
    """Yield a silence, unless it is too short; it belongs to the turn in which it begins."""
    seconds = round(seconds, 3)
    grade, bound = _graded(seconds, after.within)
    if grade or seconds >= QUIET:
        yield Beat(round(at, 3), seconds, "silence", "silence", grade=grade, bound=bound, turn=after.turn)


def _graded(seconds: float, within: Within | None) -> tuple[Grade, float | None]:
    if within is None or seconds <= within.warn:
        return "", None
    return ("too_long", within.fail) if seconds > within.fail else ("long", within.warn)


def _quiet_from(event: Event, before: float) -> float:
    """Return when silence begins; a caller who does something while the line speaks ends what was said."""
    if isinstance(event, Verb):
        return event.at + event.seconds
    return max(before, event.at + (0.0 if isinstance(event, Moved | Ended) else event.seconds))


def _beat(event: Event, at: float, turn: int) -> Beat:
    seconds = 0.0 if isinstance(event, Moved | Ended) else round(event.seconds, 3)
    who, deed, text = _part(event)
    return Beat(at, seconds, who, deed, text, turn=turn)


def _part(event: Event) -> tuple[Who, str, str]:
    match event:
        case Verb(name=name, text=text):
            return "caller", name, text
        case Sound(text=text):
            return "line", "speaks", text
        case SystemSound():
            return "platform", "speaks", str(event)
        case Beep() | HoldMusic():
            return "platform", "beeps" if isinstance(event, Beep) else "music", str(event)
        case Moved():
            return "place", "enters", str(event)
        case Ended(why=why):
            return "place", "ends", why
