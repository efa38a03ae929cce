"""The one audit hook of this process; it calls the active guard.

An audit hook cannot be removed, so a process must not install a second one. The plugin imports this module
before any test does, because a pytest run inside a pytest run unloads the modules that it imports first.
The import is cheap.
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
        "ctypes.dlsym",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pty.spawn",
        "socket.bind",
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
"""The events that a guard checks; Python raises each before the system call."""

_OF_NETWORK = ("socket.", "ctypes.")


class AuditGuard(Protocol):
    """Checks the events."""

    def check(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Raise if the event is not allowed."""
        ...

    def count_real_codex_run(self) -> None:
        """Count a run of a real Codex."""
        ...


_active: list[AuditGuard] = []
_installed: list[str] = []
_thread_state = threading.local()


def active_guard() -> AuditGuard | None:
    """Return the active guard; None if there is none."""
    return _active[-1] if _active else None


@contextmanager
def activate(guard: AuditGuard) -> Iterator[None]:
    """Make ``guard`` the active guard in this context; the guard of an outer pytest run is paused."""
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
    """Let this thread start any program in this context, such as the server of ``serve:``."""
    before = getattr(_thread_state, "any_program", False)
    _thread_state.any_program = True
    try:
        yield
    finally:
        _thread_state.any_program = before


def _on_audit_event(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in EVENTS or not _active:
        return
    if getattr(_thread_state, "any_program", False) and not event.startswith(_OF_NETWORK):
        return
    _active[-1].check(event, arguments)
