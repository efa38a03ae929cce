"""The log of the server: one line a record, with time, level and logger."""

from __future__ import annotations

import logging
import time
from typing import Final

__all__ = ["LEVELS", "RepetitionFilter", "configure_logging"]

LEVELS: Final = ("debug", "info", "warning", "error")

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"

REPEATED: Final = (
    "Invalid HTTP request received.",
    "No supported WebSocket library detected.",
    "Unsupported upgrade request.",
    "a connection is refused: all",
    "socket.accept() out of system resource",
)
"""What a stranger can cause again and again: the beginnings of the messages of uvicorn, asyncio and ours."""

INTERVAL: Final = 60.0
"""Seconds in which a repeated message is logged once."""


class RepetitionFilter(logging.Filter):
    """Passes each message of ``REPEATED`` once in an interval, with the number of those in between."""

    def __init__(self) -> None:
        super().__init__()
        self._logged: dict[str, float] = {}
        self._dropped: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is logged."""
        message = str(record.msg)
        beginning = next((text for text in REPEATED if message.startswith(text)), None)
        if beginning is None:
            return True
        now = time.monotonic()
        if now - self._logged.get(beginning, -INTERVAL) < INTERVAL:
            self._dropped[beginning] = self._dropped.get(beginning, 0) + 1
            return False
        self._logged[beginning] = now
        dropped = self._dropped.pop(beginning, 0)
        record.msg = f"{message.splitlines()[0]} ({dropped} more since the last such line)"
        record.exc_info = None
        return True


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
