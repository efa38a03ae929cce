"""Answers out of the Codex CLI: one ``codex exec --json`` process a turn.

    provider = CodexCLIProvider(timeout=45.0)
    reply = await provider.start_session("מה השעה?", instructions="ענה במשפט אחד")
    reply = await provider.continue_session(reply.session, "ובלונדון?")

What is safe for a phone line is switched on from the start: see ``command`` and ``home``.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai.errors import (
    CodexNotFoundError,
    MalformedStreamError,
    ProviderCrashError,
    ProviderTimeoutError,
    SessionLostError,
)
from yemot_ai.providers.codex.command import command
from yemot_ai.providers.codex.events import EventReader, usage_between
from yemot_ai.providers.codex.home import Home, is_thread_id
from yemot_ai.providers.codex.probe import known
from yemot_ai.providers.codex.process import LineTooLongError, run
from yemot_ai.providers.provider import Reply

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from yemot_ai.providers.codex.command import Setting
    from yemot_ai.providers.codex.events import Outcome
    from yemot_ai.providers.provider import JSON, Exchange

__all__ = ["CodexCLIProvider"]

_INSTRUCTIONS: Final = (
    "You answer a phone call. Answer briefly, in the caller's language, in plain sentences."
)


class CodexCLIProvider:
    """A provider that runs the Codex CLI for each turn.

    A session is ``{"thread_id": …, "usage": {…}}``: Codex's name for the conversation, and its counters,
    which run over the whole conversation.

    Args:
        executable: a name that is looked up on ``PATH`` at each turn, or a path.
        timeout: seconds for a whole turn; without a way out Codex would try for ever.
        instructions: how to answer, where a turn brings no instructions of its own.
        model: the model's name; None for Codex's own choice.
        sandbox: what commands of the model may do: ``read-only``, ``workspace-write`` …
        codex_home: the ``CODEX_HOME`` of the processes; None for a home of ours, with only the login in it.
        config: further settings, as in ``codex -c key=value``.
        env: what the processes need besides the minimal environment.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own
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
        self._executable = str(executable)
        self._timeout = timeout
        self._instructions = instructions
        self._model = model
        self._sandbox = sandbox
        self._codex_home = codex_home
        self._config = dict(config or {})
        self._env = dict(env or {})

    @property
    def name(self) -> str:
        """``codex``."""
        return "codex"

    def check(self) -> Path:
        """Find the executable, without running it.

        Raises:
            CodexNotFoundError: there is none; the message says how to install it.
        """
        found = shutil.which(self._executable, path=self._env.get("PATH"))
        if found is None:
            raise CodexNotFoundError(self._executable)
        # Not resolved: a link may lead to a program that goes by the name it is called.
        return Path(found).absolute()

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        """Answer the first utterance of a conversation, in a new thread.

        Args:
            prompt: what the caller said.
            instructions: how to answer; they replace Codex's own prompt.
            history: earlier exchanges, told to the model before the prompt.

        Raises:
            CodexNotFoundError: there is no such executable.
            ProviderTimeoutError: the deadline passed; the process is gone.
            ProviderError: the leaf that tells what went wrong (see ``faults``).
        """
        outcome = await self._turn(_with_history(prompt, history), instructions, thread_id="")
        return _reply(outcome, before={})

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        """Answer a further utterance in the thread of ``session``.

        Raises:
            SessionLostError: Codex does not know the thread any more.
            SessionBusyError: another process is writing to the thread.
            ProviderError: as in ``start_session``.
        """
        thread_id = _thread_id(session)
        if not is_thread_id(thread_id):
            # Codex would silently start a new thread for such a name, and answer without a memory.
            raise SessionLostError(
                f"{thread_id!r} is not a Codex thread", thread_id=thread_id, provider=self.name
            )
        outcome = await self._turn(prompt, instructions, thread_id=thread_id)
        return _reply(outcome, before=_usage(session))

    async def end_session(self, session: JSON) -> None:
        """Delete what Codex keeps of the thread: its rollout, lock and snapshots; nothing else."""
        await asyncio.to_thread(Home.at(self._codex_home).forget, _thread_id(session))

    async def _turn(self, prompt: str, instructions: str | None, *, thread_id: str) -> Outcome:
        executable = self.check()
        reader = EventReader()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._run(executable, prompt, instructions, thread_id, reader)
        except TimeoutError as error:
            late = ProviderTimeoutError(seconds=self._timeout, provider=self.name)
            late.thread_id = reader.thread_id or thread_id
            raise late from error
        except FileNotFoundError as error:
            raise CodexNotFoundError(self._executable) from error
        except OSError as error:
            raise ProviderCrashError(f"Codex could not be started: {error}", provider=self.name) from error

    async def _run(
        self, executable: Path, prompt: str, instructions: str | None, thread_id: str, reader: EventReader
    ) -> Outcome:
        home = Home.at(self._codex_home)
        told = instructions or self._instructions or _INSTRUCTIONS
        file = await asyncio.to_thread(_prepared, home, told)
        env = home.environment(self._env)
        line = command(
            str(executable),
            known=await known(str(executable), env=env, cwd=home.work),
            instructions=file,
            sandbox=self._sandbox,
            model=self._model,
            config=self._config,
            thread_id=thread_id,
        )
        data = prompt.encode("utf-8", "replace")
        try:
            end = await run(line, stdin=data, receive=reader.feed, env=env, cwd=home.work)
        except LineTooLongError as error:
            raise MalformedStreamError(f"Codex wrote {error}", provider=self.name) from error
        return reader.conclude(exit_code=end.exit_code, stderr_tail=end.stderr_tail, expected=thread_id)


def _prepared(home: Home, instructions: str) -> Path:
    home.prepare()
    return home.instructions_file(instructions)


def _with_history(prompt: str, history: Sequence[Exchange]) -> str:
    """The first prompt of a rebuilt conversation."""
    if not history:
        return prompt
    told = [f"Caller: {earlier.prompt}\nYou: {earlier.answer}" for earlier in history]
    return "\n\n".join(
        ("This phone call is already under way. What was said so far:", *told, "Now the caller says:", prompt)
    )


def _thread_id(session: JSON) -> str:
    thread_id = session.get("thread_id") if isinstance(session, Mapping) else None
    return thread_id if isinstance(thread_id, str) else ""


def _usage(session: JSON) -> Mapping[str, int] | None:
    usage = session.get("usage") if isinstance(session, Mapping) else None
    if not isinstance(usage, Mapping):
        return None
    return {name: tokens for name, tokens in usage.items() if isinstance(tokens, int)}


def _reply(outcome: Outcome, *, before: Mapping[str, int] | None) -> Reply:
    session: JSON = {"thread_id": outcome.thread_id, "usage": dict(outcome.usage)}
    return Reply(outcome.text, session, usage_between(before, outcome.usage))
