"""What the tests of Codex share: running it raw, asking a provider, and playing a recorded turn."""

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
class Raw:
    """A run of the executable without a provider."""

    code: int
    events: list[dict[str, Any]]
    stdout: str
    stderr: str

    @property
    def thread(self) -> str:
        return next(str(event["thread_id"]) for event in self.events if event["type"] == "thread.started")

    @property
    def complaints(self) -> list[str]:
        """The lines of standard error that are not warnings about this machine's folders."""
        lines = self.stderr.split("\n")
        return [line for line in lines if line.strip() and not line.startswith("WARNING: proceeding")]


@dataclass(frozen=True)
class Shell:
    """Runs the executable as a shell would, in a home and a folder of its own."""

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

    def run(self, *arguments: str, stdin: str = "") -> Raw:
        with self.start(*arguments) as process:
            out, err = process.communicate(stdin.encode(), timeout=20)
        text = out.decode()
        lines = [line for line in text.split("\n") if line.startswith("{")]
        return Raw(process.returncode, [json.loads(line) for line in lines], text, err.decode())


def asked(turn: Awaitable[T]) -> T:
    """Wait for a turn in a loop of its own, never for ever."""

    async def waits() -> T:
        return await asyncio.wait_for(turn, 30)

    return asyncio.run(waits())


def provider(**options: Any) -> CodexCLIProvider:  # noqa: ANN401 - whatever a provider takes
    return CodexCLIProvider(**{"timeout": 20.0, **options})


def thread_of(session: JSON) -> str:
    assert isinstance(session, dict)
    return str(session["thread_id"])


def plays(codex: Codex, case: str) -> None:
    """Script what a recorded turn was made of: on the fake its recording, on the real one its cause."""
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
        codex.drops("עכשיו ש").answers("עכשיו שלוש וחצי.")
    else:
        raise LookupError(case)
