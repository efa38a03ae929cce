"""The states of a call, and what the line waits for in each.

>>> Over(reason="the line hung up").waits_for
'the call is over: the line hung up'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from yemot_ai.protocol import Action, CreditCard, MusicOnHold, Read, Tap, Voice
from yemot_ai_testing.line.platform.extension import PreQuestion

__all__ = [
    "Asking",
    "Confirming",
    "Holding",
    "Idle",
    "Outside",
    "Over",
    "Paying",
    "Performing",
    "RecordingMenu",
    "Requesting",
    "State",
    "Transferred",
    "has_left",
    "open_question",
]


class _StateBase:
    """Describes a state by templates, in which ``0`` is the state."""

    __slots__ = ()
    WAITS_FOR: ClassVar = "the line is busy"
    HINT: ClassVar = "only hangs_up() is possible now"

    @property
    def waits_for(self) -> str:
        """What the line waits for, as text."""
        return self.WAITS_FOR.format(self)

    @property
    def hint(self) -> str:
        """The verbs that are possible, as text."""
        return self.HINT.format(self)


@dataclass(frozen=True, slots=True)
class Idle(_StateBase):
    """The caller has not dialled yet."""

    WAITS_FOR: ClassVar = "the caller has not dialled yet"
    HINT: ClassVar = "call dial() first"


@dataclass(frozen=True, slots=True)
class Requesting(_StateBase):
    """A request is due, or its response is awaited."""


@dataclass(frozen=True, slots=True)
class Performing(_StateBase):
    """The actions of a response, or those that ``ext.ini`` has for a value, are due."""

    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Asking(_StateBase):
    """A question is open.

    Attributes:
        read: the question.
        pre_question: the pre-question of ``ext.ini``, if it is one: then no request follows at once.
        retries: how often the line has asked again after silence or unclear speech.
        path: the file of a recording that is continued; empty for a new one.
        seconds: the duration of that recording.
        keyboard_changed: the caller has asked for another language of the keyboard.
    """

    read: Read
    pre_question: PreQuestion | None = None
    retries: int = 0
    path: str = ""
    seconds: float = 0.0
    keyboard_changed: bool = False
    WAITS_FOR: ClassVar = "the line waits for {0.expected_input[0]} (read {0.read.name!r})"
    HINT: ClassVar = "use {0.expected_input[1]}"

    @property
    def expected_input(self) -> tuple[str, str]:
        """What the question takes, and the verbs for it, as texts."""
        mode = self.read.mode
        if isinstance(mode, Tap):
            is_limited = mode.max_digits is not None and mode.keyboard != "DigitsKeyboard"  # [OFF]
            limit = f"at most {mode.max_digits}" if is_limited else "any number"
            return f"keys (tap, {limit})", "presses(…) or silent()"
        if not isinstance(mode, Voice):
            return "a recording (record)", "records(…) or hangs_up()"
        if mode.block_keys or mode.record_engine:
            return "speech", "says(…) or silent()"
        return "speech or keys (voice)", "says(…), presses(…) or silent()"


@dataclass(frozen=True, slots=True)
class Confirming(_StateBase):
    """A typed or spoken value waits for the caller's confirmation (M1353)."""

    asking: Asking
    value: str
    WAITS_FOR: ClassVar = "the line waits for keys that confirm {0.value!r} (read {0.asking.read.name!r})"
    HINT: ClassVar = 'presses("1") confirms, presses("2") tries again'


@dataclass(frozen=True, slots=True)
class RecordingMenu(_StateBase):
    """The menu after a recording (M3345) is open."""

    asking: Asking
    path: str
    seconds: float
    WAITS_FOR: ClassVar = (
        "the line waits for keys that confirm {0.path!r} (read {0.asking.read.name!r}, M3345)"
    )
    HINT: ClassVar = 'presses("1") listens, "2" confirms, "3" records again, "4" continues the recording'


@dataclass(frozen=True, slots=True)
class Paying(_StateBase):
    """The line takes a payment."""

    card: CreditCard
    WAITS_FOR: ClassVar = "the line waits for a payment of {0.card.amount}"
    HINT: ClassVar = 'use pays(…), or presses("*")'


@dataclass(frozen=True, slots=True)
class Holding(_StateBase):
    """Music plays; ``next_actions`` follow in the response. ``seconds`` None: until ``*``."""

    music: MusicOnHold
    seconds: float | None
    next_actions: tuple[Action, ...]
    WAITS_FOR: ClassVar = "the line plays the music {0.music.name!r}"

    @property
    def hint(self) -> str:
        """The verbs that are possible, as text."""
        no_return = self.music.no_return
        return "only hangs_up() ends this music" if no_return else 'presses("*") ends the music'


@dataclass(frozen=True, slots=True)
class Outside(_StateBase):
    """The caller is in a folder without a server; ``known``: the line has this folder, and its menu."""

    extension: str
    known: bool

    @property
    def waits_for(self) -> str:
        """What the line waits for, as text."""
        here = f"/{self.extension}"
        known = f"the caller is in {here}, where no server decides"
        return known if self.known else f"the call is over: left for {here}"

    @property
    def hint(self) -> str:
        """The verbs that are possible, as text."""
        menu = "presses(…) enters the folder of that name, goes_to(…) any other; or hangs_up()"
        return menu if self.known else "goes_to(…) comes back, and hangs_up() ends it"


@dataclass(frozen=True, slots=True)
class Transferred(_StateBase):
    """The caller was transferred out of the line, and may still hang up."""

    reason: str
    WAITS_FOR: ClassVar = "the call is over: {0.reason}"
    HINT: ClassVar = "hangs_up() ends it"


@dataclass(frozen=True, slots=True)
class Over(_StateBase):
    """The call is over."""

    reason: str
    WAITS_FOR: ClassVar = "the call is over: {0.reason}"
    HINT: ClassVar = "a new call is a new Caller"


State: TypeAlias = (
    Idle
    | Requesting
    | Performing
    | Asking
    | Confirming
    | RecordingMenu
    | Paying
    | Holding
    | Outside
    | Transferred
    | Over
)


def open_question(state: State) -> Asking | None:
    """Return the question that has no confirmed value yet, or None."""
    if isinstance(state, Confirming | RecordingMenu):
        return state.asking
    return state if isinstance(state, Asking) else None


def has_left(state: State) -> bool:
    """Whether the call is over, or in a place that this line does not know."""
    return isinstance(state, Over | Transferred) or (isinstance(state, Outside) and not state.known)
