"""Start the servers of a run, each with the doubles in its environment.

One server serves all scenarios with the same command; each scenario has new doubles. The server's processes
find them at places that do not change: a link named ``codex``, first on ``PATH``, and the URL of one model
service.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.real import RealCodex
from yemot_ai_testing.codex.sandbox import CodexSandbox
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.errors import ServerFailedError
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play.model_double import CombinedDouble, open_double, service_variables
from yemot_ai_testing.scenario.play.servers.server import ServerProcess

__all__ = ["RunningServer", "Servers"]


class Servers:
    """The servers of one run, by command."""

    def __init__(self) -> None:
        self._running: dict[ServerCommand, RunningServer] = {}
        self._failed: dict[ServerCommand, ServerFailedError] = {}

    def get_or_start(self, command: ServerCommand) -> RunningServer:
        """Return the running server of ``command``; start it if it is not running.

        Raises:
            ServerFailedError: if it does not start; a command that failed once is not started again.
        """
        if command in self._failed:
            raise self._failed[command]
        server = self._running.get(command)
        if server is not None and not server.server.is_running:
            self._running.pop(command).close()
            server = None
        if server is None:
            try:
                server = self._running[command] = RunningServer.start(command)
            except ServerFailedError as error:
                self._failed[command] = error
                raise
        return server

    def close(self) -> None:
        """End all servers."""
        while self._running:
            self._running.popitem()[1].close()


@dataclass(slots=True)
class RunningServer:
    """A server and the parts of its doubles that all scenarios share.

    Attributes:
        server: the process.
        sandbox: has its link to Codex and its home folders.
        model: the model service that replaces OpenAI's and Anthropic's.
    """

    server: ServerProcess
    sandbox: CodexSandbox
    model: ModelServer

    @classmethod
    def start(cls, command: ServerCommand) -> RunningServer:
        """Start a server whose environment leads to doubles."""
        sandbox, model = CodexSandbox(), ModelServer()
        try:
            return cls(ServerProcess(command, _environment(sandbox, model)), sandbox, model)
        except BaseException:
            model.close()
            sandbox.remove()
            raise

    @contextmanager
    def use_codex(self, codex: FakeCodex | RealCodex) -> Iterator[CombinedDouble]:
        """Use ``codex`` as the Codex of this server, and its script for the model service too."""
        link = self.sandbox.executable
        link.symlink_to(codex.executable)
        try:
            yield open_double(codex, self.model)
        finally:
            link.unlink()

    def close(self) -> None:
        """End the server, then its model service."""
        self.server.close()
        self.model.close()
        self.sandbox.remove()


def _environment(sandbox: CodexSandbox, model: ModelServer) -> dict[str, str]:
    """Return environment variables with the doubles, no valid key, and the programs of this Python."""
    return {
        **os.environ,
        **sandbox.variables(*_venv_programs()),
        **service_variables(model),
        "PYTHONUNBUFFERED": "1",
    }


def _venv_programs() -> list[str]:
    """Return the folder of this virtual environment's programs, unless it is already on ``PATH``."""
    folder = str(Path(sys.executable).parent)
    on_path = os.environ.get("PATH", "").split(os.pathsep)
    return [] if sys.prefix == sys.base_prefix or folder in on_path else [folder]
