"""Read the folders of a line: each is an extension, ``ivr.ini`` in the root has settings for all of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from yemot_ai_testing.line.platform.ext_ini import read_ext_ini, read_ivr_ini
from yemot_ai_testing.line.platform.extension import AUDIO_SUFFIXES, Extension, audio_stem
from yemot_ai_testing.line.platform.ini_file import IniFile, IniWarning, decode_ini

__all__ = ["read_folders"]

EXT_INI: Final = "ext.ini"
IVR_INI: Final = "ivr.ini"

_MISNAMED: Final = re.compile(r"(ext|ivr)(\.ini)?(\.ini|\.txt)?", re.IGNORECASE)
_SMALL_M: Final = re.compile("m[0-9]{4}(-[0-9]+)?")
_SOUNDS: Final = ", ".join(f".{suffix}" for suffix in sorted(AUDIO_SUFFIXES))
_MAX_NAMES: Final = 5
"""How many skipped files or folders are named."""


def read_folders(
    root: Path, *, now: datetime | None = None
) -> tuple[dict[str, Extension], tuple[IniWarning, ...]]:
    """Return the extensions in ``root`` by path, and the warnings about its files.

    What is not simulated has one warning for the whole line, however many files have it; so has what is
    skipped.

    Args:
        root: the folder of the root extension.
        now: the time that expiry dates are compared with; the present by default.
    """
    reader = _LineReader(root, now)
    reader.read()
    return reader.extensions, (
        *_once(reader.warnings),
        *_skipped(
            "hidden-folder", reader.hidden, "a folder whose name begins with a dot is no extension here"
        ),
        *_skipped("skipped-file", reader.skipped, f"only sounds ({_SOUNDS}), {EXT_INI} and {IVR_INI} are"),
    )


class _LineReader:
    """Collects the extensions, the warnings and the names of what is skipped."""

    def __init__(self, root: Path, now: datetime | None) -> None:
        self.extensions: dict[str, Extension] = {}
        self.warnings: list[IniWarning] = []
        self.skipped: list[str] = []
        self.hidden: list[str] = []
        self._root = root
        self._now = now

    def read(self) -> None:
        """Read all folders."""
        common = IniFile({})
        for place, subfolders, names in os.walk(self._root, onerror=self._report_unreadable):
            folder = Path(place)
            path = "" if folder == self._root else folder.relative_to(self._root).as_posix()
            self.hidden += [_join(path, name) for name in sorted(subfolders) if name.startswith(".")]
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            if not path:
                common = self._read_ivr_ini()
            self._check_names(folder, path, subfolders, names)
            self._read_extension(folder, path, frozenset(names), common)

    def _read_ivr_ini(self) -> IniFile:
        text, warnings = _read_text(self._root / IVR_INI, IVR_INI)
        ini = read_ivr_ini(text, now=self._now)
        ini = replace(ini, warnings=(*warnings, *ini.warnings))
        self.warnings += ini.warnings
        return ini

    def _read_extension(self, folder: Path, path: str, names: frozenset[str], common: IniFile) -> None:
        name = _join(path, EXT_INI)
        text, warnings = _read_text(folder / EXT_INI, name)
        ext_ini = read_ext_ini(text, name=name, files=names, common=common, now=self._now)
        notes = (*warnings, *ext_ini.extension.notes)
        self.extensions[path] = replace(ext_ini.extension, notes=notes)
        self.warnings += (*warnings, *ext_ini.warnings)

    def _check_names(self, folder: Path, path: str, subfolders: list[str], names: list[str]) -> None:
        for name in sorted(names):
            if problem := _name_problem(name, is_root=not path):
                self._warn_of(path, name, "file-name", problem)
            elif name not in {EXT_INI, IVR_INI} and audio_stem(name) is None and not name.startswith("."):
                self.skipped.append(_join(path, name))
        for name in subfolders:
            if (folder / name).is_symlink():
                self._warn_of(path, name, "skipped-folder", "it is a link to a folder, which is not followed")

    def _report_unreadable(self, error: OSError) -> None:
        name = Path(error.filename).relative_to(self._root).as_posix()
        message = f"the folder cannot be read ({error.strerror}): it is no extension here"
        self.warnings.append(IniWarning(name, 0, "skipped-folder", message))

    def _warn_of(self, path: str, name: str, code: str, message: str) -> None:
        self.warnings.append(IniWarning(_join(path, name), 0, code, message))


def _join(path: str, name: str) -> str:
    return f"{path}/{name}".lstrip("/")


def _name_problem(name: str, *, is_root: bool) -> str:
    """Return what is wrong with the name of a file; empty if nothing is."""
    if name == IVR_INI and not is_root:
        return "it is not read: only the ivr.ini of the root counts [OFF]"
    if name not in {EXT_INI, IVR_INI} and _MISNAMED.fullmatch(name):
        return f"it is not read: the settings are in {EXT_INI} or the root's {IVR_INI}, so named"
    stem = audio_stem(name)
    if stem is not None and _SMALL_M.fullmatch(stem):
        return "it is not heard: messages begin with a capital M [OFF]"
    if stem is not None and name.removeprefix(f"{stem}.").lower() != name.removeprefix(f"{stem}."):
        return "its suffix counts in upper case here; whether it does on the line is not known [?]"
    return ""


def _read_text(path: Path, name: str) -> tuple[str, tuple[IniWarning, ...]]:
    """Return the text of a file, empty if there is none, and the warnings about it."""
    if not os.path.lexists(path):
        return "", ()
    try:
        raw = path.read_bytes()
    except OSError as error:
        message = f"it cannot be read ({error.strerror}): its settings do not count"
        return "", (IniWarning(name, 0, "unreadable", message),)
    return decode_ini(raw, name)


def _once(warnings: Iterable[IniWarning]) -> Iterator[IniWarning]:
    """Yield the warnings; one about what is not simulated stands for all with its message."""
    places: dict[IniWarning | str, list[IniWarning]] = {}
    for warning in dict.fromkeys(warnings):
        places.setdefault(warning.message if warning.is_note else warning, []).append(warning)
    for same in places.values():
        more = f" (also in {len(same) - 1} other places)" if len(same) > 1 else ""
        yield replace(same[0], message=f"{same[0].message}{more}")


def _skipped(code: str, paths: list[str], reason: str) -> Iterator[IniWarning]:
    """Yield one warning for all ``paths``; it names one of each name, and the first is its place."""
    if not paths:
        return
    by_name: dict[str, str] = {}
    for path in paths:
        by_name.setdefault(path.rpartition("/")[2], path)
    first, *others = [*by_name.values()][:_MAX_NAMES]
    rest = len(paths) - len(others) - 1
    listed = ", ".join([*others, *([f"{rest} more"] if rest else [])])
    yield IniWarning(first, 0, code, f"it is not read{', nor are ' if listed else ''}{listed}: {reason}")
