"""Input modes: how an agent takes an utterance from the line, and how it parses the value.

>>> KeyboardInput().parse("None")
Utterance(words='', key='')
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple, Protocol, runtime_checkable

from yemot_ai.errors import ConfigurationError
from yemot_ai.protocol import Mode, Record, Tap, Voice, normalize_speech, pressed_keys

__all__ = ["InputMode", "KeyboardInput", "RecordingInput", "Utterance", "VoiceInput", "input_mode"]

EMPTY_VALUE: Final = "None"
"""The value that the line sends if nothing was typed [OFF field 13]."""

MAX_RECORDING_SECONDS: Final = 60
"""Seconds after which the line ends a recording, in case the caller does not end it."""


class Utterance(NamedTuple):
    """What a caller has said or typed.

    Attributes:
        words: the text for the agent's function and the AI; empty for silence.
        key: the pressed keys, to be looked up in ``DialogSettings.keys``; empty for none.
    """

    words: str
    key: str


@runtime_checkable
class InputMode(Protocol):
    """How an agent takes an utterance."""

    @property
    def read_mode(self) -> Mode:
        """The mode of the line's read."""
        ...

    def parse(self, value: str) -> Utterance:
        """Parse the line's value, or the transcript of a recording."""
        ...


@dataclass(frozen=True, slots=True)
class VoiceInput:
    """The line's speech recognition, and keys; silence is an empty value [LIB]."""

    read_mode: ClassVar[Mode] = Voice()

    def parse(self, value: str) -> Utterance:
        """Parse speech or keys."""
        text = normalize_speech(value)
        key = pressed_keys(text) or ""
        return Utterance(key or text, key)


@dataclass(frozen=True, slots=True)
class KeyboardInput:
    """The line's Hebrew keyboard: each key writes letters, ``#`` ends the text [OFF].

    A single key looks like its letter. Only a caller who has switched the keyboard to digits
    sends ``9``, ``*`` or ``0``, which then act as in ``DialogSettings.keys``.
    """

    read_mode: ClassVar[Mode] = Tap(keyboard="HebrewKeyboard", accept_empty=True, empty_value=EMPTY_VALUE)

    def parse(self, value: str) -> Utterance:
        """Parse typed text; nothing typed is silence."""
        typed = normalize_speech(value)
        return Utterance("", "") if typed == EMPTY_VALUE else Utterance(typed, typed)


@dataclass(frozen=True, slots=True)
class RecordingInput:
    """A recording, which ``#`` ends; a transcriber turns it into text.

    The line plays no menu afterwards (M3345), and accepts no other keys while it records [OFF].

    Args:
        max_seconds: seconds after which the line ends the recording; None for no limit.
    """

    max_seconds: int | None = MAX_RECORDING_SECONDS

    @property
    def read_mode(self) -> Mode:
        """The mode of the line's read."""
        return Record(confirm=False, max_seconds=self.max_seconds)

    def parse(self, value: str) -> Utterance:
        """Return the transcript as words."""
        return Utterance(normalize_speech(value), "")


_BY_NAME: Final[Mapping[str, Callable[[], InputMode]]] = {
    "voice": VoiceInput,
    "keyboard": KeyboardInput,
    "record": RecordingInput,
}


def input_mode(mode: str | InputMode) -> InputMode:
    """Return the input mode with the name ``mode``, or ``mode`` if it is an input mode.

    Raises:
        ConfigurationError: there is no mode of that name.
    """
    if isinstance(mode, InputMode):
        return mode
    if mode not in _BY_NAME:
        raise ConfigurationError(f"listen={mode!r}: use one of {', '.join(map(repr, _BY_NAME))}")
    return _BY_NAME[mode]()
