"""What a developer chooses of Codex, whichever way it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from yemot_ai.errors import CodexNotFoundError, ProviderError
from yemot_ai.providers.codex.executable import find
from yemot_ai.providers.codex.home import Home
from yemot_ai.providers.codex.prompts import INSTRUCTIONS
from yemot_ai.providers.codex.secrets import kept_secret

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from yemot_ai.providers.codex.command import Setting

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
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
    def home(self) -> Home:
        """The folders of the processes, as the environment has them now."""
        return Home.at(self.codex_home)

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of a process."""
        return self.home.environment(self.env)

    def found(self) -> Path | None:
        """The executable, without running it; None if there is none."""
        return find(str(self.executable), path=self.env.get("PATH"))

    def check(self) -> Path:
        """Find the executable, without running it.

        Raises:
            CodexNotFoundError: there is none; the message says how to install it.
        """
        found = self.found()
        if found is None:
            raise CodexNotFoundError(str(self.executable))
        return found

    def told(self, instructions: str | None) -> str:
        """How to answer a turn that brings these instructions, or none."""
        return instructions or self.instructions or INSTRUCTIONS

    def kept_secret(self) -> AbstractContextManager[None]:
        """Leave what is secret here out of every ``ProviderError`` that is raised inside."""
        return kept_secret(self.environment, self.config)

    def unstarted(self, error: OSError, *, provider: str) -> ProviderError:
        """Return what to say where a process could not be started, for a reason that stays."""
        message = (
            f"Codex could not be started: {error}; its folders: {self.home.root} (YEMOT_AI_HOME moves them)"
        )
        return ProviderError(message, provider=provider)
