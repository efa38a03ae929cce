"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Finding", "Level", "error", "ok", "warning"]

Level: TypeAlias = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the report.

    Attributes:
        check: what was examined: a stable name.
        level: ``ok``; ``warning`` if the line answers, but not always, or not as well; ``error`` if it does
            not.
        message: what was found; never a key or a secret.
        remedy: what to do; "" if nothing.
    """

    check: str
    level: Level
    message: str
    remedy: str = ""


def ok(check: str, message: str) -> Finding:
    """Return the finding that something works."""
    return Finding(check, "ok", message)


def warning(check: str, message: str, remedy: str = "") -> Finding:
    """Return the finding that something may not work."""
    return Finding(check, "warning", message, remedy)


def error(check: str, message: str, remedy: str = "") -> Finding:
    """Return the finding that something does not work."""
    return Finding(check, "error", message, remedy)
