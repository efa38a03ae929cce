r"""Check the settings of an extension: unknown keys, values that are not allowed, what is not simulated.

>>> from yemot_ai_testing.line.platform.ini_file import read_ini
>>> for warning in check_settings(read_ini("api_pots=yes\npassword=1234").settings, "api"):
...     print(warning)
ext.ini:1: unknown-key: 'api_pots' is not known as an official setting of an API extension
ext.ini:2: not-simulated: 'password' is not simulated [OFF]: callers are not asked for a password
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from yemot_ai.protocol import lint
from yemot_ai_testing.line.platform.ext_keys import KEY_PATTERNS, KEYS, UNDOCUMENTED, ExtIniKey, find_key
from yemot_ai_testing.line.platform.ini_file import IniWarning, Setting
from yemot_ai_testing.line.platform.unsimulated import TYPES, find_unsimulated
from yemot_ai_testing.line.transports.urls import percent_encoded

__all__ = ["check_settings", "read_type"]

_KEY_NAMES: Final = (*sorted(KEYS), *(key.name for _, key in KEY_PATTERNS))
_KINDS: Final = {"api": "an API extension", "menu": "a menu", "": "an API extension or a menu"}
SENT_ENCODED: Final = (
    "they are percent-encoded here, as in a browser; whether the line does it is not known [?]"
)
_UNMUTED: Final = frozenset({"M0000", "M1000"})


def read_type(setting: Setting | None) -> tuple[str, tuple[IniWarning, ...]]:
    """Return the type of an extension, and a warning if it is not written as in the official list.

    Without a type an extension is a menu [?]. Whether upper case matters is unknown [?]: here it does not.
    """
    if setting is None or not setting.value:
        return "menu", ()
    kind = setting.value.lower()
    if kind not in TYPES:
        message = (
            f"type={setting.value} is not in the official list as this version knows it"
            f"{_suggestion(kind, sorted(TYPES))}; no server is asked, the caller only passes through"
        )
        return setting.value, (setting.warning("unknown-type", message),)
    if kind != setting.value:
        return kind, (_case_warning(setting, "type", kind),)
    return kind, ()


def check_settings(settings: Mapping[str, Setting], kind: str) -> Iterator[IniWarning]:
    """Yield the warnings about the settings of an extension; an empty value of a known key has none [OFF].

    Args:
        settings: the settings by key.
        kind: the type of the extension, ``api`` or ``menu``; empty for ``ivr.ini``, whose settings may be
            those of any type.
    """
    for name, setting in settings.items():
        key = find_key(name, kind)
        if key is not None:
            yield from _check_value(name, key, setting)
        elif name in UNDOCUMENTED:
            if setting.value:
                message = f"{name!r} is used in code but not in the official text [CODE]"
                yield setting.warning("undocumented-key", message)
        elif unsimulated := find_unsimulated(name, kind):
            if setting.value.lower() not in {"", "no"}:
                message = f"{name!r} is not simulated [OFF]: {unsimulated.meaning}"
                yield setting.warning("not-simulated", message)
        elif (suggestion := _suggestion(name, _KEY_NAMES)) or setting.value:
            # An empty value changes nothing, unless the key is a known one with a mistake in it.
            yield _unknown_warning(name, setting, kind, suggestion)


def _unknown_warning(name: str, setting: Setting, kind: str, suggestion: str) -> IniWarning:
    message = f"{name!r} is not known as an official setting of {_KINDS[kind]}"
    if not kind and not suggestion:  # in ivr.ini it may be that of another type
        note = f"{message}; settings of other types of extensions are not simulated"
        return setting.warning("not-simulated", note)
    return setting.warning("unknown-key", f"{message}{suggestion}")


def _check_value(name: str, key: ExtIniKey, setting: Setting) -> Iterator[IniWarning]:
    value = setting.value
    if not value or key.name == "type":
        return
    expected = key.expected_instead(value)
    if expected and key.expected_instead(value.lower()) is None:
        yield _case_warning(setting, name, value.lower())
    elif key.is_url and not expected and percent_encoded(value) != value:
        message = f"{name} has other characters than ASCII, or spaces: {SENT_ENCODED}"
        yield setting.warning("link-characters", message)
    elif key.is_target:
        for problem in lint(f"go_to_folder={value}"):
            yield setting.warning("value", f"{name}={value!r}: {problem.message}")
    elif expected:
        outcome = "; the default counts" if key.has_default else ""
        message = f"{name}={value!r}: the official text has only {expected} here{outcome}"
        yield setting.warning("value", message)
    elif name == "muted_messages" and (unmuted := _UNMUTED.intersection(re.findall(r"M\d{4}", value))):
        message = f"{', '.join(sorted(unmuted))}: muting has no effect on M0000 and M1000 [OFF]"
        yield setting.warning("muted", message)
    elif name.removeprefix("muted_") in _UNMUTED:
        yield setting.warning("muted", f"{name}: muting has no effect on M0000 and M1000 [OFF]")


def _case_warning(setting: Setting, name: str, lower: str) -> IniWarning:
    message = f"{name}={setting.value} counts as {lower} here; whether it does on the line is not known [?]"
    return setting.warning("value-case", message)


def _suggestion(name: str, names: Iterable[str]) -> str:
    """Return a question that names the most similar of ``names``, with a number for each ``NNN``."""
    candidates = {re.sub("[0-9]+|nn+", "N", known.lower()): known for known in names}
    close = difflib.get_close_matches(re.sub("[0-9]+", "N", name.lower()), candidates, n=1, cutoff=0.75)
    return f"; did you mean {candidates[close[0]]!r}?" if close else ""
