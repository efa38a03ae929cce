"""Shared by the tests of Codex: running the executable, asking a provider, scripting a recorded case."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from yemot_ai.providers.codex import CodexCLIProvider
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.real import RealCodex
from yemot_ai_testing.doubles.model_service import responses as api

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path
    from typing import TypeVar

    from yemot_ai.providers.provider import JSON

    T = TypeVar("T")

Codex: TypeAlias = FakeCodex | RealCodex

EXEC = ("exec", "--json", "--skip-git-repo-check", "--sandbox", "read-only")


@dataclass(frozen=True)
class RawRun:
    """The result of a run of the executable without a provider."""

    exit_code: int
    events: list[dict[str, Any]]
    stdout: str
    stderr: str

    @property
    def thread_id(self) -> str:
        return next(str(event["thread_id"]) for event in self.events if event["type"] == "thread.started")

    @property
    def stderr_lines(self) -> list[str]:
        """The lines of standard error, without the warnings about this machine's folders."""
        lines = self.stderr.split("\n")
        return [line for line in lines if line.strip() and not line.startswith("WARNING: proceeding")]


@dataclass(frozen=True)
class Shell:
    """Run the executable as a shell does, with a fresh home and working folder."""

    codex: Codex
    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        (self.folder / "work").mkdir(exist_ok=True)
        self.home.mkdir(exist_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "CODEX_HOME": str(self.home)}
        return subprocess.Popen(
            [self.codex.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder / "work",
            env=environment,
            start_new_session=True,
        )

    def run(self, *arguments: str, stdin: str = "") -> RawRun:
        with self.start(*arguments) as process:
            out, err = process.communicate(stdin.encode(), timeout=20)
        text = out.decode()
        lines = [line for line in text.split("\n") if line.startswith("{")]
        return RawRun(process.returncode, [json.loads(line) for line in lines], text, err.decode())


def run_async(turn: Awaitable[T]) -> T:
    """Await ``turn`` in a new event loop, for at most 30 s."""

    async def wait() -> T:
        return await asyncio.wait_for(turn, 30)

    return asyncio.run(wait())


def exec_provider(**options: Any) -> CodexCLIProvider:  # noqa: ANN401 - options of the provider
    return CodexCLIProvider(**{"timeout": 20.0, **options})


def thread_id_of(session: JSON) -> str:
    assert isinstance(session, dict)
    return str(session["thread_id"])


def script_case(codex: Codex, case: str) -> None:
    """Script a recorded case: its recording for the fake, its cause for the real Codex."""
    if isinstance(codex, FakeCodex):
        codex.replays(case)
    elif case == "two_messages":
        codex.model.emits(api.message("רגע, אני בודק.", item_id="msg_0"), text="עכשיו שלוש וחצי.")
    elif case == "reasoning":
        codex.model.emits(api.reasoning("**Looking at the clock**"), text="עכשיו שלוש וחצי.")
    elif case == "no_message":
        codex.model.emits()
    elif case == "tool_unknown":
        codex.model.emits(api.function_call("exec_command", {"cmd": "touch refused"}))
        codex.answers("אי אפשר.")
    elif case == "reconnected":
        codex.reconnects("עכשיו ש").answers("עכשיו שלוש וחצי.")
    else:
        raise LookupError(case)
