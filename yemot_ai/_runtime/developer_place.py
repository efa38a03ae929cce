"""The line of the developer's code that a thread executes, found from another thread."""

from __future__ import annotations

import asyncio
import inspect
import linecache
import os
import sysconfig
from asyncio.base_events import BaseEventLoop
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

__all__ = ["DeveloperPlace", "find_developer_place"]

_PACKAGE: Final = Path(__file__).parents[1]
_OWN: Final = tuple(f"{folder}{os.sep}" for folder in (_PACKAGE, _PACKAGE.with_name("yemot_ai_testing")))
_STANDARD_LIBRARY: Final = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib"))
_INSTALLED: Final = (
    *(f"{sysconfig.get_path(name)}{os.sep}" for name in ("purelib", "platlib")),
    f"{os.sep}site-packages{os.sep}",  # of the user, and of another environment on the path
    f"{os.sep}dist-packages{os.sep}",
)
_DEPENDENCIES: Final = frozenset(
    {"anthropic", "heb_tts_normalizer", "httpx", "httpx2", "openai", "redis", "uvicorn", "yemot_flow"}
)
_DEBUGGERS: Final = ("bdb.py", "pdb.py", "pydevd.py")
_LOOP_CODE: Final[frozenset[CodeType]] = frozenset(
    function.__code__ for function in (BaseEventLoop.run_forever, asyncio.Runner.run)
)
"""The frames below belong to the code that runs the loop, which waits in it."""

_CALLERS_IN_THREADS: Final = ("_runtime/engine.py", "_calls/hooks.py")
"""Modules that call a ``def`` function of the developer in a thread, an ``async def`` one on the loop."""


@dataclass(frozen=True, slots=True)
class DeveloperPlace:
    """A line of the developer's code.

    Attributes:
        file: the path of its file.
        line: its number.
        function: the qualified name of its function.
        entry: that of the developer's function that was called first; it may be the same.
        source: the line; empty if the file cannot be read.
        in_coroutine: whether an ``async def`` function of the developer executes it.
        may_be_plain: whether ``entry`` could be a ``def`` function, which runs in a thread.
    """

    file: str
    line: int
    function: str
    entry: str
    source: str
    in_coroutine: bool
    may_be_plain: bool

    def __str__(self) -> str:
        caller = "" if self.entry == self.function else f", called by {self.entry}"
        return f"{self.function} ({self.file}:{self.line}{caller})"


def find_developer_place(innermost: FrameType) -> DeveloperPlace | None:
    """Return the innermost line of the developer's code; None if this package or the loop is at work.

    Code in ``site-packages`` is the developer's if this package has called it and does not depend on it: an
    application may be installed. A thread that a debugger has stopped is at no place.

    Args:
        innermost: the newest frame of the thread.
    """
    called = list(_frames_above_own(innermost))
    if any(frame.f_code.co_filename.endswith(_DEBUGGERS) for frame in called):
        return None
    written = [frame for frame in called if not _is_library(frame.f_code.co_filename)]
    if not written and called and _is_installed_application(called[-1]):
        written = called[-1:]
    return _place(written, _caller(called[-1])) if written else None


def _frames_above_own(innermost: FrameType) -> Iterator[FrameType]:
    """Yield the frames of what this package or the loop has called, the newest first."""
    frame: FrameType | None = innermost
    while frame is not None and not frame.f_code.co_filename.startswith(_OWN):
        if frame.f_code in _LOOP_CODE:
            return
        yield frame
        frame = frame.f_back


def _caller(called: FrameType) -> str:
    """Return the file of this package that has called; empty if the loop has."""
    file = "" if called.f_back is None else called.f_back.f_code.co_filename
    return file if file.startswith(_OWN) else ""


def _is_library(file: str) -> bool:
    return file.startswith((*_STANDARD_LIBRARY, "<frozen")) or _is_installed(file)


def _is_installed(file: str) -> bool:
    return any(folder in file for folder in _INSTALLED)


def _is_installed_application(called: FrameType) -> bool:
    """Return whether this package has called an installed module that it does not depend on."""
    package = str(called.f_globals.get("__name__", "")).partition(".")[0]
    return bool(_caller(called)) and _is_installed(called.f_code.co_filename) and package not in _DEPENDENCIES


def _name(code: CodeType) -> str:
    """Return the qualified name, without the functions around it."""
    return code.co_qualname.rpartition("<locals>.")[2]


def _place(written: list[FrameType], caller: str) -> DeveloperPlace:
    code, line = written[0].f_code, written[0].f_lineno or 0
    in_coroutine = any(frame.f_code.co_flags & inspect.CO_COROUTINE for frame in written)
    return DeveloperPlace(
        code.co_filename,
        line,
        _name(code),
        _name(written[-1].f_code),
        linecache.getline(code.co_filename, line).strip(),
        in_coroutine,
        in_coroutine and caller.endswith(_CALLERS_IN_THREADS),
    )
