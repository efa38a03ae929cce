"""The place in the developer's code that an error or a warning is about."""

from __future__ import annotations

import logging
import os
import sys
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Final, TypeAlias

__all__ = ["WarnedPlaces", "source_place", "warn_once", "warned_places"]

log = logging.getLogger("yemot_ai")

_PACKAGE: Final = f"{Path(__file__).parents[1]}{os.sep}"
_MAX_WARNED: Final = 1000

WarnedPlaces: TypeAlias = set[tuple[str, str]]
"""The places and messages that were logged."""

warned_places: ContextVar[WarnedPlaces | None] = ContextVar("warned_places", default=None)
"""What the flow of the current handler has logged; None outside a handler, where everything is logged."""


def source_place() -> str:
    """Return ``file:line`` of the developer's code that has called this package; ``?`` if there is none."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - documented; the only way to the line
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "?"


def warn_once(message: str, *values: object) -> None:
    """Log a warning about the developer's code, once in a flow for each place and message.

    Args:
        message: the message; with ``values``, their ``%`` format.
        values: the values for the format; they do not make a message a new one.
    """
    place, warned = source_place(), warned_places.get()
    if warned is not None:
        if (place, message) in warned:
            return
        if len(warned) < _MAX_WARNED:
            warned.add((place, message))
    log.warning("%s: %s", place, message % values if values else message)
