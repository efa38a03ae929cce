"""What happens on a call, as both sides live it: events with a time and a length in seconds.

>>> str(SystemSound(at=0.0, seconds=1.5, code="M1607"))
'M1607 אין מענה משרת API'
>>> silences([Sound(at=2.0, seconds=1.0, text="שלום", kind="text")], since=0.0, until=3.0)
[Silence(at=0.0, seconds=2.0)]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, overload

from yemot_ai.protocol import Message, Text

__all__ = [
    "Audible",
    "Beep",
    "CallEnded",
    "CallEvent",
    "CallerActed",
    "ExtensionEntered",
    "HoldMusic",
    "Silence",
    "Sound",
    "SystemSound",
    "Transcript",
    "duration_of",
    "heard_text",
    "longest_silence",
    "silences",
]

SECONDS_PER_CHARACTER = 0.07
"""Hebrew text to speech says about 14 characters a second."""

DEFAULT_SOUND_SECONDS = 1.5
"""How long anything else is taken to last; the line does not know the files."""

MIN_SHOWN_MUSIC_SECONDS = 0.3
"""Music shorter than this is not shown."""

SYSTEM_MESSAGES = {
    "M1002": "לא הוקש דבר",
    "M1012": "הקליטו לאחר הצליל",
    "M1035": "הוקשו פחות מדי ספרות",
    "M1224": "בחירה שגויה",
    "M1305": "ההקלטה קצרה מדי",
    "M1353": "לאישור הקישו 1 להקשה מחדש הקישו 2",
    "M1368": "כוכבית אינה מותרת",
    "M1607": "אין מענה משרת API",
    "M1608": "שגיאה במעבר לשלוחה",
    "M1609": "לא מוגדר לינק",
    "M1611": "דיבור לא ברור, אנא אמרו שוב",
    "M1613": "לא זוהה דיבור",
    "M1625": "אפס אינו מותר",
    "M3345": "לשמיעה 1 לאישור 2 להקלטה מחדש 3 להמשך הקלטה 4",
    "M4186": "המקלדת נעולה",
}
"""[OFF] The platform's own recordings that this line plays, in short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """Something the application lets the caller hear.

    Attributes:
        at: when it begins, on the line's clock.
        seconds: how long it is taken to last.
        text: the spoken text, or the message as it is written in the answer.
        kind: ``text`` for speech, else the message's type (``f``, ``d`` …).
    """

    at: float
    seconds: float
    text: str
    kind: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSound:
    """Something the platform itself says.

    Attributes:
        at: when it begins.
        seconds: how long it is taken to last.
        code: the platform's name of the recording.
    """

    at: float
    seconds: float
    code: str

    def __str__(self) -> str:
        return f"{self.code} {SYSTEM_MESSAGES.get(self.code, '')}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Beep:
    """The tone after which a recording begins; to be heard, but no words."""

    at: float
    seconds: float = 0.2

    def __str__(self) -> str:
        return "(beep)"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldMusic:
    """Music while the server thinks: no dead air, but no answer either.

    Attributes:
        at: when the request went out.
        seconds: how long the answer took.
        name: which music; empty for the system's own.
        position: seconds into the music at which it (again) begins.
    """

    at: float
    seconds: float
    name: str
    position: float = 0.0

    def __str__(self) -> str:
        return f"music on hold {self.name}".rstrip() + f" ({self.seconds:.1f} s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerActed:
    """Something the caller does.

    Attributes:
        at: when the caller begins.
        seconds: how long it takes; the line's silence is counted from its end.
        name: ``dials``, ``says``, ``presses`` …
        text: with what.
    """

    at: float
    seconds: float
    name: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.text}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionEntered:
    """The caller enters an extension (``""`` is the root)."""

    at: float
    extension: str

    def __str__(self) -> str:
        return f"/{self.extension}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """The call has left the application; ``reason`` says how."""

    at: float
    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing to be heard while the caller waits: dead air."""

    at: float
    seconds: float


Audible: TypeAlias = "Sound | SystemSound | Beep | HoldMusic"
"""What ends a silence."""

CallEvent: TypeAlias = "Audible | CallerActed | ExtensionEntered | CallEnded"


class Transcript(Sequence["CallEvent"]):
    """All events of a call so far; ``str()`` is a plain rendering."""

    def __init__(self, events: Iterable[CallEvent] = ()) -> None:
        self._events = list(events)

    @overload
    def __getitem__(self, index: int) -> CallEvent: ...
    @overload
    def __getitem__(self, index: slice) -> Transcript: ...
    def __getitem__(self, index: int | slice) -> CallEvent | Transcript:
        if isinstance(index, slice):
            return Transcript(self._events[index])
        return self._events[index]

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[CallEvent]:
        return iter(list(self._events))

    def __str__(self) -> str:
        return "\n".join(_line(event) for event in self if not _is_too_short(event))

    def add(self, event: CallEvent) -> None:
        """Append what just happened."""
        self._events.append(event)


def duration_of(message: Message) -> float:
    """Return how many seconds ``message`` is taken to last."""
    return len(message.text) * SECONDS_PER_CHARACTER if isinstance(message, Text) else DEFAULT_SOUND_SECONDS


def heard_text(events: Iterable[CallEvent]) -> str:
    """Return all words among ``events``, in order, joined by spaces; beeps and music on hold are none."""
    return " ".join(str(event) for event in events if isinstance(event, (Sound, SystemSound)))


def silences(events: Iterable[CallEvent], *, since: float, until: float) -> list[Silence]:
    """Return the gaps between the sounds among ``events``.

    Args:
        events: what happened, in order.
        since: when the caller fell silent, on the same clock.
        until: when the line waited for the caller again, or the call was over.
    """
    gaps = []
    audible = [event for event in events if isinstance(event, (Sound, SystemSound, Beep, HoldMusic))]
    for event in sorted(audible, key=lambda one: one.at):  # music is noted when it ends
        gaps.append(Silence(since, event.at - since))
        since = max(since, event.at + event.seconds)
    gaps.append(Silence(since, until - since))
    return [gap for gap in gaps if gap.seconds > 0]


def longest_silence(events: Iterable[CallEvent], *, since: float, until: float) -> float:
    """Return the longest of those gaps, in seconds, to the millisecond."""
    gaps = silences(events, since=since, until=until)
    return round(max((gap.seconds for gap in gaps), default=0.0), 3)


def _is_too_short(event: CallEvent) -> bool:
    """Whether an event is too short to be told: an answer that comes at once leaves no music."""
    return isinstance(event, HoldMusic) and event.seconds < MIN_SHOWN_MUSIC_SECONDS


def _line(event: CallEvent) -> str:
    if isinstance(event, CallerActed):
        return f"caller  {event}"
    if isinstance(event, (Sound, SystemSound, Beep, HoldMusic)):
        return f"line    {event}"
    return f"        -- {event}"
