"""Converts messages of yemot-flow's handlers to messages of the line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Coroutine, Iterable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from pathlib import PurePath
from typing import Final, TypeAlias, TypeGuard, get_args

from yemot_ai.errors import ConfigurationError
from yemot_ai.flow.code_warnings import warn_once
from yemot_ai.flow.compat.option_values import file_name
from yemot_ai.flow.compat.spoken_values import Numeral, numeral_text, read_number, spell, spell_letters
from yemot_ai.protocol import (
    Comment,
    Date,
    File,
    GoTo,
    HebrewDate,
    Message,
    MusicOnHoldMessage,
    SpeechFile,
    SystemMessage,
    Zmanim,
    speakable,
)
from yemot_ai.protocol.fields.white_space import strip_blanks

__all__ = ["Playable", "to_messages"]

Playable: TypeAlias = str | Message | tuple[str, str | Numeral | dt.date]
"""One thing to play: a text, a message of ``yemot_ai.protocol``, or yemot-flow's ``("text", …)``."""

_MESSAGE: Final = get_args(Message)
_PAIR: Final = 2


def to_messages(
    playable: Playable | Iterable[Playable], rewrite: Callable[[str], str] = str
) -> tuple[Message, ...]:
    """Return the messages for what a handler plays.

    Args:
        playable: one thing to play or several; texts are made speakable.
        rewrite: applied to each text before.

    Raises:
        ConfigurationError: it cannot be played: the line has no such message type, a value is not what its
            type plays, or an answer was not awaited.

    >>> [str(message) for message in to_messages([("text", "א. ב"), ("file", "/1/000")])]
    ['t-א, ב', 'f-/1/000']
    """
    try:
        return tuple(message for item in _items(playable) for message in _convert(item, rewrite))
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def _items(playable: Playable | Iterable[Playable]) -> Iterable[object]:
    is_one = (
        isinstance(playable, str | bytes | Mapping | AbstractSet)  # a set has no order
        or _is_pair(playable)
        or not isinstance(playable, Iterable)
    )
    return (playable,) if is_one else playable  # type: ignore[return-value]  # mypy does not narrow it


def _convert(playable: object, rewrite: Callable[[str], str]) -> Iterable[Message]:
    if isinstance(playable, _MESSAGE):
        return (playable,)
    if playable is None:
        return _nothing("text")
    if isinstance(playable, str):
        return speakable(rewrite(playable))
    if _is_numeral(playable):
        return speakable(numeral_text(playable))
    if isinstance(playable, Coroutine):
        raise ConfigurationError("a coroutine cannot be played: write 'await' before the call that made it")
    if not isinstance(playable, tuple | list) or len(playable) != _PAIR:
        kind = type(playable).__name__
        raise ConfigurationError(f"{kind} cannot be played: give a text, or a pair such as ('text', 'שלום')")
    kind, data = playable
    return _convert_pair(kind, data, rewrite)


def _convert_pair(kind: object, data: object, rewrite: Callable[[str], str]) -> Iterable[Message]:
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ConfigurationError(f"no message type {kind!r}; the line plays: {', '.join(sorted(_KINDS))}")
    if kind in _TEXT:
        return _convert(data, rewrite)
    if isinstance(data, str):
        data, _ = strip_blanks(data)
    if data is None or data == "":
        return (Comment(),) if kind == "noop" else _nothing(kind)
    try:
        return tuple(_messages_of(kind, data))
    except ValueError as error:
        raise ConfigurationError(f"({kind!r}, …): {error}") from error


def _messages_of(kind: str, data: object) -> Iterable[Message]:
    if kind in _FROM_VALUE and (isinstance(data, str) or _is_numeral(data)):
        return _FROM_VALUE[kind](data)
    if kind in _FROM_DAY and isinstance(data, str | dt.date):
        return (_FROM_DAY[kind](_parse_day(data)),)
    if kind in _FROM_TEXT and (isinstance(data, str | PurePath) or _is_numeral(data)):
        return (_FROM_TEXT[kind](numeral_text(data) if _is_numeral(data) else str(data)),)
    example = _EXAMPLES.get(kind, "1")
    raise ConfigurationError(
        f"({kind!r}, …) cannot be given a {type(data).__name__}: write ({kind!r}, {example!r})"
    )


def _nothing(kind: str) -> tuple[Message, ...]:
    """Play nothing instead of an empty value: the number of a caller may be withheld."""
    warn_once(f"({kind!r}, …) was given nothing to play, and is left out")
    return ()


def _is_pair(value: object) -> bool:
    """Return whether ``value`` is one pair, and not two things to play; pairs of JSON are lists."""
    if not isinstance(value, tuple | list) or len(value) != _PAIR or not isinstance(value[0], str):
        return False
    if isinstance(value, list):
        return value[0] in _KINDS and len(value[0]) > 1  # ["a", "b"] is two texts
    return value[0] in _KINDS or isinstance(value[1], str | dt.date) or _is_numeral(value[1])


def _is_numeral(value: object) -> TypeGuard[Numeral]:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _zmanim(text: str) -> Zmanim:
    """Parse ``sunset,IL/Bney_Brak,+,D1``; only the first part is required."""
    return Zmanim(*text.split(",", 3))  # type: ignore[arg-type]  # Zmanim checks the sign


def _music(text: str) -> MusicOnHoldMessage:
    """Parse ``name`` or ``name,seconds``."""
    name, _, seconds = text.partition(",")
    if seconds and not seconds.strip().isdecimal():
        raise ValueError("the seconds after the comma are a whole number")
    return MusicOnHoldMessage(name, int(seconds) if seconds else None)


def _parse_day(day: object) -> dt.date:
    if isinstance(day, dt.date):
        return day.date() if isinstance(day, dt.datetime) else day
    text = str(day).replace(".", "/").replace("-", "/")
    pattern = "%Y/%m/%d" if text[:4].isdecimal() else "%d/%m/%Y"
    try:
        return dt.datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day, not a moment
    except ValueError as error:
        raise ValueError("give a day such as '31/12/2026', or a datetime.date") from error


_FROM_VALUE: Mapping[str, Callable[[str | Numeral], Iterable[Message]]] = {
    "digits": spell,
    "d": spell,
    "number": read_number,
    "n": read_number,
    "alpha": spell_letters,
    "a": spell_letters,
}
_FROM_DAY: Mapping[str, Callable[[dt.date], Message]] = {"date": Date, "dateH": HebrewDate}
_FROM_TEXT: Mapping[str, Callable[[str], Message]] = {
    "file": lambda name: File(file_name(name)),
    "f": lambda name: File(file_name(name)),
    "speech": lambda name: SpeechFile(name.removesuffix(".tts")),
    "s": lambda name: SpeechFile(name.removesuffix(".tts")),
    "system_message": lambda code: SystemMessage(code.upper().removeprefix("M")),
    "m": lambda code: SystemMessage(code.upper().removeprefix("M")),
    "zmanim": _zmanim,
    "z": _zmanim,
    "music_on_hold": _music,
    "h": _music,
    "noop": Comment,
    "go_to_folder": GoTo,
    "g": GoTo,
}
_TEXT = frozenset({"text", "t"})
_KINDS = frozenset({*_TEXT, *_FROM_VALUE, *_FROM_DAY, *_FROM_TEXT})
_EXAMPLES: Mapping[str, str] = {
    **dict.fromkeys(("date", "dateH"), "31/12/2026"),
    **dict.fromkeys(("zmanim", "z"), "T,IL/Jerusalem,+,D1"),
    **dict.fromkeys(("music_on_hold", "h"), "calm,20"),
    **dict.fromkeys(("file", "f", "speech", "s"), "/1/000"),
}
