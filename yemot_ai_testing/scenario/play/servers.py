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
from yemot_ai_testing.doubles.script import RecordedRequest, Script
from yemot_ai_testing.doubles.steps import PROCESS_STEPS, Step
from yemot_ai_testing.errors import ServerFailedError
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play.server import ServerProcess

__all__ = ["RunningServer", "ServerModelDouble", "Servers"]


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
    def use_codex(self, codex: FakeCodex | RealCodex) -> Iterator[ServerModelDouble]:
        """Use ``codex`` as the Codex of this server, and its script for the model service too."""
        link = self.sandbox.executable
        link.symlink_to(codex.executable)
        self.model.requests.clear()
        self.model.script = codex.model.script if isinstance(codex, RealCodex) else _SharedScript(codex)
        try:
            yield ServerModelDouble(codex, self.model)
        finally:
            link.unlink()

    def close(self) -> None:
        """End the server, then its model service."""
        self.server.close()
        self.model.close()
        self.sandbox.remove()


class ServerModelDouble:
    """The Codex and the model service of a server, as one double with one script.

    Args:
        codex: the Codex on the server's ``PATH``.
        model: the model service of its environment.
    """

    def __init__(self, codex: FakeCodex | RealCodex, model: ModelServer) -> None:
        self._codex = codex
        self._model = model

    @property
    def requests(self) -> list[RecordedRequest]:
        """The model calls so far, of Codex and over HTTP."""
        return [*self._codex.requests, *self._model.requests]

    def add(self, step: Step) -> None:
        """Append a step, for the next model call of either."""
        self._codex.add(step)

    def processes_alive(self) -> int:
        """Return the number of running Codex processes."""
        return self._codex.processes_alive()

    def assert_complete(self) -> None:
        """Check that the model calls match the script.

        Raises:
            ScriptMismatchError: if they do not.
        """
        self._codex.assert_complete()
        if not isinstance(self._codex, RealCodex):
            self._model.assert_complete()


class _SharedScript(Script):
    """The script of a fake Codex, for the model service of the same server."""

    __slots__ = ("_codex",)

    def __init__(self, codex: FakeCodex) -> None:
        super().__init__()
        self._codex = codex

    def take(self, prompt: str) -> Step | None:
        """Return the step for one call; steps that only a process can do count as unscripted."""
        step = self._codex.take()
        if isinstance(step, PROCESS_STEPS):
            self.record_unscripted(prompt)
            return None
        if step is not None:
            self.add(step)
        return super().take(prompt)


def _environment(sandbox: CodexSandbox, model: ModelServer) -> dict[str, str]:
    """Return environment variables with the doubles, no valid key, and the programs of this Python."""
    return {
        **os.environ,
        **sandbox.variables(*_venv_programs()),
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_API_KEY": "none",
        "ANTHROPIC_BASE_URL": model.root_url,
        "ANTHROPIC_API_KEY": "none",
        "PYTHONUNBUFFERED": "1",
    }


def _venv_programs() -> list[str]:
    """Return the folder of this virtual environment's programs, unless it is already on ``PATH``."""
    folder = str(Path(sys.executable).parent)
    on_path = os.environ.get("PATH", "").split(os.pathsep)
    return [] if sys.prefix == sys.base_prefix or folder in on_path else [folder]
