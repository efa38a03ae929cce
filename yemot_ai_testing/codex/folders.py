"""The folders and the environment of one Codex process, separate from those of the user."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from yemot_ai_testing.doubles.model_service.server import CODEX_KEY_VARIABLE

__all__ = ["TIMEOUT", "folder_placeholders", "isolated_environment", "make_folders", "version_of"]

TIMEOUT: Final = 30.0
"""Seconds that a run may take in a studio."""

_DEAD_PROXY: Final = "http://127.0.0.1:9"
"""Where whatever would leave this machine ends."""


def make_folders(folder: Path) -> Path:
    """The folder, with the folders that a run needs."""
    for part in ("home", "user", "work"):
        (folder / part).mkdir()
    return folder


def isolated_environment(folder: Path) -> dict[str, str]:
    """The whole environment of a run whose homes lie in ``folder``."""
    closed = {"HTTPS_PROXY": _DEAD_PROXY, "ALL_PROXY": _DEAD_PROXY, "NO_PROXY": "127.0.0.1"}
    homes = {"HOME": str(folder / "user"), "CODEX_HOME": str(folder / "home")}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", CODEX_KEY_VARIABLE: "none", **closed, **homes}


def folder_placeholders(folder: Path) -> dict[str, str]:
    """What stands in a recording for the folders of its run."""
    return {str(folder): "{folder}", tempfile.gettempdir(): "{temporary}"}


def version_of(executable: Path) -> str:
    """The version that an executable says it is.

    Raises:
        ValueError: it does not say, so it is hardly a Codex.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = make_folders(Path(name).resolve())
        try:
            said = subprocess.run(  # noqa: S603 - the binary to record
                [executable, "--version"],
                check=True,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                env=isolated_environment(folder),
                timeout=TIMEOUT,
            ).stdout.split()
        except (OSError, subprocess.SubprocessError) as error:
            raise ValueError(f"{executable} does not tell its version: {error}") from error
    if not said:
        raise ValueError(f"{executable} does not tell its version")
    return said[-1]
