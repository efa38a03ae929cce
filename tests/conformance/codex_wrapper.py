"""A provider as a user might write it around ``codex exec``; it keeps all rules."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yemot_ai.errors import (
    AnswerCutError,
    AnswerEmptyError,
    AuthenticationError,
    ContextOverflowError,
    MalformedStreamError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    RefusedRequestError,
    SessionLostError,
    UnknownModelError,
)
from yemot_ai.providers import JSON, Exchange, Reply, Usage

__all__ = ["CodexWrapper", "Event"]

Event = dict[str, Any]

THREAD = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

KINDS: tuple[tuple[str, type[ProviderError]], ...] = (
    ("429", RateLimitedError),
    ("401", AuthenticationError),
    ("high demand", OverloadedError),
    ("context window", ContextOverflowError),
    ("quota", QuotaExceededError),
    ("no rollout", SessionLostError),
    ("invalid prompt", RefusedRequestError),
)


class CodexWrapper:
    name = "wrapper"

    def __init__(self, executable: Path, *, deadline: float = 60.0) -> None:
        self.executable = executable
        self.deadline = deadline

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        return await self.turn(None, self.first_prompt(prompt, history), instructions)

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return await self.turn(self.thread_of(session), prompt, instructions)

    def first_prompt(self, prompt: str, history: Sequence[Exchange]) -> str:
        return "\n".join([*(f"{one.prompt}\n{one.answer}" for one in history), prompt])

    def thread_of(self, session: JSON) -> str:
        if not isinstance(session, list) or len(session) != 2 or not THREAD.fullmatch(str(session[0])):
            raise SessionLostError("that is no thread of Codex", thread_id="", provider=self.name)
        return json.dumps(session)

    async def turn(self, session: str | None, prompt: str, instructions: str | None) -> Reply:
        thread, before = json.loads(session) if session else (None, 0)
        with tempfile.TemporaryDirectory() as folder:
            options = self.options(instructions, Path(folder) / "instructions.md")
            try:
                async with asyncio.timeout(self.deadline):
                    output = await self.run(self.command(thread, prompt, options), self.stdin(prompt))
            except TimeoutError as error:
                raise ProviderTimeoutError(seconds=self.deadline, provider=self.name) from error
        return self.read([self.parse(line) for line in output.split(b"\n") if line], before, prompt)

    def command(self, thread: str | None, prompt: str, options: list[str]) -> list[str]:
        del prompt
        resume = ["resume", thread] if thread else []
        return ["exec", "--json", "--skip-git-repo-check", *options, *resume, "-"]

    def options(self, instructions: str | None, file: Path) -> list[str]:
        if instructions is None:
            return []
        file.write_text(instructions, encoding="utf-8")
        return ["-c", f"model_instructions_file={json.dumps(str(file))}"]

    def stdin(self, prompt: str) -> bytes:
        return prompt.encode("utf-8", "replace")

    async def run(self, arguments: list[str], stdin: bytes) -> bytes:
        process = await asyncio.create_subprocess_exec(
            self.executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=2**24,
        )
        try:
            return (await process.communicate(stdin))[0]
        finally:
            await self.stop(process)

    async def stop(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            process.kill()
            await process.wait()

    def parse(self, line: bytes) -> Event:
        try:
            event: Event = json.loads(line)
        except ValueError as error:
            raise MalformedStreamError("a line is no JSON", provider=self.name) from error
        return event

    def read(self, events: list[Event], before: int, prompt: str) -> Reply:
        for event in events:
            if event["type"] == "turn.failed":
                raise self.error(event["error"]["message"], prompt)
        if not any(event["type"] == "turn.completed" for event in events):
            raise ProviderCrashError("Codex ended in the middle", provider=self.name)
        text = self.answer([event["item"] for event in events if event["type"] == "item.completed"])
        if not text.strip():
            raise AnswerEmptyError("Codex wrote no answer", provider=self.name)
        return self.reply(text, events[0]["thread_id"], events[-1]["usage"]["output_tokens"], before)

    def answer(self, items: list[Event]) -> str:
        text = next((one["text"] for one in reversed(items) if one["type"] == "agent_message"), "")
        return str(text).encode("utf-8", "replace").decode()

    def reply(self, text: str, thread: str, tokens: int, before: int) -> Reply:
        """Return the reply; Codex counts the tokens of the whole thread."""
        return Reply(text, [thread, tokens], Usage(output_tokens=tokens - before))

    def error(self, message: str, prompt: str) -> ProviderError:
        del prompt
        if "reason: max_output_tokens" in message:
            return AnswerCutError(reason="max_output_tokens", text="", provider=self.name)
        if "does not exist" in message:
            return UnknownModelError("Codex does not know the model", model="m", provider=self.name)
        kinds = [kind for words, kind in KINDS if words in message.lower()]
        kind = kinds[0] if kinds else ProviderCrashError
        return kind("Codex failed", provider=self.name)
