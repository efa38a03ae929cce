"""Refuses events of the audit hook, records each refusal, and counts what was allowed."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yemot_ai_testing.errors import IsolationError
from yemot_ai_testing.isolation.addresses import (
    family_name,
    is_checked_family,
    is_remote,
    is_remote_name,
    remote_target,
)
from yemot_ai_testing.isolation.namespace import listening_ports
from yemot_ai_testing.isolation.programs import Program, is_allowed, program_of

__all__ = ["BIN", "REFUSALS", "IsolationCounts", "IsolationGuard", "hint"]

BIN, REFUSALS = "bin", "refusals"
"""Folders: the first one on ``PATH``; the refusals of other processes, one file each."""

_UNSEEN_FUNCTIONS = frozenset(
    {
        *("connect", "sendmmsg", "sendmsg", "sendto"),
        *("getaddrinfo", "gethostbyaddr", "gethostbyname", "getnameinfo"),
        *("execv", "execve", "execvp", "execvpe", "popen", "posix_spawn", "posix_spawnp", "system"),
    }
)
"""Functions of the C library that the audit hook does not see when ``ctypes`` calls them."""


@dataclass(frozen=True, slots=True)
class IsolationCounts:
    """Counts of one process or of a whole run.

    Attributes:
        outbound: connections and datagrams that left this machine because they were allowed by name.
        real_codex: runs of a real Codex.
        refused: attempts that were refused.
    """

    outbound: int = 0
    real_codex: int = 0
    refused: int = 0

    def plus(self, other: IsolationCounts) -> IsolationCounts:
        """Return the sum."""
        return IsolationCounts(
            self.outbound + other.outbound, self.real_codex + other.real_codex, self.refused + other.refused
        )

    def __str__(self) -> str:
        plural = "" if self.outbound == 1 else "s"
        parts = [f"{self.outbound} outbound connection{plural}", f"{self.real_codex} real codex"]
        return " · ".join([*parts, f"{self.refused} refused"] if self.refused else parts)


class IsolationGuard:
    """Refuses network access beyond this machine, and programs that are not allowed.

    Args:
        folder: a private folder, in which other processes record their refusals.
        allowed: names of hosts (``api.example.com``, ``192.0.2.7``, each with or without a port) and of
            programs.
        by_kernel: the kernel blocks what Python does not see, so ``ctypes`` may call any function.

    Attributes:
        test_location: the current test, ``file:line: name``.
        unreached_ports: ports of the loopback at which nothing listened when the current test connected last.
        counts: what was refused and what was allowed, in this process.
    """

    def __init__(self, folder: Path, allowed: Iterable[str] = (), *, by_kernel: bool = False) -> None:
        self.folder = folder
        self.test_location = "before the first test"
        self.counts = IsolationCounts()
        self.allowed = frozenset(allowed)
        self.unreached_ports: set[int] = set()
        self._by_kernel = by_kernel
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._refusals: list[str] = []
        (folder / REFUSALS).mkdir(parents=True, exist_ok=True)

    def check(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse an audit event, or do nothing.

        Raises:
            IsolationError: the event would leave this machine, or start a program that is not allowed.
        """
        if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            self._check_target(event, *arguments[:2])
        elif event == "socket.bind":
            self._check_family(arguments[0])
        elif event == "ctypes.dlsym":
            self._check_function(*arguments)
        elif event in {"socket.gethostbyaddr", "socket.getnameinfo"}:
            self._check_address(arguments[0])
        elif event.startswith("socket."):
            self._check_name(arguments[0])
        else:
            self._check_program(program_of(event, arguments))

    def count_real_codex_run(self) -> None:
        """Count a run of a real Codex."""
        with self._lock:
            self.counts = self.counts.plus(IsolationCounts(real_codex=1))

    def take_refusals(self) -> list[str]:
        """Return the refusals since the last call, in this process and in others."""
        with self._lock:
            own, self._refusals = self._refusals, []
        foreign = [self._read_refusal(file) for file in sorted((self.folder / REFUSALS).glob("*.txt"))]
        self.counts = self.counts.plus(IsolationCounts(refused=len(foreign)))
        return [*own, *foreign]

    def record_refusal(self, text: str) -> None:
        """Record a refused attempt."""
        if os.getpid() != self._pid:  # in a fork, whose memory is lost with it
            name = f"{os.getpid()}-{threading.get_ident()}"
            (self.folder / REFUSALS / f"{name}.txt").write_text(text, encoding="utf-8")
            return
        with self._lock:
            self._refusals.append(f"{self.test_location}: {text}")
            self.counts = self.counts.plus(IsolationCounts(refused=1))

    def allows(self, host: str, port: int | None = None) -> bool:
        """Return whether ``host`` is allowed, by itself or as the address of an allowed name."""
        if {host, f"{host}:{port}"} & self.allowed:
            return True
        with_port = (entry.partition(":")[0] for entry in self.allowed if entry.endswith(f":{port}"))
        without_port = (entry for entry in self.allowed if ":" not in entry and os.sep not in entry)
        return any(
            host in _addresses_of(name) for name in (*with_port, *without_port) if is_remote_name(name)
        )

    def _check_target(self, event: str, sock: socket.socket, address: object) -> None:
        target = remote_target(sock, address)
        if target is None:
            if self._by_kernel and isinstance(address, tuple) and sock.type == socket.SOCK_STREAM:
                self._note_port(address[1])
            return
        host, port = target
        if not self.allows(host, port):
            kind = "a connection" if event == "socket.connect" else "a datagram"
            self._refuse(f"{kind} to {_address(host, port)}", host)
        with self._lock:
            self.counts = self.counts.plus(IsolationCounts(outbound=1))

    def _note_port(self, port: int) -> None:
        if port in listening_ports():
            self.unreached_ports.discard(port)
        else:
            self.unreached_ports.add(port)

    def _check_family(self, sock: socket.socket) -> None:
        """Check a bound socket: one of a family such as ``AF_PACKET`` needs no address to send."""
        if not is_checked_family(sock.family):
            name = family_name(sock.family)
            self._refuse(f"a socket of {name}", name)

    def _check_function(self, library: object, name: object) -> None:
        """Check a function of C that is looked up by ``ctypes``: calls of it are not seen."""
        if not self._by_kernel and name in _UNSEEN_FUNCTIONS and _is_libc(library):
            self._refuse(f"the function {name} of C", str(name))

    def _check_name(self, host: object) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
        normalized = name.rstrip(".").lower()
        is_named = normalized in {entry.partition(":")[0].lower() for entry in self.allowed}
        if is_remote_name(name) and not is_named:
            self._refuse(f"a look-up of {name}", name)

    def _check_address(self, address: object) -> None:
        """Check a reverse lookup, which sends a query to a name server."""
        host = str(address[0] if isinstance(address, tuple) else address)
        if is_remote(host) and not self.allows(host):
            self._refuse(f"a look-up of {host}", host)

    def _check_program(self, program: Program) -> None:
        if {program.name, Path(program.name).name, str(program.path)} & self.allowed:
            return
        is_stub = program.path is not None and program.path.parent == self.folder / BIN
        if is_stub or not is_allowed(program):
            self._refuse(f"the program {program.name}", Path(program.name).name)

    def _refuse(self, what: str, name: str) -> None:
        self.record_refusal(f"refused {what}; {hint(name)}")
        raise IsolationError(
            errno.EPERM, f"refused {what} in an isolated test ({self.test_location})", hint=hint(name)
        )

    def _read_refusal(self, file: Path) -> str:
        text = file.read_text(encoding="utf-8", errors="replace").strip()
        file.unlink()
        return f"{self.test_location}: {text}"


def hint(name: str) -> str:
    """Return what to do instead of starting the program, or connecting to the host, ``name``."""
    if name == "codex":
        return "script it (fake_codex, agent:), or ask for a real one: --yemot-codex=real"
    return f"script what it is for, or allow it by name: --yemot-allow={name}"


def _is_libc(library: object) -> bool:
    """Return whether a library of ``ctypes`` has the functions of the C library."""
    name = getattr(library, "_name", None)
    return name is None or Path(str(name)).name.startswith(("libc.", "libSystem"))


def _addresses_of(name: str) -> set[str]:
    """Return the IP addresses of an allowed name; the guard allows this lookup, too."""
    try:
        return {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
    except OSError:
        return set()


def _address(host: str, port: int | None) -> str:
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host and is_remote(host) else f"{host}:{port}"
