"""Converts messages of yemot-flow's handlers to messages of the line."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TypeGuard

from yemot_ai.errors import ConfigurationError
from yemot_ai.protocol import (
    Comment,
    Date,
    Digits,
    File,
    GoTo,
    HebrewDate,
    Letters,
    Message,
    MusicOnHoldMessage,
    Number,
    SpeechFile,
    SystemMessage,
    Zmanim,
    speakable,
)

__all__ = ["Playable", "to_messages"]

Playable = str | Message | tuple[str, str]
"""One thing to play: a text, a message of ``yemot_ai.protocol``, or yemot-flow's ``("text", …)``."""

_EXTENSION = re.compile(r"\.(?:wav|ogg|mp3)$", re.IGNORECASE)


def to_messages(playable: Playable | Iterable[Playable]) -> tuple[Message, ...]:
    """Return the messages for what a handler plays.

    Args:
        playable: one thing to play or several; texts are made speakable.

    Raises:
        ConfigurationError: the line has no such message type, or an answer was not awaited.

    >>> [str(message) for message in to_messages([("text", "א. ב"), ("file", "/1/000")])]
    ['t-א, ב', 'f-/1/000']
    """
    if isinstance(playable, str | tuple) and (isinstance(playable, str) or _is_pair(playable)):
        return tuple(_convert(playable))
    if isinstance(playable, Iterable):
        return tuple(message for item in playable for message in _convert(item))
    return tuple(_convert(playable))


def _convert(playable: Playable) -> Iterable[Message]:
    if isinstance(playable, Coroutine):
        raise ConfigurationError("a coroutine cannot be played: write 'await' before the call that made it")
    if isinstance(playable, str):
        return speakable(playable)
    if not isinstance(playable, tuple):
        return (playable,)
    kind, data = playable
    if kind in {"text", "t"}:
        return _convert(data)
    if kind not in _BY_NAME:
        known = ", ".join(sorted(("text", *_BY_NAME)))
        raise ConfigurationError(f"no message type {kind!r}; the line plays: {known}")
    return (_BY_NAME[kind](str(data)),)


def _file(name: str) -> File:
    """Drop the file's extension, which the line does not use [OFF]; yemot-flow's example has one."""
    return File(_EXTENSION.sub("", name))


def _zmanim(text: str) -> Zmanim:
    """Parse ``sunset,IL/Bney_Brak,+,D1``; only the first part is required."""
    return Zmanim(*text.split(",", 3))  # type: ignore[arg-type]  # Zmanim checks the sign


def _music(text: str) -> MusicOnHoldMessage:
    """Parse ``name`` or ``name,seconds``."""
    name, _, seconds = text.partition(",")
    return MusicOnHoldMessage(name, int(seconds) if seconds else None)


def _parse_day(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007 - a day, not a moment


def _is_pair(value: object) -> TypeGuard[tuple[str, str]]:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, str) for part in value)  # noqa: PLR2004 - a pair


_BY_NAME: Mapping[str, Callable[[str], Message]] = {
    "file": _file,
    "f": _file,
    "digits": Digits,
    "d": Digits,
    "number": lambda number: Number(int(number)),
    "n": lambda number: Number(int(number)),
    "alpha": Letters,
    "a": Letters,
    "speech": lambda name: SpeechFile(name.removesuffix(".tts")),
    "s": lambda name: SpeechFile(name.removesuffix(".tts")),
    "system_message": lambda code: SystemMessage(code.removeprefix("M")),
    "m": lambda code: SystemMessage(code.removeprefix("M")),
    "zmanim": _zmanim,
    "z": _zmanim,
    "music_on_hold": _music,
    "h": _music,
    "noop": Comment,
    "date": lambda day: Date(_parse_day(day)),
    "dateH": lambda day: HebrewDate(_parse_day(day)),
    "go_to_folder": GoTo,
    "g": GoTo,
}
