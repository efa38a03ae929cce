"""Where a server is tried: a fresh home, a scripted model, and as many servers as a rule needs."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from yemot_ai_testing.codex import app_server_recordings as recording
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.folders import isolated_environment, make_folders
from yemot_ai_testing.codex.rules.app_server.client import AppServerClient
from yemot_ai_testing.codex.rules.backends import copy_fake, is_double
from yemot_ai_testing.conformance.rule import Breach, NotApplicable, expect_equal, expect_true
from yemot_ai_testing.doubles.model_service import responses as api
from yemot_ai_testing.doubles.model_service.server import ModelServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from yemot_ai_testing.codex.steps import ClientRequestKind

__all__ = [
    "AppServerBench",
    "AppServerModel",
    "expect_error",
    "open_bench",
    "open_fake_bench",
    "open_real_bench",
    "turn_params",
]

AppServerModel: TypeAlias = FakeCodex | ModelServer

_MARKER_FILE: Final = "ran-by-command"
_CLOCK_TOOL: Final[dict[str, Any]] = {
    "name": "clock",
    "description": "the time",
    "inputSchema": {"type": "object", "properties": {}},
}


@dataclass(frozen=True, slots=True)
class AppServerBench:
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
    model: AppServerModel
    _exit_stack: ExitStack

    def start_server(self) -> AppServerClient:
        """Start a server; it is killed with the stage."""
        wire = AppServerClient.open(self.command, env=self.env, cwd=self.work)
        self._exit_stack.callback(wire.close)
        return wire

    def start_initialized(self) -> AppServerClient:
        """A server that has been shaken hands with."""
        wire = self.start_server()
        wire.initialize()
        return wire

    def thread_params(self, **further: object) -> dict[str, Any]:
        """How a thread is to be."""
        ours = {"approvalPolicy": "never", "sandbox": "read-only", "baseInstructions": "ענה בקצרה"}
        return {**ours, "cwd": str(self.work), **further}

    def asking_thread_params(self, kind: ClientRequestKind) -> dict[str, Any]:
        """How a thread has to be so that the client is asked about a command (``approval``) or a ``tool``."""
        if kind == "tool":
            return {"dynamicTools": [_CLOCK_TOOL]}
        return {"approvalPolicy": "untrusted"}

    def asks(self, kind: ClientRequestKind) -> None:
        """Let the model want what the client has to be asked about."""
        if isinstance(self.model, FakeCodex):
            self.model.asks(kind)
        elif kind == "tool":
            self.model.emits(api.function_call(_CLOCK_TOOL["name"], {}))
        else:
            self.model.emits(api.function_call("exec_command", {"cmd": f"touch {_MARKER_FILE}"}))

    @property
    def command_ran(self) -> bool:
        """Whether the command of ``asks`` was run."""
        return (self.work / _MARKER_FILE).exists()

    def start_thread(self, client: AppServerClient) -> str:
        """A new thread."""
        return str(client.request("thread/start", self.thread_params())["result"]["thread"]["id"])

    def run_turn(self, client: AppServerClient, thread: str, text: str) -> dict[str, Any]:
        """Take a turn to its end; returns the turn as it ended."""
        client.send_request("turn/start", turn_params(thread, text))
        turn: dict[str, Any] = client.wait_notification("turn/completed")["turn"]
        return turn


def turn_params(thread: str, text: str) -> dict[str, Any]:
    """The parameters of a turn."""
    return {"threadId": thread, "input": [{"type": "text", "text": text}]}


def expect_error(answer: Mapping[str, Any], text: str, code: int = -32600) -> None:
    """Expect an error with these words in it; ``Breach`` if it is none."""
    error = answer.get("error") or {}
    expect_equal("the code of the error", error.get("code"), code)
    expect_true(text in str(error.get("message")), f"an error that says {text!r}", repr(error.get("message")))


@contextmanager
def open_bench(executable: Path, version: str) -> Iterator[AppServerBench]:
    """A stage for whatever claims to be a Codex; a double of ours plays in a twin of its own.

    Raises:
        Breach: what it says has another shape than the rules read.
        NotApplicable: it is a double of a version that was not recorded as a server.
    """
    with ExitStack() as stack:
        if not is_double(executable):
            stage = stack.enter_context(open_real_bench(executable))
        elif version in recording.versions():
            stage = stack.enter_context(
                open_fake_bench(stack.enter_context(closing(copy_fake(executable, version))))
            )
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
def open_real_bench(executable: Path) -> Iterator[AppServerBench]:
    """A stage for a real binary: a model service on this machine answers it, and nothing leaves it."""
    temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with temporary as name, closing(ModelServer()) as model:
        settings = [part for item in model.codex_config().items() for part in ("-c", "=".join(item))]
        with _open_bench([str(executable), "app-server", *settings], Path(name), model) as stage:
            yield stage


@contextmanager
def open_fake_bench(fake: FakeCodex) -> Iterator[AppServerBench]:
    """A stage for the fake, which is its own model."""
    command = [str(fake.executable), "app-server"]
    temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with temporary as name, _open_bench(command, Path(name), fake) as stage:
        yield stage


@contextmanager
def _open_bench(command: Sequence[str], folder: Path, model: AppServerModel) -> Iterator[AppServerBench]:
    place = make_folders(folder.resolve())
    with ExitStack() as servers:
        yield AppServerBench(command, isolated_environment(place), place / "work", model, servers)
