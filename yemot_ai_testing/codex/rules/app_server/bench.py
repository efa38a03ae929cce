"""Where a server is tried: a fresh home, a scripted model, and as many servers as a rule needs."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from yemot_ai_testing.codex import app_server_recordings as recording
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.recorder.session import environment, furnished
from yemot_ai_testing.codex.rules.app_server.wire import Wire
from yemot_ai_testing.codex.rules.backends import is_double, twin
from yemot_ai_testing.conformance.rule import Breach, NotApplicable, same, that
from yemot_ai_testing.doubles.model_service import responses as api
from yemot_ai_testing.doubles.model_service.server import ModelServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from yemot_ai_testing.codex.steps import Question

__all__ = ["Model", "Stage", "on_executable", "on_fake", "on_real", "refused", "said"]

Model: TypeAlias = FakeCodex | ModelServer

_MARK: Final = "ran-by-command"
_CLOCK: Final[dict[str, Any]] = {
    "name": "clock",
    "description": "the time",
    "inputSchema": {"type": "object", "properties": {}},
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One place for one rule.

    Attributes:
        command: what starts a server.
        env: its whole environment.
        work: a working folder.
        model: who answers; it is scripted like every double.
    """

    command: Sequence[str]
    env: Mapping[str, str]
    work: Path
    model: Model
    _open: ExitStack

    def server(self) -> Wire:
        """Start a server; it is killed with the stage."""
        wire = Wire.open(self.command, env=self.env, cwd=self.work)
        self._open.callback(wire.close)
        return wire

    def greeted(self) -> Wire:
        """A server that has been shaken hands with."""
        wire = self.server()
        wire.shake_hands()
        return wire

    def setup(self, **further: object) -> dict[str, Any]:
        """How a thread is to be."""
        ours = {"approvalPolicy": "never", "sandbox": "read-only", "baseInstructions": "ענה בקצרה"}
        return {**ours, "cwd": str(self.work), **further}

    def asking(self, what: Question) -> dict[str, Any]:
        """How a thread has to be so that the client is asked about a command (``approval``) or a ``tool``."""
        if what == "tool":
            return {"dynamicTools": [_CLOCK]}
        return {"approvalPolicy": "untrusted"}

    def asks(self, what: Question) -> None:
        """Let the model want what the client has to be asked about."""
        if isinstance(self.model, FakeCodex):
            self.model.asks(what)
        elif what == "tool":
            self.model.emits(api.function_call(_CLOCK["name"], {}))
        else:
            self.model.emits(api.function_call("exec_command", {"cmd": f"touch {_MARK}"}))

    @property
    def ran(self) -> bool:
        """Whether the command of ``asks`` was run."""
        return (self.work / _MARK).exists()

    def opened(self, wire: Wire) -> str:
        """A new thread."""
        return str(wire.ask("thread/start", self.setup())["result"]["thread"]["id"])

    def told(self, wire: Wire, thread: str, words: str) -> dict[str, Any]:
        """Take a turn to its end; returns the turn as it ended."""
        wire.send("turn/start", said(thread, words))
        turn: dict[str, Any] = wire.told("turn/completed")["turn"]
        return turn


def said(thread: str, words: str) -> dict[str, Any]:
    """The parameters of a turn."""
    return {"threadId": thread, "input": [{"type": "text", "text": words}]}


def refused(answer: Mapping[str, Any], words: str, code: int = -32600) -> None:
    """Expect an error with these words in it; ``Breach`` if it is none."""
    error = answer.get("error") or {}
    same("the code of the error", error.get("code"), code)
    that(words in str(error.get("message")), f"an error that says {words!r}", repr(error.get("message")))


@contextmanager
def on_executable(executable: Path, version: str) -> Iterator[Stage]:
    """A stage for whatever claims to be a Codex; a double of ours plays in a twin of its own.

    Raises:
        Breach: what it says has another shape than the rules read.
        NotApplicable: it is a double of a version that was not recorded as a server.
    """
    with ExitStack() as stack:
        if not is_double(executable):
            stage = stack.enter_context(on_real(executable))
        elif version in recording.versions():
            stage = stack.enter_context(on_fake(stack.enter_context(closing(twin(executable, version)))))
        else:
            told = ", ".join(recording.versions())
            raise NotApplicable(f"as a server, the fake was recorded of {told} only")
        try:
            yield stage
        except (LookupError, TypeError, ValueError, BrokenPipeError) as error:
            raise Breach(
                "messages as the real server writes them", f"{type(error).__name__}: {error}"
            ) from error


@contextmanager
def on_real(executable: Path) -> Iterator[Stage]:
    """A stage for a real binary: a model service on this machine answers it, and nothing leaves it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, ModelServer() as model:
        settings = [part for item in model.codex_config().items() for part in ("-c", "=".join(item))]
        with _stage([str(executable), "app-server", *settings], Path(name), model) as stage:
            yield stage


@contextmanager
def on_fake(fake: FakeCodex) -> Iterator[Stage]:
    """A stage for the fake, which is its own model."""
    command = [str(fake.executable), "app-server"]
    temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with temporary as name, _stage(command, Path(name), fake) as stage:
        yield stage


@contextmanager
def _stage(command: Sequence[str], folder: Path, model: Model) -> Iterator[Stage]:
    place = furnished(folder.resolve())
    with ExitStack() as servers:
        yield Stage(command, environment(place), place / "work", model, servers)
