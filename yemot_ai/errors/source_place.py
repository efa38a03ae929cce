"""The place in the developer's code that an error or a warning is about."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

__all__ = [
    "describe_function",
    "function_name",
    "function_place",
    "is_developers",
    "plain_function",
    "source_place",
]

_PACKAGES: Final = tuple(
    f"{Path(__file__).parents[2] / package}{os.sep}" for package in ("yemot_ai", "yemot_ai_testing")
)
_STANDARD_LIBRARY: Final = f"{Path(os.__file__).parent}{os.sep}"


def source_place() -> str:
    """Return ``file:line`` of the developer's code that has called this package; "" if there is none."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - documented; the only way to the line
    while frame is not None and (_is_generated(frame) or not is_developers(frame.f_code.co_filename)):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""


def _is_generated(frame: FrameType) -> bool:
    """Return whether the code is that which ``dataclass`` has made for a class of this package."""
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    return frame.f_code.co_filename == "<string>" and package in {"yemot_ai", "yemot_ai_testing"}


def function_place(function: Callable[..., Any]) -> str:
    """Return ``file:line`` of the definition of a function, with its decorators; "" if it has none."""
    code = getattr(plain_function(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else ""


def function_name(function: Callable[..., Any]) -> str:
    """Return the name of a function or a method, or of the class of another callable object."""
    plain = plain_function(function)
    return getattr(plain, "__qualname__", None) or f"a {type(function).__name__}"


def describe_function(function: Callable[..., Any]) -> str:
    """Return place and name of a function, as the first words of a message about it."""
    place, name = function_place(function), function_name(function)
    return f"{place}: {name}" if place else name


def plain_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function in a method, a partial, a decorator or an object with ``__call__``."""
    if isinstance(function, functools.partial):
        return plain_function(function.func)
    if inspect.isroutine(function) or isinstance(function, type):
        bound: Callable[..., Any] = getattr(function, "__func__", function)
        plain: Callable[..., Any] = inspect.unwrap(bound)
        return plain
    inner = getattr(type(function), "__call__", None)  # noqa: B004 - the method itself is needed
    return inner if inspect.isfunction(inner) else function


def is_developers(file: str) -> bool:
    """Return whether a file of Python code is neither of this package nor of Python itself."""
    if file.startswith((*_PACKAGES, "<frozen ")):
        return False
    # A virtual environment may be in the folder of the standard library; what is installed is not of it.
    return not file.startswith(_STANDARD_LIBRARY) or "site-packages" in file
