"""The log of the server: one line a record, with time, level and logger."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

__all__ = ["LEVELS", "RepetitionFilter", "configure_logging"]

LEVELS: Final = ("debug", "info", "warning", "error")

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"

REPEATED: Final = (
    "Invalid HTTP request received.",
    "a connection is refused: all",
    "a query of %d bytes",
    "call %.60r ends: ",
    "call %.60r is refused: ",
    "call %.60r: a request from another phone",
    "socket.accept() out of system resource",
)
"""The beginnings of the messages, of this package, uvicorn and asyncio, that a stranger can cause at will."""

USELESS: Final = ("No supported WebSocket library detected.", "Unsupported upgrade request.")
"""The beginnings of messages of uvicorn that are not logged: such a request gets its status."""

INTERVAL: Final = 60.0
"""Seconds in which such a message is logged at most ``MOST`` times."""

MOST: Final = 20


@dataclass(slots=True)
class _Count:
    since: float
    records: int = 0


class RepetitionFilter(logging.Filter):
    """Passes each message of ``REPEATED`` at most ``MOST`` times in an interval; logs how many it dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, _Count] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is logged."""
        message = str(record.msg)
        if message.startswith(USELESS):
            return False
        beginning = next((text for text in REPEATED if message.startswith(text)), None)
        if beginning is None:
            return True
        now = time.monotonic()
        count = self._counts.get(beginning)
        if count is None or now - count.since > INTERVAL:
            dropped = count.records - MOST if count else 0
            count = self._counts[beginning] = _Count(now)
            if dropped > 0:
                record.msg = f"{message} ({dropped} more like this were not logged)"
        count.records += 1
        return count.records <= MOST


def configure_logging(level: str) -> None:
    """Write the log to standard error, unless the application has configured the root logger.

    Args:
        level: one of ``LEVELS``, for this package and the server.
    """
    logging.basicConfig(format=FORMAT)  # does nothing if there are handlers
    for name in ("yemot_ai", "uvicorn"):
        logging.getLogger(name).setLevel(level.upper())
    for name in ("yemot_ai", "uvicorn.error", "asyncio"):
        logging.getLogger(name).addFilter(RepetitionFilter())
