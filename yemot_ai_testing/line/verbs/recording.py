"""Recordings: how long, under which name, and the menu afterwards.

Source: [OFF] the fields of ``read`` in record mode; M1305, and M3345: 1 listens, 2 or # accepts, 3 records
anew, 4 goes on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from yemot_ai.protocol import Read, Record
from yemot_ai_testing.line.states import Asking, RecordingMenu
from yemot_ai_testing.line.verbs.verb import Deed, refused

if TYPE_CHECKING:
    from yemot_ai_testing.line.call import Call

__all__ = ["chosen", "records"]

LISTENS, ACCEPTS, ANEW, GOES_ON = "1", frozenset({"2", "#"}), "3", "4"


def records(call: Call, path: str | None, seconds: float) -> Deed:
    """Return what comes of a recording of so many seconds.

    Args:
        call: the call.
        path: the value that the server gets; None lets the line name the file.
        seconds: how long the caller speaks; the line cuts at the greatest length.

    Raises:
        WrongVerbError: the line does not record now.
    """
    match call.state:
        case Asking(read=Read(mode=Record() as mode)) as asking:
            room = float("inf") if mode.max_seconds is None else max(mode.max_seconds - asking.seconds, 0.0)
            lasts = min(seconds, room)
            return Deed(lasts, lambda: _recorded(call, asking, mode, path, lasts))
        case state:
            raise refused("records", state)


def chosen(call: Call, menu: RecordingMenu, key: str) -> None:
    """Do what a key says in the menu after a recording."""
    if key in ACCEPTS:
        call.give(menu.path)
    elif key == LISTENS:
        call.playing.sound(menu.path, kind="recording", seconds=menu.seconds)
        call.playing.system("M3345")
    elif key == ANEW:
        call.ask(replace(menu.asking, path=menu.path, seconds=0.0))
    elif key == GOES_ON:
        call.ask(replace(menu.asking, path=menu.path, seconds=menu.seconds))
    else:
        call.playing.system("M3345")


def _recorded(call: Call, asking: Asking, mode: Record, path: str | None, seconds: float) -> None:
    seconds += asking.seconds
    if mode.min_seconds is not None and seconds < mode.min_seconds:
        call.playing.system("M1305")
        call.ask(replace(asking, seconds=0.0))
        return
    value = path or asking.path or _named(call, mode)
    if mode.confirm and not mode.append:
        call.playing.system("M3345")
        call.become(RecordingMenu(asking, value, seconds))
    else:
        call.become(RecordingMenu(asking, value, seconds))
        call.give(value)


def _named(call: Call, mode: Record) -> str:
    place = call.place
    if place is None:
        raise AssertionError
    return call.value_of(call.line.files.recording(mode, call.extension, place))
