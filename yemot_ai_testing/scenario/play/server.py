"""Start a server command, wait until it listens, and end it with all its child processes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from yemot_ai_testing.errors import ServerFailedError
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play import supervisor

__all__ = ["ServerProcess"]

POLL_INTERVAL: Final = 0.02
TAIL_LINES: Final = 30
HOSTS: Final = ("127.0.0.1", "::1")


class ServerProcess:
    """The process of a server that accepts connections.

    Args:
        server_command: the command; ``{port}`` in it becomes the port.
        environment: its environment variables; ``PORT`` is added.

    Raises:
        ServerFailedError: if there is no such program, it ends, or it does not listen in time.

    Attributes:
        url: the URL that a line calls.
    """

    def __init__(self, server_command: ServerCommand, environment: Mapping[str, str]) -> None:
        self._server_command = server_command
        port = _free_port()
        command = [part.replace("{port}", str(port)) for part in server_command.command]
        _check_program(server_command, environment)
        # A file, because a full pipe would block the server.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the server runs
        self._process = subprocess.Popen(  # noqa: S603 - the user's own command
            [sys.executable, "-IS", supervisor.__file__, *command],
            env={**environment, "PORT": str(port)},
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=self._output,
            start_new_session=True,  # Ctrl-C at the terminal must not reach it: the supervisor ends it
        )
        try:
            host = self._wait_until_listening(port)
        except BaseException:
            self.close()
            raise
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}{server_command.path}"

    @property
    def is_running(self) -> bool:
        """Whether the server is running."""
        return self._process.poll() is None

    @property
    def output_size(self) -> int:
        """The number of bytes that it has written so far."""
        return os.fstat(self._output.fileno()).st_size

    def output_tail(self, since: int = 0) -> str:
        """Return the last lines of its output from byte ``since``, and its exit code if it has ended."""
        raw = os.pread(self._output.fileno(), max(self.output_size - since, 0), since)
        lines = raw.decode(errors="replace").splitlines()[-TAIL_LINES:]
        if not self.is_running:
            lines.append(f"(the server has ended with exit code {self._process.returncode})")
        return "\n".join(lines)

    def close(self) -> None:
        """End the server and its child processes."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(2 * supervisor.TERMINATION_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._output.close()

    def _wait_until_listening(self, port: int) -> str:
        deadline = time.monotonic() + self._server_command.within
        while self.is_running:
            host = next((host for host in HOSTS if _is_listening(host, port)), None)
            if host is not None:
                return host
            if time.monotonic() > deadline:
                raise self._start_error(
                    f"does not listen on port {port} after {self._server_command.within:g} s"
                )
            time.sleep(POLL_INTERVAL)
        raise self._start_error(f"ended before it listened on port {port}")

    def _start_error(self, problem: str) -> ServerFailedError:
        hint = "the port is {port} in the command, and PORT in its environment"
        message = f"serve: {self._server_command} {problem} ({hint})"
        return ServerFailedError(message, output=self.output_tail())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_listening(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _check_program(server_command: ServerCommand, environment: Mapping[str, str]) -> None:
    program = server_command.command[0]
    if shutil.which(program, path=environment.get("PATH")) is None:
        raise ServerFailedError(f"serve: there is no program {program!r} (searched from {Path.cwd()})")
