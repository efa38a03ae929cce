"""Parse ``hears:``, the expectations of a turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final, Literal

from yemot_ai.protocol import Record, Tap, Voice
from yemot_ai_testing.scenario.format.durations import parse_duration
from yemot_ai_testing.scenario.format.model import Expectation, SilenceLimits

__all__ = ["MODES", "READ_FIELDS", "parse_expectation"]

MODES: Final = {"tap": Tap, "voice": Voice, "record": Record}
READ_FIELDS: Final = (
    "mode",
    "name",
    "reuse",
    *dict.fromkeys(f.name for mode in MODES.values() for f in fields(mode)),
)


def parse_expectation(hears: dict[str, Any] | str) -> Expectation:
    """Return the expectation of a turn; a text means ``contains``."""
    values: dict[str, Any] = {"contains": hears} if isinstance(hears, str) else hears
    return Expectation(
        **{key: PARSERS[key](value) if key in PARSERS else value for key, value in values.items()}
    )


def _texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _read(
    value: dict[str, str | tuple[str, ...] | bool | None] | bool,  # noqa: FBT001 - a value of the file
) -> dict[str, str | tuple[str, ...]] | Literal[False]:
    if isinstance(value, bool):
        return {} if value else False
    return {
        key: field if isinstance(field, str | tuple) else LITERAL_TEXTS[field] for key, field in value.items()
    }


def _silence_limits(value: str | tuple[str, ...]) -> SilenceLimits:
    limits = [parse_duration(text) or 0.0 for text in _texts(value)]
    return SilenceLimits(limits[0], limits[-1])


LITERAL_TEXTS: Final = {True: "true", False: "false", None: "null"}
PARSERS: Final[dict[str, Callable[[Any], Any]]] = {
    "contains": _texts,
    "excludes": _texts,
    "play": _texts,
    "read": _read,
    "within": _silence_limits,
}
