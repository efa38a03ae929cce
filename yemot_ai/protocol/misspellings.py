"""What misspelt and misplaced names in a response probably mean, for the hints of its errors.

>>> describe_action("go_to_foldr")
"there is no action 'go_to_foldr' (did you mean 'go_to_folder'?)"
>>> find_mode_mistake("no", "vioce"), find_mode_mistake("no", "voice")
((2, "there is no mode 'vioce' (did you mean 'voice'?)"), None)
"""

from __future__ import annotations

import difflib
import functools
from typing import Final, get_args

from yemot_ai.protocol.actions import ACTIONS, Play, Read
from yemot_ai.protocol.fields.white_space import strip_blanks
from yemot_ai.protocol.read_modes import Keyboard

__all__ = ["NO_LOG", "describe_action", "find_mode_mistake"]

NO_LOG: Final = "api_log_no"
"""The prefix of a response that the line does not log [OFF]."""

_MAX_NAME: Final = 40
"""Characters of a name that are looked at, and shown."""
_ACTION_NAMES: Final = (*ACTIONS, Play.NAME, Read.NAME)
_SETTING: Final = "that is a setting of ext.ini, not an action"
_OTHER_ACTIONS: Final = {
    **dict.fromkeys(("say_api_answer", "type"), _SETTING),
    "hangup": "there is no such action: go_to_folder=hangup ends the call",
    "goto": "there is no such action: go_to_folder moves the caller",
    "play": "there is no such action: id_list_message plays",
    "say": "there is no such action: id_list_message speaks a text that begins with t-",
    "record": "there is no such action: read takes a recording, with record as its third field",
    "voice": "there is no such action: read takes speech, with voice as its third field",
    "tap": "there is no such action: read takes keys",
    NO_LOG: "write api_log_no& before the first action",
}
_SETTINGS: Final = {
    "api_answer_": "api_answer_ is for ext.ini: the server answers with the word after it",
    "api_": _SETTING,
}
"""The beginnings of names of settings."""
_MODES: Final = ("voice", "record")
_COMMON: Final = ("no", "", "yes")
"""What field 2 is in nearly every read."""
_OTHER_MODES: Final = {
    **dict.fromkeys(("speech", "stt"), "did you mean 'voice'?"),
    **dict.fromkeys(("tap", "keys", "dtmf"), "keys are taken without one"),
}
"""Names that libraries and other platforms have."""
_KEYBOARDS: Final = frozenset(name.casefold() for name in get_args(Keyboard)) - {"no"}


def describe_action(name: str) -> str:
    """Return that there is no action ``name``, and what it probably means."""
    return _describe_action(name[: _MAX_NAME + 1])


@functools.lru_cache(maxsize=256)  # a broken response may have one name many times
def _describe_action(name: str) -> str:
    if name in _OTHER_ACTIONS:
        return _OTHER_ACTIONS[name]
    for prefix, reason in _SETTINGS.items():
        if name.startswith(prefix):
            return reason
    reason = f"there is no action {name[:_MAX_NAME]!r}"
    lower = name.casefold()
    if lower in _ACTION_NAMES:
        return f"{reason}: write {lower!r}"
    near = difflib.get_close_matches(lower.replace("-", "_"), _ACTION_NAMES, 1, 0.8)
    return f"{reason} (did you mean {near[0]!r}?)" if near else reason


def find_mode_mistake(second: str, third: str) -> tuple[int, str] | None:
    """Return what is wrong with the mode of a read, if it has one that is misspelt or in another place.

    Args:
        second: field 2.
        third: field 3, without blanks around it.

    Returns:
        The index of the field, and the reason; None if no mode is meant, or nothing is wrong.
    """
    name = third[:_MAX_NAME].casefold()
    if name in _MODES:
        return None
    if second not in _COMMON and strip_blanks(second)[0].casefold() in _MODES:
        return 1, f"field 2 is {second!r}, which belongs to field 3"
    if not name[:1].isalpha():
        return None
    if name in _KEYBOARDS:
        return 2, f"field 3 is {third!r}, which belongs to field 6"
    near = [f"did you mean {mode!r}?" for mode in difflib.get_close_matches(name, _MODES, 1)]
    meant = _OTHER_MODES.get(name) or "".join(near)
    return (2, f"there is no mode {third[:_MAX_NAME]!r} ({meant})") if meant else None
