"""Runs a server in a child process, and ends it with all of its children."""

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

START_TIMEOUT = 60.0
"""Seconds until a server must have printed its port."""

STOP_TIMEOUT = 5.0
"""Seconds between SIGTERM and SIGKILL."""

_LISTENING = re.compile(r"listening on (\d+)")


class ServerFailedError(RuntimeError):
    """The server did not print its port; the message has its output."""


@contextmanager
def serving(command: Sequence[str], folder: Path) -> Iterator[str]:
    """Run a server that chooses a free port and prints ``listening on PORT`` first.

    Args:
        command: the program and its arguments.
        folder: its working directory.

    Yields:
        Its URL, ``http://127.0.0.1:PORT``.

    Raises:
        ServerFailedError: it ended, or printed nothing.
    """
    with tempfile.TemporaryFile("w+") as stderr:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,  # a new process group: launchers have children
        )
        try:
            yield f"http://127.0.0.1:{_port(process, stderr)}"
        finally:
            _end(process)


def _port(process: subprocess.Popen[str], stderr: IO[str]) -> int:
    if process.stdout is None:
        raise AssertionError
    timer = threading.Timer(START_TIMEOUT, _signal, (process.pid, signal.SIGKILL))
    timer.daemon = True
    timer.start()
    try:
        output = process.stdout.readline()
    finally:
        timer.cancel()
    match = _LISTENING.search(output)
    if match is None:
        stderr.seek(0)
        raise ServerFailedError(f"{process.args!r} does not listen: {output}{stderr.read()}")
    return int(match[1])


def _end(process: subprocess.Popen[str]) -> None:
    _signal(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT)
    _signal(process.pid, signal.SIGKILL)  # the rest of the group
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # the group is gone (PermissionError on macOS)
        os.killpg(group, number)
