"""A fresh home for a Codex process, and an environment that keeps it on this machine."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from yemot_ai_testing.doubles.model_service.server import CODEX_KEY_VARIABLE
from yemot_ai_testing.processes.child import ChildProcess

__all__ = ["TIMEOUT", "CodexHome", "fresh_home", "isolated_environment", "reported_version", "version_of"]

TIMEOUT: Final = 30.0
"""Seconds that a recorded run may take."""

_DEAD_PROXY: Final = "http://127.0.0.1:9"
"""A proxy that refuses connections, so that nothing leaves this machine."""


@dataclass(frozen=True, slots=True)
class CodexHome:
    """The folders of a Codex process.

    Attributes:
        folder: contains the others.
        home: its ``CODEX_HOME``.
        user: its ``HOME``.
        work: its working folder, outside of any repository.
    """

    folder: Path
    home: Path
    user: Path
    work: Path

    def environment(self, path: str = os.defpath) -> dict[str, str]:
        """Return the whole environment of the process, with this ``PATH``."""
        return isolated_environment(self.home, self.user, path)

    @property
    def placeholders(self) -> dict[str, str]:
        """The placeholders for the folders in a recording."""
        return {str(self.folder): "{folder}", tempfile.gettempdir(): "{temporary}"}


@contextmanager
def fresh_home() -> Iterator[CodexHome]:
    """Create the folders; they are removed at the end of the context."""
    with tempfile.TemporaryDirectory(prefix="yemot-ai-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        home = CodexHome(folder, *(folder / part for part in ("home", "user", "work")))
        for part in (home.home, home.user, home.work):
            part.mkdir()
        yield home


def isolated_environment(home: Path, user: Path, path: str = os.defpath) -> dict[str, str]:
    """Return an environment with these ``CODEX_HOME``, ``HOME`` and ``PATH``, without key and network."""
    proxies = {"HTTPS_PROXY": _DEAD_PROXY, "ALL_PROXY": _DEAD_PROXY, "NO_PROXY": "127.0.0.1"}
    homes = {"HOME": str(user), "CODEX_HOME": str(home)}
    return {"PATH": path, "LANG": "C.UTF-8", CODEX_KEY_VARIABLE: "none", **proxies, **homes}


def reported_version(executable: Path) -> str:
    """Return the version that an executable reports; empty if it reports none.

    Raises:
        OSError: if it cannot be run, or does not end.
    """
    command = [str(executable), "--version"]
    with fresh_home() as home:
        env = home.environment(os.environ.get("PATH", os.defpath))
        with ChildProcess(command, env=env, stdin=subprocess.DEVNULL) as process:
            exit_code = process.wait(TIMEOUT)
    words = process.stdout.decode("utf-8", "replace").split()
    return words[-1] if exit_code == 0 and words and words[-1][:1].isdigit() else ""


def version_of(executable: Path) -> str:
    """Return the version that an executable reports.

    Raises:
        ValueError: if it reports none.
    """
    try:
        version = reported_version(executable)
    except OSError as error:
        raise ValueError(f"{executable} does not report its version: {error}") from error
    if not version:
        raise ValueError(f"{executable} does not report its version")
    return version
