"""Stores whose lock another process holds, or whose server does not answer."""

from __future__ import annotations

import fcntl
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.redis_server import RedisServer

__all__ = ["Lockable", "lockable_store"]


@dataclass(frozen=True)
class Lockable:
    """A store that can be locked.

    Attributes:
        url: its URL.
        locked: nobody can write to it while this context is open.
    """

    url: str
    locked: Callable[[], AbstractContextManager[None]]


@contextmanager
def lockable_store(kind: str, folder: Path) -> Iterator[Lockable]:
    """Provide a store of the kind ``json``, ``sqlite`` or ``redis``."""
    if kind == "json":
        yield Lockable(f"json:{folder}/calls", lambda: _locked_folder(folder / "calls"))
    elif kind == "sqlite":
        yield Lockable(f"sqlite:{folder}/calls.db", lambda: _locked_database(folder / "calls.db"))
    else:
        server = RedisServer().start()
        yield Lockable(server.url, lambda: _stopped_server(server))
        server.close()


@contextmanager
def _locked_folder(folder: Path) -> Iterator[None]:
    with ExitStack() as stack:
        for number in range(64):
            file = stack.enter_context((folder / "locks" / f"{number:02}").open("w"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _locked_database(file: Path) -> Iterator[None]:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.close()


@contextmanager
def _stopped_server(server: RedisServer) -> Iterator[None]:
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)
