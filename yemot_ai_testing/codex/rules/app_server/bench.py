"""The bench for the rules of app-servers: a fresh home, a scripted model, and servers on demand."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.home import CodexHome, fresh_home
from yemot_ai_testing.codex.rules.app_server.client import AppServerClient
from yemot_ai_testing.codex.rules.backends import CodexModel, breaks_stream, copy_fake, is_double
from yemot_ai_testing.conformance.rule import Breach, NotApplicable, expect_equal, expect_true
from yemot_ai_testing.doubles.model_service import responses as api
from yemot_ai_testing.doubles.model_service.server import ModelServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from yemot_ai_testing.codex.steps import ClientRequestKind

__all__ = [
    "CLOCK_TOOL",
    "AppServerBench",
    "expect_error",
    "open_bench",
    "open_fake_bench",
    "open_real_bench",
    "turn_params",
]

_MARKER_FILE: Final = "ran-by-command"
CLOCK_TOOL: Final[dict[str, Any]] = {
    "name": "clock",
    "description": "the time",
    "inputSchema": {"type": "object", "properties": {}},
}


@dataclass(frozen=True, slots=True)
class AppServerBench:
    """A fresh environment for one rule.

    Attributes:
        command: the command line of a server.
        home: the folders of its servers.
        model: the model; it has the script of every double.
    """

    command: Sequence[str]
    home: CodexHome
    model: CodexModel
    _exit_stack: ExitStack

    def start_server(self) -> AppServerClient:
        """Start a server; it is killed when the bench is closed."""
        client = AppServerClient.open(self.command, env=self.home.environment(), cwd=self.home.work)
        self._exit_stack.callback(client.close)
        return client

    def start_initialized(self) -> AppServerClient:
        """Start a server and do the handshake."""
        client = self.start_server()
        client.initialize()
        return client

    def breaks_stream(self, text: str) -> None:
        """Script a stream that breaks off after ``text``, which Codex asks for again."""
        breaks_stream(self.model, text)

    def thread_params(self, **params: object) -> dict[str, Any]:
        """Return the parameters of a thread, with ``params`` in addition."""
        defaults = {"approvalPolicy": "never", "sandbox": "read-only", "baseInstructions": "answer briefly"}
        return {**defaults, "cwd": str(self.home.work), **params}

    def resume_params(self, thread: str) -> dict[str, Any]:
        """Return the parameters that resume or fork a thread."""
        return self.thread_params(threadId=thread, excludeTurns=True)

    def asking_thread_params(self, kind: ClientRequestKind) -> dict[str, Any]:
        """Return the parameters of a thread in which the server sends requests of this kind."""
        if kind == "tool":
            return {"dynamicTools": [CLOCK_TOOL]}
        return {"approvalPolicy": "untrusted"}

    def asks(self, kind: ClientRequestKind) -> None:
        """Let the model run a command or call a tool, so that the server sends a request."""
        if isinstance(self.model, FakeCodex):
            self.model.asks(kind)
        elif kind == "tool":
            self.model.emits(api.function_call(CLOCK_TOOL["name"], {}))
        else:
            self.model.emits(api.function_call("exec_command", {"cmd": f"touch {_MARKER_FILE}"}))

    @property
    def command_ran(self) -> bool:
        """Whether the command of ``asks`` was executed."""
        return (self.home.work / _MARKER_FILE).exists()

    def start_thread(self, client: AppServerClient, **params: object) -> str:
        """Start a thread, with ``params`` in addition; return its id."""
        return str(client.request("thread/start", self.thread_params(**params))["result"]["thread"]["id"])

    def open_thread(self) -> tuple[AppServerClient, str]:
        """Start a server, do the handshake, and start a thread; return the client and the thread's id."""
        client = self.start_initialized()
        return client, self.start_thread(client)

    def begin_turn(self, text: str = "one ✓") -> tuple[AppServerClient, str]:
        """Start a turn in a thread of a new server; return the client and the thread's id."""
        client, thread = self.open_thread()
        client.send_request("turn/start", turn_params(thread, text))
        return client, thread

    def run_turn(self, client: AppServerClient, thread: str, text: str = "one ✓") -> dict[str, Any]:
        """Run a turn to its end; return the completed turn."""
        client.send_request("turn/start", turn_params(thread, text))
        turn: dict[str, Any] = client.wait_notification("turn/completed")["turn"]
        return turn


def turn_params(thread: str, text: str) -> dict[str, Any]:
    """Return the parameters of a turn."""
    return {"threadId": thread, "input": [{"type": "text", "text": text}]}


def expect_error(answer: Mapping[str, Any], text: str, code: int = -32600) -> None:
    """Expect an error whose message contains ``text``; raise ``Breach`` otherwise."""
    error = answer.get("error") or {}
    expect_equal("the code of the error", error.get("code"), code)
    message = error.get("message")
    expect_true(text in str(message), f"an error that contains {text!r}", repr(message))


@contextmanager
def open_bench(executable: Path, version: str) -> Iterator[AppServerBench]:
    """Open a bench for an executable; a fake of this toolkit is copied first.

    Raises:
        Breach: if a message has another shape than the rules expect.
        NotApplicable: if it is a fake of a version without a recorded server.
    """
    with ExitStack() as stack:
        if not is_double(executable):
            model = stack.enter_context(closing(ModelServer()))
            bench = stack.enter_context(open_real_bench(executable, model))
        elif version in recordings.server_versions():
            fake = stack.enter_context(closing(copy_fake(executable, version)))
            bench = stack.enter_context(open_fake_bench(fake))
        else:
            recorded = ", ".join(recordings.server_versions())
            raise NotApplicable(f"the fake has recordings of a server for {recorded} only")
        try:
            yield bench
        except (LookupError, TypeError, ValueError, BrokenPipeError) as error:
            raise Breach(
                "messages as the real server writes them", f"{type(error).__name__}: {error}"
            ) from error


@contextmanager
def open_real_bench(executable: Path, model: ModelServer) -> Iterator[AppServerBench]:
    """Open a bench for a real binary, with its model service; nothing leaves this machine."""
    with _open_bench([str(executable), "app-server", *model.codex_options()], model) as bench:
        yield bench


@contextmanager
def open_fake_bench(fake: FakeCodex) -> Iterator[AppServerBench]:
    """Open a bench for the fake, which is its own model."""
    with _open_bench([str(fake.executable), "app-server"], fake) as bench:
        yield bench


@contextmanager
def _open_bench(command: Sequence[str], model: CodexModel) -> Iterator[AppServerBench]:
    with fresh_home() as home, ExitStack() as servers:
        yield AppServerBench(command, home, model, servers)
