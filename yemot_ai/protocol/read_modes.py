"""The three modes of a read, each with its positional fields [OFF].

The tables below follow the official ones: fields 1 and 2 belong to the read, and field 3 selects the
mode; an empty or numeric field 3 is the maximum number of digits of a tap read.

>>> READ_TAP.render({"name": "choice", "reuse": False, **mode_values(Tap(max_digits=1))})
'choice,no,1,1,7,No,,,,,,,None,,no'
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, TypeAlias, get_args

from yemot_ai.errors import InvalidValueError
from yemot_ai.protocol.fields.codecs import CONTROL, Choice, FieldWarning, Integer, KeyList
from yemot_ai.protocol.fields.layout import Layout, LayoutField, Report
from yemot_ai.protocol.fields.text_codecs import FreeText, Regex
from yemot_ai.protocol.fields.values import LayoutValue
from yemot_ai.protocol.fields.white_space import BLANK, strip_blanks

__all__ = [
    "KEYBOARD_LENGTHS",
    "READ_RECORD",
    "READ_TAP",
    "READ_VOICE",
    "Keyboard",
    "Mode",
    "Record",
    "Tap",
    "Voice",
    "mode_values",
]

Keyboard: TypeAlias = Literal[
    "No", "Number", "Digits", "Price", "Time", "Date", "HebrewDate", "TeudatZehut", "Phone", "Alpha",
    "HebrewKeyboard", "EnglishKeyboard", "EmailKeyboard", "DigitsKeyboard", "GetMail", "File", "TTS",
]  # fmt: skip
"""How typed keys are played back, or which letters the keys write."""

KEYBOARD_LENGTHS: Final[dict[str, tuple[int, int]]] = {
    "Time": (4, 4),
    "Date": (8, 8),
    "HebrewDate": (8, 8),
    "TeudatZehut": (8, 9),
    "Phone": (9, 10),
}
"""The minimum and maximum (fields 4 and 3) that must be set with a keyboard [OFF]."""


def _name_warnings(text: str) -> Iterator[FieldWarning]:
    blank = _BLANK.search(text)
    if blank:
        yield "name-space", blank.start()


def _file_name_warnings(text: str) -> Iterator[FieldWarning]:
    if "." in text:
        yield "file-extension", text.index(".")


def _language_warnings(text: str) -> Iterator[FieldWarning]:
    if text.casefold() in {"he", "he-il"}:
        yield "language-he-il", 0


def _insert_seconds(fields: list[tuple[int, str]], report: Report) -> list[tuple[int, str]]:
    """Insert field 5, the seconds, if field 6 stands in its place, as in an example of the official text."""
    position, text = fields[4] if len(fields) > _SECONDS else (0, "")
    if text.isdigit() or strip_blanks(text)[0].casefold() not in _KEYBOARD_NAMES:
        return fields
    report("missing-seconds", f"field 5 is {text!r}, which belongs to field 6", position)
    return [*fields[:_SECONDS], (position, ""), *fields[_SECONDS:]]


_BLANK: Final = re.compile(f"[{BLANK}]")
_SECONDS: Final = 4
_KEYBOARD_NAMES: Final = frozenset(name.casefold() for name in get_args(Keyboard))
_FIELD: Final = f"[^,&={CONTROL}]"
_YES: Final = Choice({"": False, "no": False, "yes": True})
_NO: Final = Choice({"": True, "no": False})
_MAX_DIGITS: Final = Integer(minimum=1, allow_star=True, none_label="no limit")
# The official value is NO; yemot-router2 sends No in production [LIB]. Empty means the same.
_KEYBOARD: Final = Choice({"No": "No", "NO": "No", "": "No", **{name: name for name in get_args(Keyboard)}})
_REPLACE: Final = Regex(
    re.compile(f"{_FIELD}{{2}}"), "two characters, from and to", default="", keeps_spaces=True
)
_NAME: Final = Regex(
    re.compile(f"(?!Api|hangup\\s*$|\\s*$)[^,=&.{CONTROL}]+"),
    "a valid name of a value",
    code="name",
    invalid=",=&.",
    find_warnings=_name_warnings,
    keeps_spaces=True,
)
_LANGUAGE: Final = Regex(
    re.compile("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"),
    "a language code such as en-US",
    default="",
    invalid="^A-Za-z0-9-",
    find_warnings=_language_warnings,
)
_FOLDER: Final = Regex(
    re.compile(f"(/[^/,&={CONTROL}]+)+"), "a folder such as /1/2", default="", code="record-folder"
)
_FILE: Final = Regex(
    re.compile(f"[^/,&={CONTROL}]+"), "a file name such as 000", default="", find_warnings=_file_name_warnings
)


_HEAD: Final[dict[str, LayoutField]] = {
    "name": (_NAME, "name of the value"),
    "reuse": (Choice({"no": False, "": False, "yes": True}), "uses a value that the call has already"),
}
_TAP: Final[dict[str, LayoutField]] = {
    "max_digits": (_MAX_DIGITS, "the most digits"),
    "min_digits": (Integer(default=1), "the fewest digits"),
    "seconds": (Integer(default=7), "seconds to wait"),
    "keyboard": (_KEYBOARD, "how what was typed is played back"),
    "block_star": (_YES, "* is refused"),
    "block_zero": (_YES, "the amount 0 is refused"),
    "replace": (_REPLACE, "keys replaced, from and to"),
    "allowed": (KeyList(), "allowed keys"),
    "attempts": (Integer(minimum=1, none_label="once"), "times the question is played"),
    "accept_empty": (Choice({"": False, "Ok": True}), "continues without a value"),
    "empty_value": (FreeText(forbidden=",&=", required=False, default="None"), "value sent when empty"),
    "lock_keyboard": (
        Choice({"": False, "InsertLettersTypeChangeNo": True}),
        "keyboard's language locked",
    ),
    "confirm": (_NO, "the caller approves what was typed"),
}
_VOICE: Final[dict[str, LayoutField]] = {
    "language": (_LANGUAGE, "language"),
    "block_keys": (Choice({"": False, "no": True}), "keys are refused"),
    "max_digits": (_MAX_DIGITS, "the most digits, if keys are pressed"),
    "record_engine": (Choice({"": False, "record": True}), "engine for long utterances"),
    "silence_seconds": (Integer(minimum=1), "seconds of silence that end it"),
    "max_seconds": (Integer(minimum=1), "the most seconds"),
}
_RECORD: Final[dict[str, LayoutField]] = {
    "folder": (_FOLDER, "folder to save in"),
    "file": (_FILE, "file name"),
    "confirm": (_NO, "menu to listen, accept or record again"),
    "keep_on_hangup": (_YES, "kept when the caller hangs up"),
    "append": (_YES, "added to a file that exists"),
    "min_seconds": (Integer(none_label="none"), "the fewest seconds"),
    "max_seconds": (Integer(minimum=1, none_label="no limit"), "the most seconds"),
}

# The row on the keyboard Phone mentions a 16th value [OFF]; no row describes it.
READ_TAP: Final = Layout(16, _insert_seconds, **_HEAD, **_TAP)
"""The 15 fields of a read by keys."""
READ_VOICE: Final = Layout(**_HEAD, _mode=Choice({"voice": None}), **_VOICE)
"""The 9 fields of a read by speech."""
READ_RECORD: Final = Layout(**_HEAD, _mode=Choice({"record": None}), **_RECORD)
"""The 10 fields of a recording."""


@dataclass(frozen=True, slots=True)
class Tap(LayoutValue, title="by keys", layout=Layout(**_TAP)):
    """Keys [OFF].

    Args:
        max_digits: maximum number of digits; None for no limit.
        min_digits: minimum; below it the line plays M1035 and asks again.
        seconds: seconds to wait for a key, also between two keys.
        keyboard: how typed keys are played back; ``No`` for not at all.
        block_star: refuse ``*`` (M1368).
        block_zero: refuse the amount 0 (M1625); the key stays allowed.
        replace: two characters, from and to: ``*/`` turns every ``*`` into ``/``; empty for none.
        allowed: accepted input: keys ``("1", "2", "#")``, whole values ``("11", "12")`` or
            ``("from_folder",)``; empty for any. For other input the line plays M1224.
        attempts: how often the question is played before the value counts as empty; None is once.
        accept_empty: continue without a value, instead of asking again (M1002).
        empty_value: the value sent in that case.
        lock_keyboard: do not let the caller change the language of the keyboard (M4186).
        confirm: let the caller approve what was typed (M1353).
    """

    max_digits: int | None = None
    min_digits: int = 1
    seconds: int = 7
    keyboard: Keyboard = "No"
    block_star: bool = False
    block_zero: bool = False
    replace: str = ""
    allowed: tuple[str, ...] = ()
    attempts: int | None = None
    accept_empty: bool = False
    empty_value: str = "None"
    lock_keyboard: bool = False
    confirm: bool = False

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)
        _check_min_max(self.min_digits, self.max_digits, "digits")


@dataclass(frozen=True, slots=True)
class Voice(LayoutValue, title="by speech", layout=Layout(**_VOICE)):
    """Speech recognition by the line; keys arrive as ``Digits-12`` [OFF], silence as an empty value [LIB].

    Args:
        language: a code such as ``en-US``; empty for Hebrew or the extension's setting.
        block_keys: accept speech only.
        max_digits: maximum number of digits, if keys are allowed; None for no limit.
        record_engine: use the engine for long utterances, which accepts no keys.
        silence_seconds: seconds of silence that end the utterance (``record_engine`` only).
        max_seconds: maximum length of the utterance (``record_engine`` only).
    """

    language: str = ""
    block_keys: bool = False
    max_digits: int | None = None
    record_engine: bool = False
    silence_seconds: int | None = None
    max_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Record(LayoutValue, title="by recording", layout=Layout(**_RECORD)):
    """A recording [OFF]; its value is the path of the file [LIB].

    Args:
        folder: folder of the file, e.g. ``/1/2``; empty for ``api_dir`` or the extension.
        file: file name without extension; empty for the next free number.
        confirm: play the menu M3345 (listen, accept, again) afterwards; else ``#`` accepts at once.
        keep_on_hangup: keep the recording when the caller hangs up.
        append: append to an existing file.
        min_seconds: minimum length (M1305).
        max_seconds: maximum length.
    """

    folder: str = ""
    file: str = ""
    confirm: bool = True
    keep_on_hangup: bool = False
    append: bool = False
    min_seconds: int | None = None
    max_seconds: int | None = None

    def __post_init__(self) -> None:
        self.LAYOUT.encode(self)
        _check_min_max(self.min_seconds, self.max_seconds, "seconds")


Mode: TypeAlias = Tap | Voice | Record
"""How a read takes its value."""


def mode_values(mode: Mode) -> dict[str, Any]:
    """Return the attributes of ``mode`` by name."""
    return {field.name: getattr(mode, field.name) for field in fields(mode)}


def _check_min_max(minimum: int | None, maximum: int | None, unit: str) -> None:
    if minimum is not None and maximum is not None and minimum > maximum:
        raise InvalidValueError("min-above-max", f"at least {minimum} and at most {maximum} {unit}")
