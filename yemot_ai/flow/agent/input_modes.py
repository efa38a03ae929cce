"""How an agent listens: what the line is asked for, and what the caller has said.

>>> ByKeyboard().understood("None")
Utterance(words='', key='')
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple, Protocol, runtime_checkable

from yemot_ai.errors import ConfigurationError
from yemot_ai.protocol import Mode, Record, Tap, Voice, normalize_speech

__all__ = ["InputMode", "KeyboardInput", "RecordingInput", "Utterance", "VoiceInput", "input_mode"]

EMPTY_VALUE: Final = "None"
"""What the line sends where nothing was typed [OFF field 13]."""

MAX_RECORDING_SECONDS: Final = 60
"""Seconds after which the line ends a recording: a phone that was laid aside is silent for as long."""

KEYS_PREFIX: Final = "Digits-"
"""What the line puts before keys that were pressed instead of speaking [OFF]."""


class Utterance(NamedTuple):
    """What a caller has said.

    Attributes:
        words: what reaches the developer and the AI; empty for silence.
        key: what may be one of the keys of ``Manners``; empty for none.
    """

    words: str
    key: str


@runtime_checkable
class InputMode(Protocol):
    """A way to listen."""

    @property
    def read_mode(self) -> Mode:
        """How the line takes the value."""
        ...

    def parse(self, value: str) -> Utterance:
        """Return what the line's value says, or what a transcriber has made of it."""
        ...


@dataclass(frozen=True, slots=True)
class VoiceInput:
    """The line's own speech recognition, and keys; silence is an empty value [LIB]."""

    read_mode: ClassVar[Mode] = Voice()

    def parse(self, value: str) -> Utterance:
        """Tell keys from speech."""
        said = normalize_speech(value)
        key = said.removeprefix(KEYS_PREFIX) if said.startswith(KEYS_PREFIX) else ""
        return Utterance(key or said, key)


@dataclass(frozen=True, slots=True)
class KeyboardInput:
    """The line's Hebrew keyboard: each key writes letters, ``#`` ends the text [OFF].

    A single key cannot be told from its letter. Only a caller who has changed the keyboard to digits
    sends ``9``, ``*`` or ``0``, and those are then what ``Manners`` say.
    """

    read_mode: ClassVar[Mode] = Tap(keyboard="HebrewKeyboard", accept_empty=True, empty_value=EMPTY_VALUE)

    def parse(self, value: str) -> Utterance:
        """Take the text as it is; nothing typed is silence."""
        typed = normalize_speech(value)
        return Utterance("", "") if typed == EMPTY_VALUE else Utterance(typed, typed)


@dataclass(frozen=True, slots=True)
class RecordingInput:
    """A recording, which ``#`` ends; a transcriber says what is in it.

    The line asks nothing back (no menu M3345), and takes no other keys while it records [OFF].

    Args:
        max_seconds: when the line ends it by itself; None for no limit.
    """

    max_seconds: int | None = MAX_RECORDING_SECONDS

    @property
    def read_mode(self) -> Mode:
        """How the line records."""
        return Record(confirm=False, max_seconds=self.max_seconds)

    def parse(self, value: str) -> Utterance:
        """Take the words as they are."""
        return Utterance(normalize_speech(value), "")


_BY_NAME: Final[Mapping[str, Callable[[], InputMode]]] = {
    "voice": VoiceInput,
    "keyboard": KeyboardInput,
    "record": RecordingInput,
}


def input_mode(mode: str | InputMode) -> InputMode:
    """Return the way to listen of that name, or the one that is given.

    Raises:
        ConfigurationError: there is none.
    """
    if isinstance(mode, InputMode):
        return mode
    if mode not in _BY_NAME:
        raise ConfigurationError(f"listen={mode!r}: use one of {', '.join(map(repr, _BY_NAME))}")
    return _BY_NAME[mode]()
