r"""Read the settings of an ``ext.ini`` or ``ivr.ini``, with their expiry dates and with warnings.

>>> ini = read_ini("type(2021-07-29-00-00-00|playfile)=menu\napi_end_goto(2021-07-29-00-00-00)=/5")
>>> ini.settings["type"].value
'playfile'
>>> print(ini.warnings[0])
ext.ini:2: expired: api_end_goto=/5 counted until 2021-07-29-00-00-00 and is ignored now
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

__all__ = ["IniFile", "IniWarning", "Setting", "decode_ini", "read_ini"]

TIME_ZONE: Final = "Asia/Jerusalem"
"""The platform's time [OFF]."""

_DATED: Final = re.compile(r"(?P<key>[^=(]*)\((?P<until>[^()]*)\)\s*=(?P<value>.*)")
_DATE: Final = re.compile(r"\d{4}(?:-\d{2}){5}", re.ASCII)
_DATE_FORM: Final = "YYYY-MM-DD-hh-mm-ss"


@dataclass(frozen=True, slots=True)
class IniWarning:
    """A warning about a file of a line.

    Attributes:
        file: its name.
        line: counted from 1; 0 for the whole file.
        code: a stable identifier.
        message: what is wrong, and what to change.
    """

    file: str
    line: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.code}: {self.message}"

    @property
    def place(self) -> str:
        """The file, and the line if there is one."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def is_note(self) -> bool:
        """Whether the file is in order, and only the simulation differs from the platform."""
        return self.code in {"not-simulated", "skipped-file", "hidden-folder"}


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of a key, and the file and line that set it."""

    value: str
    file: str
    line: int

    def warning(self, code: str, message: str) -> IniWarning:
        """Return a warning about this setting."""
        return IniWarning(self.file, self.line, code, message)


@dataclass(frozen=True, slots=True)
class IniFile:
    """The settings of a file.

    Attributes:
        settings: the last setting of each key that has not expired.
        warnings: the warnings about its lines, in their order.
    """

    settings: Mapping[str, Setting]
    warnings: tuple[IniWarning, ...] = ()


def decode_ini(raw: bytes, name: str) -> tuple[str, tuple[IniWarning, ...]]:
    """Return the text of a file, and a warning if it is not UTF-8; never raises."""
    if encoding := _utf_16(raw):
        message = "the file is UTF-16 ('Unicode' in some editors): save it as UTF-8"
        return raw.decode(encoding, "replace"), (IniWarning(name, 0, "not-utf8", message),)
    try:
        return raw.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        text = raw.decode("windows-1255", "replace")
        message = (
            f"byte {error.start} is not UTF-8 (windows-1255?): Hebrew in it arrives garbled; save it as UTF-8"
        )
        return text, (IniWarning(name, 0, "not-utf8", message),)


def _utf_16(raw: bytes) -> str:
    """Return the encoding of a UTF-16 file, with a byte order mark or without; empty for any other file."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" not in raw[:2]:
        return ""
    return "utf-16-le" if raw[1:2] == b"\0" else "utf-16-be"


def read_ini(text: str, name: str = "ext.ini", *, now: datetime | None = None) -> IniFile:
    """Read the lines of a file; never raises.

    Args:
        text: lines ``key=value`` or ``key(YYYY-MM-DD-hh-mm-ss)=value``; ``;`` begins a comment, the last of
            repeated keys counts. After its date a setting is ignored, or has the value after a ``|``:
            ``key(YYYY-MM-DD-hh-mm-ss|later)=value`` [OFF].
        name: the name of the file in warnings.
        now: the time that expiry dates are compared with; without a time zone it is the time in Israel, as
            the dates are. The present by default.
    """
    reader = _IniReader(name, now)
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        reader.read_line(number, line.strip())
    return IniFile(reader.settings, tuple(reader.warnings))


class _IniReader:
    """Collects the settings and warnings of one file."""

    def __init__(self, name: str, now: datetime | None) -> None:
        self.settings: dict[str, Setting] = {}
        self.warnings: list[IniWarning] = []
        self._name = name
        self._now = now

    def read_line(self, number: int, line: str) -> None:
        """Read one line without outer white space."""
        if not line or line.startswith(";"):
            return
        dated = _DATED.fullmatch(line)
        key, equals, value = (dated["key"], "=", dated["value"]) if dated else line.partition("=")
        key, value = key.strip(), value.strip()
        if not equals or not key:
            self._warn(number, "no-setting", f"{line[:60]!r} is no key=value; the line skips it")
            return
        if re.search(r"\s;", value):
            message = f"{value!r} has a ; in it: a comment needs its own line [?]"
            self._warn(number, "comment-in-value", message)
        if dated:
            self._add_dated(number, key, value, dated["until"])
        elif "(" in key:
            message = f"{key!r} has no date ({_DATE_FORM}) in its brackets; it counts without one [?]"
            self._warn(number, "expiry", message)
            self._add(number, key.partition("(")[0].strip(), value)
        else:
            self._add(number, key, value)

    def _add_dated(self, number: int, key: str, value: str, written: str) -> None:
        """Add a setting with an expiry date, or what it becomes afterwards [OFF]."""
        until, has_later, later = written.partition("|")
        moment = _read_date(until.strip())
        if moment is None:
            message = f"{until!r} is no date ({_DATE_FORM}); {key!r} counts without one [?]"
            self._warn(number, "expiry", message)
            self._add(number, key, value)
            return
        if not _DATE.fullmatch(until.strip()):
            message = f"{until!r} is read as {moment:%Y-%m-%d-%H-%M-%S}; the official form is {_DATE_FORM}"
            self._warn(number, "expiry", message)
        if _time_in_israel(self._now) < moment:
            self._add(number, key, value)
        elif has_later:
            self._add(number, key, later.strip())
        else:
            self._warn(number, "expired", f"{key}={value} counted until {until} and is ignored now")

    def _add(self, number: int, key: str, value: str) -> None:
        if key in self.settings:
            message = f"{key!r} stands in line {self.settings[key].line} already; this one, the last, counts"
            self._warn(number, "repeated-key", message)
        self.settings[key] = Setting(value, self._name, number)

    def _warn(self, line: int, code: str, message: str) -> None:
        self.warnings.append(IniWarning(self._name, line, code, message))


def _read_date(written: str) -> datetime | None:
    """Return the time of ``YYYY-MM-DD-hh-mm-ss``; missing parts at the end are zero."""
    if not re.fullmatch(r"\d{4}(?:-\d{1,2}){2,5}", written, re.ASCII):
        return None
    try:
        return datetime(*map(int, written.split("-")))  # type: ignore[arg-type]  # noqa: DTZ001 - in Israel
    except ValueError:
        return None


def _time_in_israel(at: datetime | None) -> datetime:
    if at is not None and at.tzinfo is None:
        return at
    return (at or datetime.now(UTC)).astimezone(ZoneInfo(TIME_ZONE)).replace(tzinfo=None)
