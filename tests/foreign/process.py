"""A server in a process of its own: started, waited for, and ended with everything that it started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

__all__ = ["ServerFailedError", "serving"]

LONGEST_START = 60.0
"""Seconds; a server that has not said by then where it listens is ended."""

LONGEST_END = 5.0
"""Seconds between asking a server to end and ending it."""

_LISTENING = re.compile(r"listening on (\d+)")


class ServerFailedError(RuntimeError):
    """The server did not say where it listens; the message has what it said instead."""


@contextmanager
def serving(command: Sequence[str], folder: Path) -> Iterator[str]:
    """Run a server that chooses a free port and says ``listening on PORT`` first.

    Args:
        command: the program and its arguments.
        folder: where it runs.

    Yields:
        Its address, ``http://127.0.0.1:PORT``.

    Raises:
        ServerFailedError: it ended, or said nothing.
    """
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            start_new_session=True,  # a group of its own: launchers have children
        )
        try:
            yield f"http://127.0.0.1:{_port(process, complaints)}"
        finally:
            _end(process)


def _port(process: subprocess.Popen[str], complaints: IO[str]) -> int:
    if process.stdout is None:
        raise AssertionError
    patience = threading.Timer(LONGEST_START, _signal, (process.pid, signal.SIGKILL))
    patience.daemon = True
    patience.start()
    try:
        said = process.stdout.readline()
    finally:
        patience.cancel()
    found = _LISTENING.search(said)
    if found is None:
        complaints.seek(0)
        raise ServerFailedError(f"{process.args!r} does not listen: {said}{complaints.read()}")
    return int(found[1])


def _end(process: subprocess.Popen[str]) -> None:
    _signal(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(LONGEST_END)
    _signal(process.pid, signal.SIGKILL)  # whoever of the group is left
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody of it is left (macOS says it the other way)
        os.killpg(group, number)
