"""The guard of a run: it refuses, and remembers what it refused."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from yemot_ai_testing.errors import IsolationError
from yemot_ai_testing.isolation.addresses import is_remote, is_remote_name, remote_target
from yemot_ai_testing.isolation.programs import Program, is_allowed, program_of
from yemot_ai_testing.isolation.tally import IsolationCounts

__all__ = ["BIN", "REFUSALS", "IsolationGuard"]

BIN, REFUSALS = "bin", "notes"
"""Folders: of what stands first on ``PATH``, and of what other processes were refused."""


class IsolationGuard:
    """Refuses what leaves this machine, and programs that are not ours.

    Args:
        folder: a private folder, where other processes leave word of what they were refused.
        allowed: hosts (``api.example.com``, ``192.0.2.7``, with a port or without) and programs, by name.

    Attributes:
        test_location: the test that runs, ``file:line: name``.
        counts: what was refused, and what was let out.
    """

    def __init__(self, folder: Path, allowed: Iterable[str] = ()) -> None:
        self.folder = folder
        self.test_location = "before the first test"
        self.counts = IsolationCounts()
        self.allowed = frozenset(allowed)
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._refusals: list[str] = []
        (folder / REFUSALS).mkdir(parents=True, exist_ok=True)

    def check(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Let a thing be, or refuse it.

        Raises:
            RefusedError: it would leave this machine, or is no program of ours.
        """
        if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            self._check_target(event, remote_target(*arguments[:2]))
        elif event in {"socket.gethostbyaddr", "socket.getnameinfo"}:
            self._check_address(arguments[0])
        elif event.startswith("socket."):
            self._check_name(arguments[0])
        else:
            self._check_program(program_of(event, arguments))

    def count_real_codex_run(self) -> None:
        """Count a run of a real Codex that was asked for."""
        with self._lock:
            self.counts = self.counts.plus(IsolationCounts(real_codex=1))

    def take_refusals(self) -> list[str]:
        """Return what was refused since the last time, here and in other processes."""
        with self._lock:
            here, self._refusals = self._refusals, []
        elsewhere = [self._read_refusal(note) for note in sorted((self.folder / REFUSALS).glob("*.txt"))]
        self.counts = self.counts.plus(IsolationCounts(refused=len(elsewhere)))
        return [*here, *elsewhere]

    def record_refusal(self, what: str) -> None:
        """Remember an attempt that was refused."""
        if os.getpid() != self._pid:  # a fork, whose memory nobody reads
            name = f"{os.getpid()}-{threading.get_ident()}"
            (self.folder / REFUSALS / f"{name}.txt").write_text(what, encoding="utf-8")
            return
        with self._lock:
            self._refusals.append(f"{self.test_location}: {what}")
            self.counts = self.counts.plus(IsolationCounts(refused=1))

    def allows(self, host: str, port: int | None = None) -> bool:
        """Tell whether ``host`` may be reached because it was named, or because a name leads there."""
        if {host, f"{host}:{port}"} & self.allowed:
            return True
        named = (entry.partition(":")[0] for entry in self.allowed if entry.endswith(f":{port}"))
        bare = (entry for entry in self.allowed if ":" not in entry and os.sep not in entry)
        return any(host in _addresses_of(name) for name in (*named, *bare) if is_remote_name(name))

    def _check_target(self, event: str, target: tuple[str, int | None] | None) -> None:
        if target is None:
            return
        host, port = target
        if not self.allows(host, port):
            verb = "a connection" if event == "socket.connect" else "a datagram"
            self._refuse(f"{verb} to {_address(host, port)}", host)
        with self._lock:
            self.counts = self.counts.plus(IsolationCounts(outbound=1))

    def _check_name(self, host: object) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
        asked = name.rstrip(".").lower()
        named = asked in {entry.partition(":")[0].lower() for entry in self.allowed}
        if is_remote_name(name) and not named:
            self._refuse(f"a look-up of {name}", name)

    def _check_address(self, asked: object) -> None:
        """Judge who asks for the name of a number: a name server would hear of it."""
        host = str(asked[0] if isinstance(asked, tuple) else asked)
        if is_remote(host) and not self.allows(host):
            self._refuse(f"a look-up of {host}", host)

    def _check_program(self, program: Program) -> None:
        if {program.name, Path(program.name).name, str(program.path)} & self.allowed:
            return
        stub = program.path is not None and program.path.parent == self.folder / BIN
        if stub or not is_allowed(program):
            self._refuse(f"the program {program.name}", Path(program.name).name)

    def _refuse(self, what: str, name: str) -> None:
        way_out = _hint(what, name)
        self.record_refusal(f"refused {what}; {way_out}")
        raise IsolationError(
            errno.EPERM, f"refused {what} in a guarded test ({self.test_location})", hint=way_out
        )

    def _read_refusal(self, note: Path) -> str:
        what = note.read_text(encoding="utf-8", errors="replace").strip()
        note.unlink()
        return f"{self.test_location}: {what}"


def _hint(what: str, name: str) -> str:
    if what == "the program codex":
        return "script it (fake_codex, agent:), or ask for a real one: --yemot-codex=real"
    return f"script what it is for, or allow it by name: --yemot-allow={name}"


def _addresses_of(name: str) -> set[str]:
    """Return the numbers of an allowed name; looking it up is allowed, too."""
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(name, None)}
    except OSError:
        return set()


def _address(host: str, port: int | None) -> str:
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host and is_remote(host) else f"{host}:{port}"
