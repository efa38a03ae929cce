"""Warnings about the developer's code: what it gives is changed on its way to the line."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Final, TypeAlias

from yemot_ai.errors.source_place import source_place

__all__ = ["WarnedPlaces", "warn_once", "warned_places"]

log = logging.getLogger("yemot_ai")

_MAX_WARNED: Final = 1000

WarnedPlaces: TypeAlias = set[tuple[str, str]]
"""The places and messages that were logged."""

warned_places: ContextVar[WarnedPlaces | None] = ContextVar("warned_places", default=None)
"""What the flow of the current handler has logged; None outside a handler, where everything is logged."""


def warn_once(message: str, *values: object, place: str = "") -> None:
    """Log a warning about the developer's code, once in a flow for each place and message.

    Args:
        message: the message; with ``values``, their ``%`` format.
        values: the values for the format; they do not make a message a new one.
        place: ``file:line`` of the code; where it has called this package unless given.
    """
    place, warned = place or source_place() or "?", warned_places.get()
    if warned is not None:
        if (place, message) in warned:
            return
        if len(warned) < _MAX_WARNED:
            warned.add((place, message))
    log.warning("%s: %s", place, message % values if values else message)
