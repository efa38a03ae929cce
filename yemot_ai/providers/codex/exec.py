"""Answer with the Codex CLI: one ``codex exec --json`` process per turn.

    provider = CodexCLIProvider(timeout=45.0)
    ai = YemotAI(provider=provider)

The defaults are safe for a phone line: see ``command`` and ``home.folders``.
"""

from __future__ import annotations

import asyncio
import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from yemot_ai.errors import MalformedStreamError, ProviderError
from yemot_ai.providers.codex.command import exec_command
from yemot_ai.providers.codex.events import EventReader
from yemot_ai.providers.codex.faults import makes_unusable
from yemot_ai.providers.codex.home.folders import is_thread_id
from yemot_ai.providers.codex.home.settings_file import toml_text
from yemot_ai.providers.codex.process import LineTooLongError, run_process
from yemot_ai.providers.codex.prompts import prompt_with_history
from yemot_ai.providers.codex.request_limit import limit_requests
from yemot_ai.providers.codex.session import CodexSession
from yemot_ai.providers.codex.settings import CodexOptions, CodexSettings

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from yemot_ai.providers.codex.command import Program
    from yemot_ai.providers.codex.events import TurnOutcome
    from yemot_ai.providers.codex.home.folders import CodexHome
    from yemot_ai.providers.codex.process import ProcessResult
    from yemot_ai.providers.provider import JSON, Exchange, Reply

__all__ = ["CodexCLIProvider"]


class CodexCLIProvider:
    """A provider that runs the Codex CLI for each turn.

    A session is ``{"thread_id", "usage", "key", "threads", "rollouts"}``: Codex's id of the conversation,
    Codex's counters for the whole conversation, the name of its private folders, its earlier threads, and
    the checksums of the threads' files.

    Args:
        executable: a name that is looked up on ``PATH`` at each turn, or a path. The name ``codex`` is
            also found in the Python package ``openai-codex-cli-bin`` (``pip install "yemot-ai[codex]"``).
        **options: ``timeout=60.0``, ``instructions``, ``model``, ``sandbox="read-only"``, ``codex_home``,
            ``config``, ``env``, ``mcp_servers`` and ``max_requests=30``; see ``CodexOptions``.
    """

    name = "codex"
    streams = False

    def __init__(self, executable: str | os.PathLike[str] = "codex", **options: Unpack[CodexOptions]) -> None:
        self._settings = CodexSettings(executable, **options)

    @property
    def model(self) -> str:
        """The name of the model; "" for the default of Codex."""
        return self._settings.model or ""

    def check(self) -> Path:
        """Find the executable, without running it.

        Raises:
            CodexNotFoundError: it was not found; the message says how to install it.
            ProviderError: settings that this machine enforces would reach callers.
        """
        return self._settings.check()

    async def ask(
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
    ) -> AsyncIterator[str | Reply]:
        """Answer an utterance in the thread of ``session``, or in a new one.

        Args:
            prompt: what the caller said.
            session: the last reply's; None for a new thread.
            instructions: how to answer; they replace Codex's own prompt.
            history: earlier exchanges, sent to the model before the prompt of a new thread.
            stream: ignored: ``codex exec`` writes its answer in one piece.

        Yields:
            The reply.

        Raises:
            CodexNotFoundError: there is no such executable.
            ProviderTimeoutError: the deadline passed; the process has ended.
            SessionLostError: Codex does not know the thread any more, or a part of it.
            SessionBusyError: another process is writing to the thread.
            ProviderError: one of its subclasses (see ``faults``).
        """
        del stream
        own = CodexSession.for_turn(session, provider=self.name)
        first = prompt_with_history(prompt, history) if session is None else prompt
        outcome = await self._run_turn(own, first, instructions)
        yield await asyncio.to_thread(own.reply, outcome, self._settings.home)

    async def end_session(self, session: JSON) -> None:
        """Delete the conversation's databases, rollout, lock, snapshots and working folder.

        The databases in a ``codex_home`` of the user are not touched.
        """
        await asyncio.to_thread(_delete, self._settings.home, CodexSession.from_json(session))

    async def _run_turn(self, session: CodexSession, prompt: str, instructions: str | None) -> TurnOutcome:
        executable = self.check()
        home, thread_id = self._settings.home, session.thread_id
        reader = EventReader()
        try:
            async with self._settings.turn(provider=self.name):
                file = await asyncio.to_thread(
                    _prepare, home, self._settings.instructions_for(instructions), session
                )
                command = exec_command(
                    await self._program(executable, session.key),
                    instructions=file,
                    sandbox=self._settings.sandbox,
                    model=self._settings.model,
                    thread_id=thread_id,
                )
                rollout = functools.partial(_read_rollout, home, reader, thread_id)
                async with limit_requests(rollout, self._settings.max_requests):
                    end = await self._run_process(command, prompt, home.work_dir(session.key), reader)
                return reader.finish(exit_code=end.exit_code, stderr_tail=end.stderr_tail, expected=thread_id)
        except BaseException as error:
            if not thread_id or makes_unusable(error, reported=reader.turn_failed):
                _delete_failed_turn(home, session, started=reader.thread_id)
            if isinstance(error, ProviderError):
                error.thread_id = error.thread_id or reader.thread_id or thread_id
            raise

    async def _program(self, executable: Path, key: str) -> Program:
        program = await self._settings.program(executable, key)
        private = toml_text(self._settings.private_settings)
        return replace(program, profile=await asyncio.to_thread(self._settings.home.profile, private))

    async def _run_process(
        self, command: Sequence[str], prompt: str, work_dir: Path, reader: EventReader
    ) -> ProcessResult:
        data = prompt.encode("utf-8", "replace")
        env = self._settings.environment
        try:
            return await run_process(command, stdin=data, receive=reader.feed, env=env, cwd=work_dir)
        except LineTooLongError as error:
            raise MalformedStreamError(f"Codex wrote {error}", provider=self.name) from error


def _prepare(home: CodexHome, instructions: str, session: CodexSession) -> Path:
    home.prepare(session.key)
    session.check_rollouts(home)
    return home.instructions_file(instructions)


def _read_rollout(home: CodexHome, reader: EventReader, resumed: str) -> bytes | None:
    """Return the rollout of the thread that runs, or is about to be resumed."""
    thread_id = reader.thread_id or resumed
    return home.read_rollout(thread_id) if is_thread_id(thread_id) else None


def _delete(home: CodexHome, session: CodexSession) -> None:
    for thread_id in (session.thread_id, *session.threads):
        home.delete_conversation(thread_id, session.key)


def _delete_failed_turn(home: CodexHome, session: CodexSession, *, started: str) -> None:
    """Delete what is left of a turn that cannot be continued.

    Args:
        home: the folders of the processes.
        session: the conversation; without a thread before its first turn.
        started: the thread that Codex started; possibly not the one to resume.
    """
    home.delete_conversation(started, session.key)
    _delete(home, session)
