"""Answer with the Codex CLI: one ``codex exec --json`` process per turn.

    provider = CodexCLIProvider(timeout=45.0)
    ai = YemotAI(provider=provider)

The defaults are safe for a phone line: see ``command`` and ``home``.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai.errors import (
    CodexNotFoundError,
    MalformedStreamError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    SessionLostError,
)
from yemot_ai.providers.codex.capabilities import probe
from yemot_ai.providers.codex.command import exec_command
from yemot_ai.providers.codex.events import EventReader, usage_delta
from yemot_ai.providers.codex.home import CodexHome, is_key, is_thread_id, new_key
from yemot_ai.providers.codex.process import LineTooLongError, run_process
from yemot_ai.providers.codex.prompts import prompt_with_history
from yemot_ai.providers.codex.settings import CodexSettings
from yemot_ai.providers.provider import Reply

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Sequence

    from yemot_ai.providers.codex.command import Setting
    from yemot_ai.providers.codex.events import TurnOutcome
    from yemot_ai.providers.codex.process import ProcessResult
    from yemot_ai.providers.provider import JSON, Exchange

__all__ = ["CodexCLIProvider"]

_TRANSIENT_ERRNOS: Final = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""Errors after which a process may start a moment later."""


class CodexCLIProvider:
    """A provider that runs the Codex CLI for each turn.

    A session is ``{"thread_id": …, "usage": {…}, "key": …}``: Codex's id of the conversation, Codex's
    counters for the whole conversation, and the name of its private folders.

    Args:
        executable: a name that is looked up on ``PATH`` at each turn, or a path. The name ``codex`` is
            also found in the Python package ``openai-codex-cli-bin`` (``pip install "yemot-ai[codex]"``).
        timeout: seconds for a whole turn; without network Codex would retry for ever.
        instructions: how to answer a turn that has no instructions.
        model: the model's name; None for Codex's own choice.
        sandbox: what commands of the model may do: ``read-only``, ``workspace-write`` …
        codex_home: the ``CODEX_HOME`` of the processes; None for a private home with only the login in it.
        config: further settings, as in ``codex -c key=value``.
        env: variables to add to the minimal environment of the processes.
    """

    name = "codex"
    streams = False

    def __init__(  # noqa: PLR0913 - each is a public option
        self,
        executable: str | os.PathLike[str] = "codex",
        *,
        timeout: float = 60.0,
        instructions: str | None = None,
        model: str | None = None,
        sandbox: str = "read-only",
        codex_home: str | os.PathLike[str] | None = None,
        config: Mapping[str, Setting] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = CodexSettings(
            executable=executable,
            timeout=timeout,
            instructions=instructions,
            model=model,
            sandbox=sandbox,
            codex_home=codex_home,
            config=dict(config or {}),
            env=dict(env or {}),
        )

    def check(self) -> Path:
        """Find the executable, without running it.

        Raises:
            CodexNotFoundError: it was not found; the message says how to install it.
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
            SessionLostError: Codex does not know the thread any more.
            SessionBusyError: another process is writing to the thread.
            ProviderError: one of its subclasses (see ``faults``).
        """
        del stream
        if session is None:
            key = new_key()
            first = prompt_with_history(prompt, history)
            outcome = await self._run_turn(first, instructions, thread_id="", key=key)
            yield _reply(outcome, before={}, key=key)
            return
        thread_id = _text_field(session, "thread_id")
        if not is_thread_id(thread_id):
            # For such a name Codex would silently start a new thread, without the history.
            raise SessionLostError(
                f"{thread_id!r} is not a Codex thread", thread_id=thread_id, provider=self.name
            )
        key = _key(session)
        outcome = await self._run_turn(prompt, instructions, thread_id=thread_id, key=key)
        yield _reply(outcome, before=_usage(session), key=key)

    async def end_session(self, session: JSON) -> None:
        """Delete the conversation's databases, rollout, lock, snapshots and working folder.

        The databases in a ``codex_home`` of the user are not touched.
        """
        home = self._settings.home
        await asyncio.to_thread(
            home.delete_conversation, _text_field(session, "thread_id"), _text_field(session, "key")
        )

    async def _run_turn(
        self, prompt: str, instructions: str | None, *, thread_id: str, key: str
    ) -> TurnOutcome:
        executable = self.check()
        home = self._settings.home
        reader = EventReader()
        try:
            async with self._deadline():
                file = await asyncio.to_thread(
                    _prepare, home, self._settings.instructions_for(instructions), key
                )
                command = await self._command(executable, home, file, thread_id, key)
                end = await self._run_process(command, prompt, home, reader, key)
            with self._settings.redact_secrets():
                return reader.finish(exit_code=end.exit_code, stderr_tail=end.stderr_tail, expected=thread_id)
        except BaseException as error:
            if not thread_id or isinstance(error, SessionLostError):
                _delete_failed_turn(home, started=reader.thread_id, resumed=thread_id, key=key)
            if isinstance(error, OSError):
                raise self._start_error(error, reader.thread_id or thread_id) from error
            raise

    def _deadline(self) -> asyncio.Timeout:
        """Return the time limit of a whole turn."""
        return asyncio.timeout(self._settings.timeout)

    async def _command(
        self, executable: Path, home: CodexHome, instructions: Path, thread_id: str, key: str
    ) -> list[str]:
        name = str(executable)
        capabilities = await probe(name, env=home.environment(self._settings.env), cwd=home.work_dir(key))
        return exec_command(
            name,
            capabilities=capabilities,
            instructions=instructions,
            databases=home.databases_dir(key),
            models=await asyncio.to_thread(home.models_file, capabilities.models),
            sandbox=self._settings.sandbox,
            model=self._settings.model,
            config=self._settings.config,
            thread_id=thread_id,
        )

    async def _run_process(
        self, command: Sequence[str], prompt: str, home: CodexHome, reader: EventReader, key: str
    ) -> ProcessResult:
        data = prompt.encode("utf-8", "replace")
        env = home.environment(self._settings.env)
        try:
            return await run_process(
                command, stdin=data, receive=reader.feed, env=env, cwd=home.work_dir(key)
            )
        except LineTooLongError as error:
            raise MalformedStreamError(f"Codex wrote {error}", provider=self.name) from error

    def _start_error(self, error: OSError, thread_id: str) -> ProviderError:
        start_error: ProviderError
        if isinstance(error, ProviderError):
            return error
        if isinstance(error, TimeoutError):
            start_error = ProviderTimeoutError(seconds=self._settings.timeout, provider=self.name)
        elif self._settings.find_executable() is None:
            start_error = CodexNotFoundError(str(self._settings.executable))
        elif error.errno in _TRANSIENT_ERRNOS:
            start_error = ProviderCrashError(f"Codex could not be started: {error}", provider=self.name)
        else:
            start_error = self._settings.start_error(error, provider=self.name)
        start_error.thread_id = thread_id
        return start_error


def _prepare(home: CodexHome, instructions: str, key: str) -> Path:
    home.prepare(key)
    return home.instructions_file(instructions)


def _delete_failed_turn(home: CodexHome, *, started: str, resumed: str, key: str) -> None:
    """Delete what is left of a turn that cannot be resumed.

    Args:
        home: the folders of the processes.
        started: the thread that Codex started; possibly not the one to resume.
        resumed: the thread to resume; empty for a first turn.
        key: the conversation.
    """
    home.delete_conversation(started, key)
    home.delete_conversation(resumed, key)


def _text_field(session: JSON, name: str) -> str:
    value = session.get(name) if isinstance(session, Mapping) else None
    return value if isinstance(value, str) else ""


def _key(session: JSON) -> str:
    """Return the name of the conversation's folders; an invalid name must not become a path."""
    key = _text_field(session, "key")
    return key if is_key(key) else new_key()


def _usage(session: JSON) -> Mapping[str, int] | None:
    usage = session.get("usage") if isinstance(session, Mapping) else None
    if not isinstance(usage, Mapping):
        return None
    return {name: tokens for name, tokens in usage.items() if isinstance(tokens, int)}


def _reply(outcome: TurnOutcome, *, before: Mapping[str, int] | None, key: str) -> Reply:
    session: JSON = {"thread_id": outcome.thread_id, "usage": dict(outcome.usage), "key": key}
    return Reply(outcome.text, session, usage_delta(before, outcome.usage))
