"""The settings of ``ext.ini`` that this line obeys, or that change nothing here, and their allowed values.

>>> KEYS["api_url_post"].expected_instead("yes"), KEYS["api_url_post"].expected_instead("on")
(None, 'yes or no')
>>> find_key("api_007_key_2_say").name, find_key("muted_M1002").name, find_key("api_timeout")
('api_NNN_key_K_say', 'muted_MNNNN', None)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from yemot_ai_testing.line.transports.urls import http_url

__all__ = [
    "COUNT",
    "KEYS",
    "KEY_PATTERNS",
    "MENU_KEYS",
    "PARAMETER_KEYS",
    "UNDOCUMENTED",
    "ExtIniKey",
    "find_key",
]


@dataclass(frozen=True, slots=True)
class ExtIniKey:
    """One setting.

    Attributes:
        name: its name; capitals stand for numbers, ``<…>`` for a word.
        allowed: a description of the allowed values.
        meaning: what the simulated line does with it.
        pattern: what a value must match; None if every value is allowed.
    """

    name: str
    allowed: str
    meaning: str
    pattern: re.Pattern[str] | None = None

    @property
    def has_default(self) -> bool:
        """Whether its default counts instead of a value that is not allowed."""
        return self.allowed in {_YES_NO[0], _COUNT[0]}

    @property
    def is_url(self) -> bool:
        """Whether its value is a URL."""
        return self.allowed == _URL

    @property
    def is_target(self) -> bool:
        """Whether its value is a target of ``go_to_folder``."""
        return self.allowed == _TARGET

    def expected_instead(self, value: str) -> str | None:
        """Return a description of the allowed values if ``value`` is none, else None."""
        if self.is_url:
            return None if _is_url(value) else _URL
        return None if self.pattern is None or self.pattern.fullmatch(value) else self.allowed


_URL: Final = "an http(s) url"
_YES_NO: Final = ("yes or no", re.compile("yes|no"))
_FOLDER: Final = ("a folder such as /5/6", re.compile(r"(/[^/\s]+)+"))
_TARGET: Final = "a target of go_to_folder"
_NUMBER: Final = ("a whole number", re.compile(r"-?\d+"))
COUNT: Final = re.compile("0{0,4}[1-9][0-9]{0,4}")
"""A whole number from 1, of a size that occurs."""
_COUNT: Final = ("a whole number from 1", COUNT)
_CODES: Final = ("names such as M1012,M1002", re.compile(r"M\d{4}(\s*,\s*M\d{4})*"))
_TEXT: Final = ("a text", re.compile(".+"))
NO_EFFECT: Final = "known; changes nothing here"

PARAMETER_KEYS: Final = {
    "api_call_id_send": "ApiCallId",
    "api_phone_send": "ApiPhone",
    "api_did_send": "ApiDID",
    "api_extension_send": "ApiExtension",
    "api_enter_id_send": "ApiEnterID",
    "api_enter_id_name_send": "ApiEnterIDName",
    "api_time_send": "ApiTime",
}
"""Which parameter each ``…_send=no`` switches off [OFF]."""


def _key(name: str, value_pattern: tuple[str, re.Pattern[str]], meaning: str) -> ExtIniKey:
    return ExtIniKey(name, value_pattern[0], meaning, value_pattern[1])


_NAMED_KEYS: Final = (
    _key("type", _TEXT, "`api`: a server decides; anything else is a place the caller passes through"),
    ExtIniKey("api_link", _URL, "where requests go; without it M1609"),
    _key("api_url_post", _YES_NO, "`yes`: POST, the values in a form"),
    _key("api_add_replace_space", _YES_NO, "`yes`: a space is sent as `+`"),
    _key("api_add_directed_phone", _YES_NO, "`yes`: `ReferredFrom` is sent, if the caller has one"),
    *(_key(name, _YES_NO, f"`no`: `{parameter}` is not sent") for name, parameter in PARAMETER_KEYS.items()),
    _key("api_say_tts", _YES_NO, "`no`: recognised speech is not spoken back"),
    _key("api_voice_ask_ok", _YES_NO, "`yes`: the caller approves what was recognised"),
    _key("api_save_file", _YES_NO, NO_EFFECT),
    _key("api_wait_answer_music_on_hold", _YES_NO, "`yes`: music from the request until the answer"),
    _key("api_wait_answer_music_on_hold_different", _TEXT, "which music"),
    _key(
        "api_wait_answer_music_on_hold_continue_all_sends",
        _YES_NO,
        "`yes`: each wait continues the music where it stopped",
    ),
    ExtIniKey("api_end_goto", _TARGET, "where a caller goes when the answer says nothing more"),
    ExtIniKey("api_hangup_link", _URL, "where hang-ups are sent instead"),
    _key("api_hangup_send", _YES_NO, "`no`: hang-ups are not sent"),
    _key("api_dir", _FOLDER, "where files lie, and recordings go"),
    _key("api_record_beep", _YES_NO, "`no`: no beep before a recording"),
    _key("api_log", _YES_NO, NO_EFFECT),
    ExtIniKey("api_send_webhook_error_link", _URL, "known; a missing file is only a warning here"),
    _key("say_api_answer", _YES_NO, "`yes`: a bare word is spoken"),
    _key("global_folder_check", _YES_NO, "`yes`: a file that is missing may be in the shared library"),
    _key("global_folder_share", _TEXT, NO_EFFECT),
    _key("lang", _TEXT, NO_EFFECT),
    _key("language", _TEXT, NO_EFFECT),
    _key("voice", _TEXT, NO_EFFECT),
    _key("tts_voice", _TEXT, NO_EFFECT),
    _key("rate", _NUMBER, NO_EFFECT),
    _key("tts_rate", _NUMBER, NO_EFFECT),
    _key("muted_messages", _CODES, "system messages that are not heard, except M0000 and M1000"),
    _key("messages_max", _COUNT, "M0000-1, M0000-2 … are heard from this one down, after M0000"),
    _key("say_first_one_time", _YES_NO, "`yes`: M0000 is heard once in a call"),
    _key("play_and_return", _TEXT, NO_EFFECT),
    _key("say_time_am_pm", _YES_NO, NO_EFFECT),
    _key("jcalendar_realdate", _NUMBER, NO_EFFECT),
    _key("jcalendar_subtract_day_if_time_before", _NUMBER, NO_EFFECT),
    _key("log_folder_enter_exit", _YES_NO, NO_EFFECT),
    _key("no_ringing", _YES_NO, NO_EFFECT),
    _key("email_address2", _TEXT, NO_EFFECT),
    _key("change_pitch", _TEXT, NO_EFFECT),
    _key("title", _TEXT, "the name of the extension [CODE]; changes nothing here"),
)
KEYS: Final = {key.name: key for key in _NAMED_KEYS}
"""The settings with a fixed name [OFF]: of the API extension, and of all extensions."""

MENU_KEYS: Final = {
    key.name: key
    for key in (
        _key("digits", _COUNT, "how many digits the names of folders have: with 2 the key 1 leads to 01"),
        _key("M1001_say", _YES_NO, "`yes`: M1001 is heard for a key without a folder"),
    )
}
"""Further settings of a menu [OFF]."""

_PATTERNS: Final = (
    (r"api_add_(0|[1-9][0-9]{0,8})", "api_add_N", "name=value", "a constant in every request; N from 0"),
    (r"muted_M[0-9]{4}", "muted_MNNNN", "yes or no", "`yes`: this message is not heard; `no`: it is"),
    (
        r"api_[0-9]{3}_key_[0-9*#]_say",
        "api_NNN_key_K_say",
        "a file",
        "heard for key K at that question, which then follows again",
    ),
    (r"api_[0-9]{3}", "api_NNN", "the fields of read", "asked before the first request"),
    (
        r"api_answer_.+",
        "api_answer_<word>[_N]",
        "actions",
        "done after that bare word; `_1`, `_2` … follow only where the word without a number is set",
    ),
    (r"read_answer_.+_.*", "read_answer_<param>_<value>", "actions", "done, not sent"),
)
_PATTERN_VALUES: Final = {"yes or no": _YES_NO[1]}
KEY_PATTERNS: Final = tuple(
    (re.compile(pattern), ExtIniKey(name, allowed, meaning, _PATTERN_VALUES.get(allowed)))
    for pattern, name, allowed, meaning in _PATTERNS
)
"""The settings whose names contain numbers or words [OFF]."""

UNDOCUMENTED: Final = frozenset(
    {
        "api_timeout", "api_wait", "api_wait_play", "api_max_call_length", "api_url", "api_method",
        "api_link_send_recording", "api_yf_call_id_send", "api_real_did_send",
    }
)  # fmt: skip
"""Settings in published code that the official text does not have [CODE]: do not rely on them."""


def find_key(name: str, kind: str = "api") -> ExtIniKey | None:
    """Return the setting of that name in the tables above; None if it is unknown.

    Args:
        name: the name in a file.
        kind: the type of the extension; that of ``api`` has no settings of a menu.
    """
    if name in KEYS:
        return KEYS[name]
    if name in MENU_KEYS and kind != "api":
        return MENU_KEYS[name]
    return next((key for pattern, key in KEY_PATTERNS if pattern.fullmatch(name)), None)


def _is_url(value: str) -> bool:
    try:
        http_url(value)
    except ValueError:
        return False
    return True
