"""Start a server command, wait until it listens, and end it with all its child processes."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from yemot_ai_testing.errors import ServerFailedError
from yemot_ai_testing.processes.child import ChildProcess
from yemot_ai_testing.processes.waiting import wait_until
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play.servers import supervisor

__all__ = ["ServerProcess", "free_port"]

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
        port = free_port()
        command = [part.replace("{port}", str(port)) for part in server_command.command]
        _check_program(server_command, environment)
        # A file, because a full pipe would block the server.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the server runs
        # A group of its own: Ctrl-C at the terminal must not reach it; the supervisor ends it.
        self._process = ChildProcess(
            [sys.executable, "-IS", supervisor.__file__, *command],
            env={**environment, "PORT": str(port)},
            output=self._output,
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
        return self._process.exit_code is None

    @property
    def output_size(self) -> int:
        """The number of bytes that it has written so far."""
        return os.fstat(self._output.fileno()).st_size

    def output_tail(self, since: int = 0) -> str:
        """Return the last lines of its output from byte ``since``, and its exit code if it has ended."""
        raw = os.pread(self._output.fileno(), max(self.output_size - since, 0), since)
        lines = raw.decode(errors="replace").splitlines()[-TAIL_LINES:]
        if not self.is_running:
            lines.append(f"(the server has ended with exit code {self._process.exit_code})")
        return "\n".join(lines)

    def close(self) -> None:
        """End the server and its child processes."""
        with contextlib.suppress(TimeoutError):
            self._process.close_stdin().wait(2 * supervisor.TERMINATION_SECONDS)
        self._process.close()
        self._output.close()

    def _wait_until_listening(self, port: int) -> str:
        within = self._server_command.within
        host = wait_until(lambda: not self.is_running or _listening_host(port), within)
        if isinstance(host, str):
            return host
        if self.is_running:
            raise self._start_error(f"does not listen on port {port} after {within:g} s")
        raise self._start_error(f"ended before it listened on port {port}")

    def _start_error(self, problem: str) -> ServerFailedError:
        hint = "the port is {port} in the command, and PORT in its environment"
        message = f"serve: {self._server_command} {problem} ({hint})"
        return ServerFailedError(message, output=self.output_tail())


def free_port() -> int:
    """Return a port at which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listening_host(port: int) -> str | None:
    for host in HOSTS:
        with contextlib.suppress(OSError):
            socket.create_connection((host, port), timeout=1.0).close()
            return host
    return None


def _check_program(server_command: ServerCommand, environment: Mapping[str, str]) -> None:
    program = server_command.command[0]
    if shutil.which(program, path=environment.get("PATH")) is None:
        raise ServerFailedError(f"serve: there is no program {program!r} (searched from {Path.cwd()})")
