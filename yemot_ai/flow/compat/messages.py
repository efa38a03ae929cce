"""From the messages of yemot-flow's handlers to the messages of the line."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeGuard

from yemot_ai.errors import ConfigurationError
from yemot_ai.flow.compat.awaitable import PendingStr
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


def to_messages(spoken: Playable | Iterable[Playable]) -> tuple[Message, ...]:
    """Turn what a developer wrote into messages that the line can play.

    Args:
        spoken: one thing to play or several; texts are made speakable.

    Raises:
        ConfigurationError: a type that the line does not have, or an answer that was not awaited.

    >>> [str(m) for m in messages([("text", "א. ב"), ("file", "/1/000")])]
    ['t-א, ב', 'f-/1/000']
    """
    if isinstance(spoken, str | tuple) and (isinstance(spoken, str) or _is_pair(spoken)):
        return tuple(_convert(spoken))
    if isinstance(spoken, Iterable):
        return tuple(message for one in spoken for message in _convert(one))
    return (spoken,)


def _convert(spoken: Playable) -> Iterable[Message]:
    if isinstance(spoken, PendingStr):
        str(spoken)  # says what is wrong
    if isinstance(spoken, str):
        return speakable(spoken)
    if not isinstance(spoken, tuple):
        return (spoken,)
    kind, data = spoken
    if kind in {"text", "t"}:
        return _convert(data)
    if kind not in _BY_NAME:
        known = ", ".join(sorted(("text", *_BY_NAME)))
        raise ConfigurationError(f"no message type {kind!r}; the line plays: {known}")
    return (_BY_NAME[kind](str(data)),)


def _file(name: str) -> File:
    """Name a recording without its extension, as the line does [OFF]; yemot-flow's own example has one."""
    return File(_EXTENSION.sub("", name))


def _zmanim(written: str) -> Zmanim:
    """Read ``sunset,IL/Bney_Brak,+,D1``; all but the first part may be left out."""
    return Zmanim(*written.split(",", 3))  # type: ignore[arg-type]  # Zmanim itself checks the sign


def _music(written: str) -> MusicOnHoldMessage:
    """Read ``name`` or ``name,seconds``."""
    name, _, seconds = written.partition(",")
    return MusicOnHoldMessage(name, int(seconds) if seconds else None)


def _parse_day(written: str) -> dt.date:
    return dt.datetime.strptime(written, "%d/%m/%Y").date()  # noqa: DTZ007 - a day, not a moment


def _is_pair(spoken: object) -> TypeGuard[tuple[str, str]]:
    return isinstance(spoken, tuple) and len(spoken) == 2 and all(isinstance(part, str) for part in spoken)  # noqa: PLR2004 - a pair


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
