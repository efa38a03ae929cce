"""The one audit hook of this process; it asks whichever guard stands now.

An audit hook cannot be removed, so there is never a second one: the plugin imports this module before any
test can (a run of pytest inside of pytest forgets the modules that it was the first to import). It costs
nothing to import.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

__all__ = ["EVENTS", "Watching", "current", "own_programs", "standing"]

EVENTS = frozenset(
    {
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pty.spawn",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.getnameinfo",
        "socket.sendmsg",
        "socket.sendto",
        "subprocess.Popen",
    }
)
"""What a guard is asked about; Python tells of each before it asks the system."""


class Watching(Protocol):
    """Who is asked."""

    def judge(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Raise if this may not be."""
        ...

    def real_codex_runs(self) -> None:
        """Count a run of a real Codex."""
        ...


_standing: list[Watching] = []
_installed: list[str] = []
_own = threading.local()


def current() -> Watching | None:
    """Return the guard that stands now."""
    return _standing[-1] if _standing else None


@contextmanager
def standing(guard: Watching) -> Iterator[None]:
    """Let ``guard`` be asked; guards of an outer run of pytest rest meanwhile."""
    if not _installed:
        sys.addaudithook(_heed)
        _installed.append(__name__)
    _standing.append(guard)
    try:
        yield
    finally:
        _standing.remove(guard)


@contextmanager
def own_programs() -> Iterator[None]:
    """Let this thread start any program: one that the toolkit was told to start, such as a server."""
    before = getattr(_own, "open", False)
    _own.open = True
    try:
        yield
    finally:
        _own.open = before


def _heed(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in EVENTS or not _standing:
        return
    if getattr(_own, "open", False) and not event.startswith("socket."):
        return
    _standing[-1].judge(event, arguments)
