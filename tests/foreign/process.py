"""Runs a server in a child process, and ends it with all of its children."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from yemot_ai_testing.processes.waiting import wait_until

__all__ = ["ServerFailedError", "serving"]

START_TIMEOUT = 60.0
"""Seconds until a server must have printed its port."""

STOP_TIMEOUT = 5.0
"""Seconds between SIGTERM and SIGKILL."""

MAX_OUTPUT_BYTES = 65536

_LISTENING = re.compile(r"(?:listening on |http://127\.0\.0\.1:)(?P<port>\d+)\D")


class ServerFailedError(RuntimeError):
    """The server did not print its port; the message has its output."""


@contextmanager
def serving(command: Sequence[str], folder: Path) -> Iterator[str]:
    """Run a server that chooses a free port and prints ``listening on PORT`` or its address.

    Args:
        command: the program and its arguments.
        folder: its working directory.

    Yields:
        Its URL, ``http://127.0.0.1:PORT``.

    Raises:
        ServerFailedError: it ended, or did not print its port in time.
    """
    with tempfile.TemporaryFile() as output:  # a file, because a full pipe would block the server
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a new process group: launchers have children
        )
        try:
            yield f"http://127.0.0.1:{_port(process, output.fileno())}"
        finally:
            _end(process)


def _port(process: subprocess.Popen[bytes], output: int) -> int:
    wait_until(lambda: process.poll() is not None or _LISTENING.search(_text(output)), START_TIMEOUT)
    match = _LISTENING.search(_text(output))
    if match is None:
        raise ServerFailedError(f"{process.args!r} does not listen: {_text(output)}")
    return int(match["port"])


def _text(output: int) -> str:
    return os.pread(output, MAX_OUTPUT_BYTES, 0).decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    _signal(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT)
    _signal(process.pid, signal.SIGKILL)  # the rest of the group
    process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # the group is gone (PermissionError on macOS)
        os.killpg(group, number)
