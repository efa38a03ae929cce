"""The options that both Codex providers have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from yemot_ai.errors import CodexNotFoundError, ProviderError
from yemot_ai.providers.codex.executable import find_executable
from yemot_ai.providers.codex.home import CodexHome
from yemot_ai.providers.codex.prompts import DEFAULT_INSTRUCTIONS
from yemot_ai.providers.codex.secrets import redact_secrets

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from yemot_ai.providers.codex.command import Setting

__all__ = ["CodexSettings"]


@dataclass(frozen=True, slots=True)
class CodexSettings:
    """Options of ``CodexCLIProvider`` and ``CodexAppServerProvider``, documented there."""

    executable: str | os.PathLike[str]
    timeout: float
    instructions: str | None
    model: str | None
    sandbox: str
    codex_home: str | os.PathLike[str] | None
    config: Mapping[str, Setting] = field(repr=False)
    env: Mapping[str, str] = field(repr=False)

    @property
    def home(self) -> CodexHome:
        """The folders of the processes, according to the current environment."""
        return CodexHome.for_codex_home(self.codex_home)

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of a process."""
        return self.home.environment(self.env)

    def find_executable(self) -> Path | None:
        """Return the executable without running it; None if it was not found."""
        return find_executable(str(self.executable), path=self.env.get("PATH"))

    def check(self) -> Path:
        """Find the executable, without running it.

        Raises:
            CodexNotFoundError: it was not found; the message says how to install it.
        """
        path = self.find_executable()
        if path is None:
            raise CodexNotFoundError(str(self.executable))
        return path

    def instructions_for(self, instructions: str | None) -> str:
        """Return ``instructions``, else the provider's, else the default."""
        return instructions or self.instructions or DEFAULT_INSTRUCTIONS

    def redact_secrets(self) -> AbstractContextManager[None]:
        """Remove secrets of these settings from every ``ProviderError`` that the block raises."""
        return redact_secrets(self.environment, self.config)

    def start_error(self, error: OSError, *, provider: str) -> ProviderError:
        """Return the error for a process that could not be started, for a permanent reason."""
        message = (
            f"Codex could not be started: {error}; its folders: {self.home.root} (YEMOT_AI_HOME moves them)"
        )
        return ProviderError(message, provider=provider)
