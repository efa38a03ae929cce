"""Recordings: duration, name, and the menu afterwards.

Source: [OFF] the fields of ``read`` in record mode; M1305, and M3345: 1 listens, 2 or # accepts, 3 records
again, 4 continues.
"""

from __future__ import annotations

from dataclasses import replace

from yemot_ai.protocol import Read, Record
from yemot_ai_testing.line.call import Call
from yemot_ai_testing.line.states import Asking, RecordingMenu
from yemot_ai_testing.line.verbs.verb import Verb, wrong_verb_error

__all__ = ["apply_menu_key", "records"]

LISTEN_KEY, ACCEPT_KEYS, RERECORD_KEY, CONTINUE_KEY = "1", frozenset({"2", "#"}), "3", "4"


def records(call: Call, path: str | None, seconds: float) -> Verb:
    """Return the verb of recording.

    Args:
        call: the call.
        path: the value that the server gets; with None the line names the file.
        seconds: how long the caller speaks; the line cuts at the maximum.

    Raises:
        WrongVerbError: the line does not record now.
    """
    match call.state:
        case Asking(read=Read(mode=Record() as mode)) as asking:
            limit = float("inf") if mode.max_seconds is None else max(mode.max_seconds - asking.seconds, 0.0)
            recorded = min(seconds, limit)
            return Verb(recorded, lambda: _finish_recording(call, asking, mode, path, recorded))
        case state:
            raise wrong_verb_error("records", state)


def apply_menu_key(call: Call, menu: RecordingMenu, key: str) -> None:
    """Apply a key of the menu after a recording."""
    if key in ACCEPT_KEYS:
        call.submit_value(menu.path)
    elif key == LISTEN_KEY:
        call.playback.play_sound(menu.path, kind="recording", seconds=menu.seconds)
        call.playback.play_system_message("M3345")
    elif key == RERECORD_KEY:
        call.ask(replace(menu.asking, path=menu.path, seconds=0.0))
    elif key == CONTINUE_KEY:
        call.ask(replace(menu.asking, path=menu.path, seconds=menu.seconds))
    else:
        call.playback.play_system_message("M3345")


def _finish_recording(call: Call, asking: Asking, mode: Record, path: str | None, seconds: float) -> None:
    seconds += asking.seconds
    if mode.min_seconds is not None and seconds < mode.min_seconds:
        call.playback.play_system_message("M1305")
        call.ask(replace(asking, seconds=0.0))
        return
    value = path or asking.path or _new_recording_value(call, mode)
    if mode.confirm and not mode.append:
        call.playback.play_system_message("M3345")
        call.set_state(RecordingMenu(asking, value, seconds))
    else:
        call.set_state(RecordingMenu(asking, value, seconds))
        call.submit_value(value)


def _new_recording_value(call: Call, mode: Record) -> str:
    settings = call.extension_settings
    if settings is None:
        raise AssertionError
    return call.recording_value(call.line.files.recording_path(mode, call.extension, settings))
