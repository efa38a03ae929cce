r"""The settings of an extension on the line: what differs from what a flow needs, and how it is written.

>>> plan = plan_extension("1", "type=menu\ntitle=shop\n", {"type": "api", "api_link": "https://host/"})
>>> [(change.key, change.old, change.new) for change in plan.changes]
[('type', 'menu', 'api'), ('api_link', None, 'https://host/')]
>>> plan.kept
['title']
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final, Protocol

from yemot_ai.errors import ProviderCrashError, ProviderError, ProviderTimeoutError, YemotAIError

__all__ = [
    "ExtensionChangedError",
    "ExtensionNotWrittenError",
    "ExtensionPlan",
    "SettingChange",
    "apply_plan",
    "ini_path",
    "plan_extension",
    "read_settings",
]

_CONSTANT: Final = re.compile(r"api_add_[0-9]+")


class TextFiles(Protocol):
    """The files of a line: a ``PlatformApi``."""

    def text_file(self, path: str) -> str | None:
        """Return the content of a file, None if there is none."""
        ...

    def update_extension(self, folder: str, settings: Mapping[str, str]) -> None:
        """Write settings into the ``ext.ini`` of a folder."""
        ...


class ExtensionChangedError(YemotAIError):
    """The ``ext.ini`` of an extension changed after it had been read.

    Attributes:
        folder: the folder of the extension.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        super().__init__(
            f"/{folder}: its ext.ini changed on the line in the meantime, and was not written: run it again"
        )


class ExtensionNotWrittenError(YemotAIError):
    """The settings of an extension were not written, or it is not known whether they were.

    Attributes:
        folder: the folder of the extension.
        keys: the settings that have other values than they should.
    """

    def __init__(self, folder: str, reason: str, *, keys: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.keys = keys
        super().__init__(f"/{folder}: {reason}")


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting with another value.

    Attributes:
        key: its name.
        old: its value on the line; None if it is not set.
        new: the value to write.
    """

    key: str
    old: str | None
    new: str


@dataclass(frozen=True, slots=True)
class ExtensionPlan:
    """The settings to write into the ``ext.ini`` of one extension.

    Attributes:
        folder: from the root of the line; "" is the root.
        before: the text of the file on the line; None if there is none.
        changes: the settings to write.
    """

    folder: str
    before: str | None
    changes: tuple[SettingChange, ...]

    @property
    def settings(self) -> dict[str, str]:
        """The values to write, by their names."""
        return {change.key: change.new for change in self.changes}

    @property
    def kept(self) -> list[str]:
        """The settings of the file that stay as they are."""
        return [key for key in read_settings(self.before or "") if key not in self.settings]

    @property
    def replaced_type(self) -> str | None:
        """The type of an extension that would become another one; None if it has no type, or the same."""
        return next((change.old or None for change in self.changes if change.key == "type"), None)


def ini_path(folder: str) -> str:
    """Return the path of the ``ext.ini`` of a folder."""
    return f"{folder}/ext.ini" if folder else "ext.ini"


def read_settings(text: str) -> dict[str, str]:
    """Return the settings of an ``ext.ini``: ``;`` begins a comment, the last of repeated keys counts."""
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith(";"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def plan_extension(folder: str, before: str | None, wanted: Mapping[str, str]) -> ExtensionPlan:
    """Return the changes that give an extension the settings ``wanted``; it keeps all others.

    Args:
        folder: from the root of the line; "" is the root.
        before: the text of its ``ext.ini``; None if there is none.
        wanted: values by name. A constant (``api_add_0``) takes the number under which the file has it, or
            the first free one: constants are numbered from 0 without gaps [OFF].
    """
    current = read_settings(before or "")
    placed = {
        _free_key(value, current) if _CONSTANT.fullmatch(key) else key: value for key, value in wanted.items()
    }
    changes = (SettingChange(key, current.get(key), value) for key, value in placed.items())
    return ExtensionPlan(folder, before, tuple(change for change in changes if change.old != change.new))


def apply_plan(files: TextFiles, plan: ExtensionPlan) -> None:
    """Write a plan, and read the file again: the platform does not say what it wrote.

    Between the look at the file and the write another program may still write: the platform has no command
    that does both.

    Raises:
        ExtensionChangedError: the file is another one than when the plan was made; nothing was written.
        ExtensionNotWrittenError: it was not written as planned, or that is not known.
        ProviderError: the platform did not let the file be read.
    """
    path = ini_path(plan.folder)
    if files.text_file(path) != plan.before:
        raise ExtensionChangedError(plan.folder)
    try:
        files.update_extension(plan.folder, plan.settings)
    except (ProviderTimeoutError, ProviderCrashError) as error:
        reason = f"{error}; whether it was written is not known: run it without --apply to see"
        raise ExtensionNotWrittenError(plan.folder, reason) from error
    except ProviderError as error:
        raise ExtensionNotWrittenError(plan.folder, f"not written: {error}") from error
    _check_written(plan, files.text_file(path))


def _check_written(plan: ExtensionPlan, after: str | None) -> None:
    expected = read_settings(plan.before or "") | plan.settings
    found = read_settings(after or "")
    # The platform may leave out a setting without a value [CODE].
    wrong = tuple(key for key, value in expected.items() if found.get(key, "") != value)
    if wrong:
        reason = f"after the write the line has other values of {', '.join(wrong)}: look at its ext.ini"
        raise ExtensionNotWrittenError(plan.folder, reason, keys=wrong)


def _free_key(constant: str, current: Mapping[str, str]) -> str:
    """Return the key for a constant ``name=value``."""
    name = f"{constant.partition('=')[0]}="
    same = (key for key, value in current.items() if _CONSTANT.fullmatch(key) and value.startswith(name))
    free = (f"api_add_{number}" for number in count() if f"api_add_{number}" not in current)
    return next(same, None) or next(free)
