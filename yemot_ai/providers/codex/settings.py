"""The options that both Codex providers have."""

from __future__ import annotations

import asyncio
import errno
from contextlib import asynccontextmanager
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypedDict

from yemot_ai.errors import (
    CodexNotFoundError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
)
from yemot_ai.providers.codex.capabilities import probe
from yemot_ai.providers.codex.command import Program, is_private, safety_settings
from yemot_ai.providers.codex.executable import find_executable
from yemot_ai.providers.codex.home.folders import CodexHome
from yemot_ai.providers.codex.home.settings_file import nested_settings
from yemot_ai.providers.codex.mcp_servers import mcp_settings
from yemot_ai.providers.codex.prompts import DEFAULT_INSTRUCTIONS
from yemot_ai.providers.codex.secrets import redact_secrets
from yemot_ai.providers.codex.system_settings import check_enforced_settings, machine_overrides
from yemot_ai.validation import check_number

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from yemot_ai.providers.codex.command import Setting
    from yemot_ai.providers.codex.mcp_servers import MCPServer

__all__ = ["CodexOptions", "CodexSettings"]

_TRANSIENT_ERRNOS: Final = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""Errors after which a process may start a moment later."""


class CodexOptions(TypedDict, total=False):
    """Keyword arguments of ``CodexCLIProvider`` and ``CodexAppServerProvider``.

    Keys:
        timeout: seconds for a whole turn, with all waiting in it (60.0); without network Codex would
            retry for ever.
        instructions: how to answer a turn that has no instructions.
        model: the model's name; None for Codex's own choice.
        sandbox: what commands of the model may do: ``read-only`` (the default), ``workspace-write`` …
        codex_home: the ``CODEX_HOME`` of the processes; None for a private home with only the login in it.
        config: further settings, as in ``codex -c key=value``; texts are passed in a private file or over
            standard input, because other users of the machine can read arguments.
        env: variables to add to the minimal environment of the processes.
        mcp_servers: your MCP servers by name, as tools of the model; none by default. Their tools run without
            a question, and are not run at most once.
        max_requests: maximum requests to the model in one turn (30), about: an answer takes one, and one more
            for each call of a tool. Then the turn ends with ``AnswerCutError``.
    """

    timeout: float
    instructions: str | None
    model: str | None
    sandbox: str
    codex_home: str | os.PathLike[str] | None
    config: Mapping[str, Setting] | None
    env: Mapping[str, str] | None
    mcp_servers: Mapping[str, MCPServer] | None
    max_requests: int


@dataclass(frozen=True, slots=True)
class CodexSettings:
    """The executable, and the values of ``CodexOptions``."""

    executable: str | os.PathLike[str]
    timeout: float = 60.0
    instructions: str | None = None
    model: str | None = None
    sandbox: str = "read-only"
    codex_home: str | os.PathLike[str] | None = None
    config: InitVar[Mapping[str, Setting] | None] = None
    env: InitVar[Mapping[str, str] | None] = None
    mcp_servers: InitVar[Mapping[str, MCPServer] | None] = None
    max_requests: int = 30
    further_settings: Mapping[str, Setting] = field(init=False, repr=False)
    variables: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(
        self,
        config: Mapping[str, Setting] | None,
        env: Mapping[str, str] | None,
        mcp_servers: Mapping[str, MCPServer] | None,
    ) -> None:
        object.__setattr__(self, "further_settings", {**(config or {}), **mcp_settings(mcp_servers)})
        object.__setattr__(self, "variables", dict(env or {}))
        check_number("max_requests", self.max_requests, "a whole number above 0", whole=True)

    @property
    def home(self) -> CodexHome:
        """The folders of the processes, according to the current environment."""
        return CodexHome.for_codex_home(self.codex_home)

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of a process."""
        return self.home.environment(self.variables)

    def find_executable(self) -> Path | None:
        """Return the executable without running it; None if it was not found."""
        return find_executable(str(self.executable), path=self.variables.get("PATH"))

    def check(self) -> Path:
        """Find the executable, without running it.

        Raises:
            CodexNotFoundError: it was not found; the message says how to install it.
            ProviderError: settings that this machine enforces would reach callers.
        """
        path = self.find_executable()
        if path is None:
            raise CodexNotFoundError(str(self.executable))
        check_enforced_settings(safety_settings())
        return path

    async def program(self, executable: Path, key: str) -> Program:
        """Return ``executable`` with what its commands get in the folders of the conversation ``key``."""
        home = self.home
        env, cwd = self.environment, home.work_dir(key)
        capabilities = await probe(str(executable), env=env, cwd=cwd)
        # In a home of the user, the settings of the machine hold as usual.
        own = self.private_settings.get("mcp_servers", {})
        machine = (
            await machine_overrides(str(executable), env=env, cwd=cwd, own=own) if home.is_private else {}
        )
        models = await asyncio.to_thread(home.models_file, capabilities.models)
        private = self._private
        public = {name: value for name, value in self.further_settings.items() if name not in private}
        return Program(
            str(executable),
            capabilities,
            databases=home.databases_dir(key),
            models=models,
            config={**machine, **public},
            private=frozenset(private),
        )

    @property
    def private_settings(self) -> dict[str, Any]:
        """The settings that must not be arguments of a process, as nested tables."""
        return nested_settings(self._private)

    @property
    def _private(self) -> dict[str, Setting]:
        return {name: value for name, value in self.further_settings.items() if is_private(name, value)}

    def instructions_for(self, instructions: str | None) -> str:
        """Return ``instructions``, else the provider's, else the default."""
        return instructions or self.instructions or DEFAULT_INSTRUCTIONS

    @asynccontextmanager
    async def turn(self, *, provider: str) -> AsyncIterator[None]:
        """Limit the time of a turn, and turn all errors of the block into ``ProviderError``.

        Args:
            provider: the provider's name, for the errors.

        Raises:
            ProviderError: without the secrets of these settings.
        """
        try:
            with redact_secrets(self.environment, self.further_settings):
                async with self._deadline():
                    yield
        except ProviderError as error:
            error.provider = provider
            raise
        except TimeoutError as error:
            raise ProviderTimeoutError(seconds=self.timeout, provider=provider) from error
        except OSError as error:
            raise self._start_error(error, provider) from error

    def _deadline(self) -> asyncio.Timeout:
        """Return the time limit of a whole turn."""
        return asyncio.timeout(self.timeout)

    def _start_error(self, error: OSError, provider: str) -> ProviderError:
        """Return the error for a process that could not be started."""
        if self.find_executable() is None:
            return CodexNotFoundError(str(self.executable))
        message = f"Codex could not be started: {error}"
        if error.errno in _TRANSIENT_ERRNOS:
            return ProviderCrashError(message, provider=provider)
        folders = f"its folders: {self.home.root} (YEMOT_AI_HOME moves them)"
        return ProviderError(f"{message}; {folders}", provider=provider)
