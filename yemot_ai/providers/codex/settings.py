"""What a developer chooses of Codex, whichever way it is asked."""

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
    """What ``CodexCLIProvider`` and ``CodexAppServerProvider`` are both given; they say what it means."""

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
        """The folders of the processes, as the environment has them now."""
        return CodexHome.for_codex_home(self.codex_home)

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of a process."""
        return self.home.environment(self.env)

    def find_executable(self) -> Path | None:
        """The executable, without running it; None if there is none."""
        return find_executable(str(self.executable), path=self.env.get("PATH"))

    def check(self) -> Path:
        """Find the executable, without running it.

        Raises:
            CodexNotFoundError: there is none; the message says how to install it.
        """
        found = self.find_executable()
        if found is None:
            raise CodexNotFoundError(str(self.executable))
        return found

    def instructions_for(self, instructions: str | None) -> str:
        """How to answer a turn that brings these instructions, or none."""
        return instructions or self.instructions or DEFAULT_INSTRUCTIONS

    def redact_secrets(self) -> AbstractContextManager[None]:
        """Leave what is secret here out of every ``ProviderError`` that is raised inside."""
        return redact_secrets(self.environment, self.config)

    def start_error(self, error: OSError, *, provider: str) -> ProviderError:
        """Return what to say where a process could not be started, for a reason that stays."""
        message = (
            f"Codex could not be started: {error}; its folders: {self.home.root} (YEMOT_AI_HOME moves them)"
        )
        return ProviderError(message, provider=provider)
