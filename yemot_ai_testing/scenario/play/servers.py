"""The servers of a run, each with the doubles that it finds in its environment.

One server plays all scenarios that name the same command; each scenario scripts doubles of its own. They
reach the server's processes by ways that stay: a link named ``codex``, first on its ``PATH``, and the
address of one model service.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from yemot_ai_testing.executable import DOUBLE_MARKER
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.real import RealCodex
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.script import (
    BusySession,
    Crash,
    Malformed,
    RecordedRequest,
    Script,
    Step,
    UnknownSession,
)
from yemot_ai_testing.errors import ServerFailedError
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play.server import ServerProcess

__all__ = ["RunningServer", "ServerModelDouble", "Servers"]


class Servers:
    """The servers of one run, by what starts them."""

    def __init__(self) -> None:
        self._running: dict[ServerCommand, RunningServer] = {}
        self._failed: dict[ServerCommand, ServerFailedError] = {}

    def get_or_start(self, serve: ServerCommand) -> RunningServer:
        """Return the server that ``serve`` starts; one that has ended meanwhile is started anew.

        Raises:
            ServerFailedError: it does not start; nobody waits for it a second time.
        """
        if serve in self._failed:
            raise self._failed[serve]
        found = self._running.get(serve)
        if found is not None and not found.server.is_running:
            self._running.pop(serve).close()
            found = None
        if found is None:
            try:
                found = self._running[serve] = RunningServer.start(serve)
            except ServerFailedError as error:
                self._failed[serve] = error
                raise
        return found

    def close(self) -> None:
        """End them all."""
        while self._running:
            self._running.popitem()[1].close()


@dataclass(slots=True)
class RunningServer:
    """A server, and what stays of its doubles from scenario to scenario.

    Attributes:
        server: the server.
        folder: where its link to Codex lies, and the homes that it finds.
        model: the service that it finds instead of OpenAI's and Anthropic's.
    """

    server: ServerProcess
    folder: Path
    model: ModelServer

    @classmethod
    def start(cls, serve: ServerCommand) -> RunningServer:
        """Start a server with a place for doubles in its environment."""
        folder = Path(tempfile.mkdtemp(prefix="yemot-ai-serve-")).resolve()
        model = ModelServer()
        try:
            return cls(ServerProcess(serve, _environment(folder, model)), folder, model)
        except BaseException:
            model.close()
            shutil.rmtree(folder, ignore_errors=True)
            raise

    @contextmanager
    def use_codex(self, codex: FakeCodex | RealCodex) -> Iterator[ServerModelDouble]:
        """Let ``codex`` be the Codex of this server, and its script that of every model it asks."""
        link = self.folder / "bin" / "codex"
        link.symlink_to(codex.executable)
        self.model.requests.clear()
        self.model.script = codex.model.script if isinstance(codex, RealCodex) else _SharedScript(codex)
        try:
            yield ServerModelDouble(codex, self.model)
        finally:
            link.unlink()

    def close(self) -> None:
        """End the server, then what it asked."""
        self.server.close()
        self.model.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class ServerModelDouble:
    """Whoever a server asks, Codex or a model over HTTP, as one double with one script.

    Args:
        codex: the Codex on the server's ``PATH``.
        model: the model service that its environment names.
    """

    def __init__(self, codex: FakeCodex | RealCodex, model: ModelServer) -> None:
        self._codex = codex
        self._model = model

    @property
    def requests(self) -> list[RecordedRequest]:
        """What was asked so far, of Codex and over HTTP."""
        return [*self._codex.requests, *self._model.requests]

    def add(self, step: Step) -> None:
        """Append a step, for whichever model is asked next."""
        self._codex.add(step)

    def processes_alive(self) -> int:
        """How many processes of Codex still run."""
        return self._codex.processes_alive()

    def assert_complete(self) -> None:
        """Check that what was scripted was asked, and nothing else.

        Raises:
            ScriptMismatchError: it was not so.
        """
        self._codex.assert_complete()
        if not isinstance(self._codex, RealCodex):
            self._model.assert_complete()


class _SharedScript(Script):
    """The script of a fake Codex, for a model service that is asked by the same server."""

    __slots__ = ("_codex",)

    def __init__(self, codex: FakeCodex) -> None:
        super().__init__()
        self._codex = codex

    def take(self, asked: str) -> Step | None:
        """Consume the step for one call; what only a process can do is none."""
        step = self._codex.take()
        if isinstance(step, Crash | Malformed | UnknownSession | BusySession):
            self.record_unscripted(asked)
            return None
        if step is not None:
            self.add(step)
        return super().take(asked)


def _environment(folder: Path, model: ModelServer) -> dict[str, str]:
    """Return what a server finds: the doubles, no key that would open anything, this Python."""
    own = folder / "bin"
    own.mkdir()
    (own / DOUBLE_MARKER).touch()
    for name in ("home", "nobody"):
        (folder / name).mkdir()
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(own), *_venv_programs(), os.environ.get("PATH", os.defpath)]),
        "YEMOT_AI_HOME": str(folder / "home"),
        "CODEX_HOME": str(folder / "nobody"),
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_API_KEY": "none",
        "ANTHROPIC_BASE_URL": model.root_url,
        "ANTHROPIC_API_KEY": "none",
        "PYTHONUNBUFFERED": "1",
    }


def _venv_programs() -> list[str]:
    """Return the folder of the programs of this virtual environment, unless it is on ``PATH`` anyway."""
    folder = str(Path(sys.executable).parent)
    known = os.environ.get("PATH", "").split(os.pathsep)
    return [] if sys.prefix == sys.base_prefix or folder in known else [folder]
