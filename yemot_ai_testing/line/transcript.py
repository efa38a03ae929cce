"""The events of a call, each with a time and a duration in seconds.

>>> str(SystemSound(at=0.0, seconds=1.5, code="M1607"))
'M1607 אין מענה משרת API'
>>> silences([Sound(at=2.0, seconds=1.0, text="שלום", kind="text")], since=0.0, until=3.0)
[Silence(at=0.0, seconds=2.0)]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, overload

__all__ = [
    "CALLER_HUNG_UP",
    "Audible",
    "Beep",
    "CallEnded",
    "CallEvent",
    "CallerActed",
    "ExtensionEntered",
    "HoldMusic",
    "ServerActed",
    "Silence",
    "Sound",
    "SystemSound",
    "Transcript",
    "heard_text",
    "longest_silence",
    "silences",
]

SECONDS_PER_CHARACTER = 0.07
"""Hebrew text-to-speech speaks about 14 characters a second."""

DEFAULT_SOUND_SECONDS = 1.5
"""The assumed duration of any other sound; the line does not read the audio files."""

CALLER_HUNG_UP = "the caller hung up"
"""The reason of ``CallEnded`` if the caller ended the call."""

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
"""The platform's recordings that this line plays, abridged [OFF]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A sound of the application.

    Attributes:
        at: when it begins, on the line's clock.
        seconds: its assumed duration.
        text: the spoken text, or the message as it is written in the response.
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
    """A recording of the platform.

    Attributes:
        at: when it begins.
        seconds: its assumed duration.
        code: the platform's name of the recording.
    """

    at: float
    seconds: float
    code: str

    def __str__(self) -> str:
        return f"{self.code} {SYSTEM_MESSAGES.get(self.code, '')}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Beep:
    """The tone before a recording; audible, but not text."""

    at: float
    seconds: float = 0.2

    def __str__(self) -> str:
        return "(beep)"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldMusic:
    """Music while the line waits for a response; audible, but not text.

    Attributes:
        at: when the request was sent.
        seconds: how long the response took.
        name: which music; empty for the platform's default.
        position: seconds into the music at which it begins.
    """

    at: float
    seconds: float
    name: str
    position: float = 0.0

    def __str__(self) -> str:
        return f"music on hold {self.name}".rstrip() + f" ({self.seconds:.1f} s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerActed:
    """A verb of the caller.

    Attributes:
        at: when it begins.
        seconds: how long it takes; silence is measured from its end.
        name: ``dials``, ``says``, ``presses`` …
        text: its argument.
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
class ServerActed:
    """Something happens at the server: a function of ``caller.schedule``, by its name."""

    at: float
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """The call has left the application, for ``reason``."""

    at: float
    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class Silence:
    """Dead air: the caller waits and hears nothing."""

    at: float
    seconds: float


Audible: TypeAlias = Sound | SystemSound | Beep | HoldMusic
"""The events that end a silence."""

CallEvent: TypeAlias = Audible | CallerActed | ServerActed | ExtensionEntered | CallEnded


class Transcript(Sequence[CallEvent]):
    """The events of a call; ``str()`` renders them as text."""

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
        """Append an event."""
        self._events.append(event)


def heard_text(events: Iterable[CallEvent]) -> str:
    """Return the text of the sounds among ``events``, joined by spaces; without beeps and hold music."""
    return " ".join(str(event) for event in events if isinstance(event, Sound | SystemSound))


def silences(events: Iterable[CallEvent], *, since: float, until: float) -> list[Silence]:
    """Return the gaps between the sounds among ``events``.

    Args:
        events: the events, in order.
        since: when the caller's verb ended, on the same clock.
        until: when the line waited for the caller again, or the call ended.
    """
    gaps = []
    audible = [event for event in events if isinstance(event, Audible)]
    for event in sorted(audible, key=lambda event: event.at):  # music is recorded when it ends
        gaps.append(Silence(since, event.at - since))
        since = max(since, event.at + event.seconds)
    gaps.append(Silence(since, until - since))
    return [gap for gap in gaps if gap.seconds > 0]


def longest_silence(events: Iterable[CallEvent], *, since: float, until: float) -> float:
    """Return the longest of the ``silences``, in seconds, rounded to milliseconds."""
    gaps = silences(events, since=since, until=until)
    return round(max((gap.seconds for gap in gaps), default=0.0), 3)


def _is_too_short(event: CallEvent) -> bool:
    """Whether an event is too short to show: the music of an immediate response."""
    return isinstance(event, HoldMusic) and event.seconds < MIN_SHOWN_MUSIC_SECONDS


def _line(event: CallEvent) -> str:
    if isinstance(event, CallerActed):
        return f"caller  {event}"
    if isinstance(event, ServerActed):
        return f"server  {event}"
    if isinstance(event, Audible):
        return f"line    {event}"
    return f"        -- {event}"
