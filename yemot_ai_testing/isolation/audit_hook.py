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

__all__ = ["EVENTS", "AuditGuard", "activate", "active_guard", "allow_any_program"]

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


class AuditGuard(Protocol):
    """Who is asked."""

    def check(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Raise if this may not be."""
        ...

    def count_real_codex_run(self) -> None:
        """Count a run of a real Codex."""
        ...


_active: list[AuditGuard] = []
_installed: list[str] = []
_thread_state = threading.local()


def active_guard() -> AuditGuard | None:
    """Return the guard that stands now."""
    return _active[-1] if _active else None


@contextmanager
def activate(guard: AuditGuard) -> Iterator[None]:
    """Let ``guard`` be asked; guards of an outer run of pytest rest meanwhile."""
    if not _installed:
        sys.addaudithook(_on_audit_event)
        _installed.append(__name__)
    _active.append(guard)
    try:
        yield
    finally:
        _active.remove(guard)


@contextmanager
def allow_any_program() -> Iterator[None]:
    """Let this thread start any program: one that the toolkit was told to start, such as a server."""
    before = getattr(_thread_state, "open", False)
    _thread_state.open = True
    try:
        yield
    finally:
        _thread_state.open = before


def _on_audit_event(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in EVENTS or not _active:
        return
    if getattr(_thread_state, "open", False) and not event.startswith("socket."):
        return
    _active[-1].check(event, arguments)
