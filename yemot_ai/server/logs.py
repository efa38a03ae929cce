"""The log of the server: one line or one JSON object a record, with time, level and logger."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from dataclasses import dataclass
from typing import Final

from yemot_ai.flow.request_log.repetition import RepetitionCounter
from yemot_ai.redaction import MASKED, escape

__all__ = [
    "FORMATS",
    "LEVELS",
    "JSONFormatter",
    "LineFormatter",
    "LogOptions",
    "RepetitionFilter",
    "configure_logging",
]

LEVELS: Final = ("debug", "info", "warning", "error")

FORMATS: Final = ("text", "json")

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"

FORMAT_OF_WORKERS: Final = "%(asctime)s %(levelname)s %(name)s[%(process)d]: %(message)s"

_CALL: Final = re.compile(r"call '?([^\s':]+)'?[: ]")
"""The beginning of the messages of this package that are about a call."""

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


@dataclass(frozen=True, slots=True)
class LogOptions:
    """How the server writes its log.

    Args:
        level: one of ``LEVELS``; of uvicorn only warnings are logged, unless it is ``debug``.
        form: one of ``FORMATS``; "" for text, unless the application has configured the root logger.
        has_workers: whether several processes write it, and each line needs the id of its process.
    """

    level: str = "info"
    form: str = ""
    has_workers: bool = False


class RepetitionFilter(logging.Filter):
    """Passes each message of ``REPEATED`` a few times a minute; logs how many it dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._counter = RepetitionCounter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is logged."""
        message = str(record.msg)
        if message.startswith(USELESS):
            return False
        beginning = next((text for text in REPEATED if message.startswith(text)), None)
        if beginning is None:
            return True
        dropped = self._counter.count(beginning)
        if dropped:
            record.msg = f"{message} ({dropped} more like this were not logged)"
        return dropped is not None


class LineFormatter(logging.Formatter):
    """Writes a record as one line; only a traceback has more."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - a method of logging
        """Return the line, with control characters escaped.

        In records of this package what is foreign is escaped already; the frames of an error have lines.
        """
        return escape(super().formatMessage(record), keep="\n" * (record.name == "yemot_ai"))


class JSONFormatter(logging.Formatter):
    """Writes a record as one JSON object in one line, in ASCII; the keys are documented and stable."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        message = record.getMessage()
        call = _CALL.match(message)
        fields: dict[str, object] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "pid": record.process,
            "message": message,
            **({"call": call[1]} if call else {}),
            **getattr(record, MASKED, {}),
        }
        if record.exc_info:
            fields["exception"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps(fields)


def configure_logging(options: LogOptions) -> None:
    """Write the log to standard error, unless the application has configured the root logger.

    A form that was asked for holds for the handlers of the application, too.
    """
    line = FORMAT_OF_WORKERS if options.has_workers else FORMAT
    formatter = JSONFormatter() if options.form == "json" else LineFormatter(line)
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler())
        root.handlers[0].setFormatter(formatter)
    elif options.form:
        for handler in root.handlers:
            handler.setFormatter(formatter)
    level = options.level.upper()
    logging.getLogger("yemot_ai").setLevel(level)
    logging.getLogger("yemot_ai.words").setLevel(level)
    quiet = max(logging.getLevelNamesMapping()[level], logging.WARNING)
    logging.getLogger("uvicorn").setLevel(level if options.level == "debug" else quiet)
    for name in ("yemot_ai", "uvicorn.error", "asyncio"):
        logging.getLogger(name).addFilter(RepetitionFilter())
