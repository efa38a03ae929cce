"""The guard of a run: it refuses, and remembers what it refused."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from yemot_ai_testing.errors import RefusedError
from yemot_ai_testing.isolation.addresses import is_foreign_name, leaves, target_of
from yemot_ai_testing.isolation.programs import Program, is_ours, program_of
from yemot_ai_testing.isolation.tally import Tally

__all__ = ["BIN", "NOTES", "Guard"]

BIN, NOTES = "bin", "notes"
"""Folders: of what stands first on ``PATH``, and of what other processes were refused."""


class Guard:
    """Refuses what leaves this machine, and programs that are not ours.

    Args:
        folder: a private folder, where other processes leave word of what they were refused.
        allowed: hosts (``api.example.com``, ``192.0.2.7``, with a port or without) and programs, by name.

    Attributes:
        place: the test that runs, ``file:line: name``.
        tally: what was refused, and what was let out.
    """

    def __init__(self, folder: Path, allowed: Iterable[str] = ()) -> None:
        self.folder = folder
        self.place = "before the first test"
        self.tally = Tally()
        self.allowed = frozenset(allowed)
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._refused: list[str] = []
        (folder / NOTES).mkdir(parents=True, exist_ok=True)

    def judge(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Let a thing be, or refuse it.

        Raises:
            RefusedError: it would leave this machine, or is no program of ours.
        """
        if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            self._judge_target(event, target_of(*arguments[:2]))
        elif event in {"socket.gethostbyaddr", "socket.getnameinfo"}:
            self._judge_number(arguments[0])
        elif event.startswith("socket."):
            self._judge_name(arguments[0])
        else:
            self._judge_program(program_of(event, arguments))

    def real_codex_runs(self) -> None:
        """Count a run of a real Codex that was asked for."""
        with self._lock:
            self.tally = self.tally.plus(Tally(real_codex=1))

    def refused(self) -> list[str]:
        """Return what was refused since the last time, here and in other processes."""
        with self._lock:
            here, self._refused = self._refused, []
        elsewhere = [self._taken(note) for note in sorted((self.folder / NOTES).glob("*.txt"))]
        self.tally = self.tally.plus(Tally(refused=len(elsewhere)))
        return [*here, *elsewhere]

    def note(self, what: str) -> None:
        """Remember an attempt that was refused."""
        if os.getpid() != self._pid:  # a fork, whose memory nobody reads
            name = f"{os.getpid()}-{threading.get_ident()}"
            (self.folder / NOTES / f"{name}.txt").write_text(what, encoding="utf-8")
            return
        with self._lock:
            self._refused.append(f"{self.place}: {what}")
            self.tally = self.tally.plus(Tally(refused=1))

    def admits(self, host: str, port: int | None = None) -> bool:
        """Tell whether ``host`` may be reached because it was named, or because a name leads there."""
        if {host, f"{host}:{port}"} & self.allowed:
            return True
        named = (entry.partition(":")[0] for entry in self.allowed if entry.endswith(f":{port}"))
        bare = (entry for entry in self.allowed if ":" not in entry and os.sep not in entry)
        return any(host in _numbers_of(name) for name in (*named, *bare) if is_foreign_name(name))

    def _judge_target(self, event: str, target: tuple[str, int | None] | None) -> None:
        if target is None:
            return
        host, port = target
        if not self.admits(host, port):
            verb = "a connection" if event == "socket.connect" else "a datagram"
            self._refuse(f"{verb} to {_address(host, port)}", host)
        with self._lock:
            self.tally = self.tally.plus(Tally(outbound=1))

    def _judge_name(self, host: object) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
        asked = name.rstrip(".").lower()
        named = asked in {entry.partition(":")[0].lower() for entry in self.allowed}
        if is_foreign_name(name) and not named:
            self._refuse(f"a look-up of {name}", name)

    def _judge_number(self, asked: object) -> None:
        """Judge who asks for the name of a number: a name server would hear of it."""
        host = str(asked[0] if isinstance(asked, tuple) else asked)
        if leaves(host) and not self.admits(host):
            self._refuse(f"a look-up of {host}", host)

    def _judge_program(self, program: Program) -> None:
        if {program.name, Path(program.name).name, str(program.path)} & self.allowed:
            return
        stub = program.path is not None and program.path.parent == self.folder / BIN
        if stub or not is_ours(program):
            self._refuse(f"the program {program.name}", Path(program.name).name)

    def _refuse(self, what: str, name: str) -> None:
        way_out = _way_out(what, name)
        self.note(f"refused {what}; {way_out}")
        raise RefusedError(errno.EPERM, f"refused {what} in a guarded test ({self.place})", way_out=way_out)

    def _taken(self, note: Path) -> str:
        what = note.read_text(encoding="utf-8", errors="replace").strip()
        note.unlink()
        return f"{self.place}: {what}"


def _way_out(what: str, name: str) -> str:
    if what == "the program codex":
        return "script it (fake_codex, agent:), or ask for a real one: --yemot-codex=real"
    return f"script what it is for, or allow it by name: --yemot-allow={name}"


def _numbers_of(name: str) -> set[str]:
    """Return the numbers of an allowed name; looking it up is allowed, too."""
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(name, None)}
    except OSError:
        return set()


def _address(host: str, port: int | None) -> str:
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host and leaves(host) else f"{host}:{port}"
