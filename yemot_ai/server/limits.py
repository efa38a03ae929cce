"""The limits of the server: connections, deadlines, and how long its end may take."""

from __future__ import annotations

import dataclasses
import resource
import sys
from dataclasses import dataclass
from typing import Final

from yemot_ai.validation import check_number

__all__ = ["ServerLimits"]

MOST_AT_ONCE: Final = 100

ROUNDS: Final = 6
"""Rounds of asyncio's loop from the acceptance of a connection to the end of the one that makes room."""

OTHER_FILES: Final = 200
"""Files that a server has open besides its connections: stores, model services, pipes of Codex."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """The limits of ``yemot-ai serve``.

    Args:
        connections: open connections; above it, the one that waits longest for a request is closed. At most
            200 below the number of files that the process may open.
        header_seconds: seconds from the first byte of a request, or the start of a connection, until its
            headers have to be there; also how long a client may leave its responses unread.
        keep_alive_seconds: seconds that a connection stays open after a response.
        drain_seconds: seconds that running turns get after SIGTERM, SIGINT or SIGHUP.

    Raises:
        ConfigurationError: a number is not above 0 (``drain_seconds``: not 0 or more).
    """

    connections: int = 1000
    header_seconds: float = 10.0
    keep_alive_seconds: float = 5.0
    drain_seconds: float = 5.0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check_number(field.name, getattr(self, field.name), zero=field.name == "drain_seconds")

    @property
    def open_connections(self) -> int:
        """The connections that the process can have open."""
        return min(self.connections, max(_files() - OTHER_FILES, _files() // 2))

    @property
    def refused_connections(self) -> int:
        """How many more connections may be open, for a moment, to get their refusal."""
        return max(1, min(MOST_AT_ONCE, self._spare_files // 4))

    @property
    def accepted_at_once(self) -> int:
        """How many connections asyncio may accept in each round of its loop."""
        return max(1, min(MOST_AT_ONCE, (self._spare_files - self.refused_connections) // ROUNDS))

    @property
    def _spare_files(self) -> int:
        return _files() - self.open_connections


def _files() -> int:
    """Return how many files the process may have open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if files == resource.RLIM_INFINITY else files
