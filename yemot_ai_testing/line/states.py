"""The states of a call, and what the line waits for in each.

>>> Over(reason="the line hung up").waits_for
'the call is over: the line hung up'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

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


@dataclass(frozen=True, slots=True)
class Idle:
    """The caller has not dialled yet."""

    @property
    def waits_for(self) -> str:
        """What the line waits for, as text."""
        return "the caller has not dialled yet"

    @property
    def hint(self) -> str:
        """The verbs that are possible, as text."""
        return "call dial() first"


@dataclass(frozen=True, slots=True)
class Requesting:
    """A request is due, or its response is awaited."""

    @property
    def waits_for(self) -> str:
        """What the line waits for, as text."""
        return "the line is busy"

    @property
    def hint(self) -> str:
        """The verbs that are possible, as text."""
        return "only hangs_up() is possible now"


@dataclass(frozen=True, slots=True)
class Performing:
    """The actions of a response, or those that ``ext.ini`` has for a value, are due."""

    actions: tuple[Action, ...]

    @property
    def waits_for(self) -> str:
        """What the line waits for, as text."""
        return "the line is busy"

    @property
    def hint(self) -> str:
        """The verbs that are possible, as text."""
        return "only hangs_up() is possible now"


@dataclass(frozen=True, slots=True)
class Asking:
    """A question is open.

    Attributes:
        read: the question.
        pre_question: the pre-question of ``ext.ini``, if it is one: then no request follows at once.
        retries: how often the line has asked again after silence or unclear speech.
        path: the file of a recording that is continued; empty for a new one.
        seconds: the duration of that recording.
    """

    read: Read
    pre_question: PreQuestion | None = None
    retries: int = 0
    path: str = ""
    seconds: float = 0.0

    @property
    def waits_for(self) -> str:
        """What the line waits for, as text."""
        return f"the line waits for {_expected_input(self.read)} (read {self.read.name!r})"

    @property
    def hint(self) -> str:
        """The verbs that are possible, as text."""
        return _fitting_verbs(self.read)


@dataclass(frozen=True, slots=True)
class Confirming:
    """A typed or spoken value waits for the caller's confirmation (M1353)."""

    asking: Asking
    value: str

    @property
    def waits_for(self) -> str:
        """What the line waits for, as text."""
        return f"the line waits for keys that confirm {self.value!r} (read {self.asking.read.name!r})"

    @property
    def hint(self) -> str:
        """The verbs that are possible, as text."""
        return 'presses("1") confirms, presses("2") tries again'


@dataclass(frozen=True, slots=True)
class RecordingMenu:
    """The menu after a recording (M3345) is open."""

    asking: Asking
    path: str
    seconds: float

    @property
    def waits_for(self) -> str:
        """What the line waits for, as text."""
        return f"the line waits for keys that confirm {self.path!r} (read {self.asking.read.name!r}, M3345)"

    @property
    def hint(self) -> str:
        """The verbs that are possible, as text."""
        return 'presses("1") listens, "2" confirms, "3" records again, "4" continues the recording'


@dataclass(frozen=True, slots=True)
class Paying:
    """The line takes a payment."""

    card: CreditCard

    @property
    def waits_for(self) -> str:
        """What the line waits for, as text."""
        return f"the line waits for a payment of {self.card.amount}"

    @property
    def hint(self) -> str:
        """The verbs that are possible, as text."""
        return 'use pays(…), or presses("*")'


@dataclass(frozen=True, slots=True)
class Holding:
    """Music plays; ``next_actions`` follow in the response. ``seconds`` None: until ``*``."""

    music: MusicOnHold
    seconds: float | None
    next_actions: tuple[Action, ...]

    @property
    def waits_for(self) -> str:
        """What the line waits for, as text."""
        return f"the line plays the music {self.music.name!r}"

    @property
    def hint(self) -> str:
        """The verbs that are possible, as text."""
        no_return = self.music.no_return
        return "only hangs_up() ends this music" if no_return else 'presses("*") ends the music'


@dataclass(frozen=True, slots=True)
class Outside:
    """The caller is in a folder without a server; ``known``: the line has this folder, and its menu."""

    extension: str
    known: bool

    @property
    def waits_for(self) -> str:
        """What the line waits for, as text."""
        if self.known:
            return f"the caller is in /{self.extension}, where no server decides"
        return f"the call is over: left for /{self.extension}"

    @property
    def hint(self) -> str:
        """The verbs that are possible, as text."""
        if self.known:
            return "presses(…) enters the folder of that name, goes_to(…) any other; or hangs_up()"
        return "goes_to(…) comes back, and hangs_up() ends it"


@dataclass(frozen=True, slots=True)
class Transferred:
    """The caller was transferred out of the line, and may still hang up."""

    reason: str

    @property
    def waits_for(self) -> str:
        """What the line waits for, as text."""
        return f"the call is over: {self.reason}"

    @property
    def hint(self) -> str:
        """The verbs that are possible, as text."""
        return "hangs_up() ends it"


@dataclass(frozen=True, slots=True)
class Over:
    """The call is over."""

    reason: str

    @property
    def waits_for(self) -> str:
        """What the line waits for, as text."""
        return f"the call is over: {self.reason}"

    @property
    def hint(self) -> str:
        """The verbs that are possible, as text."""
        return "a new call is a new Caller"


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


def _fitting_verbs(read: Read) -> str:
    if isinstance(read.mode, Tap):
        return "use presses(…) or silent()"
    if not isinstance(read.mode, Voice):
        return "use records(…) or hangs_up()"
    blocked = read.mode.block_keys or read.mode.record_engine
    return "use says(…) or silent()" if blocked else "use says(…), presses(…) or silent()"


def _expected_input(read: Read) -> str:
    mode = read.mode
    if isinstance(mode, Tap):
        limit = mode.max_digits
        return f"keys (tap, {'any number' if limit is None else f'at most {limit}'})"
    if isinstance(mode, Voice):
        return "speech" if mode.block_keys or mode.record_engine else "speech or keys (voice)"
    return "a recording (record)"
