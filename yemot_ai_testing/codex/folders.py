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
"""Seconds that a recorded run may take."""

_DEAD_PROXY: Final = "http://127.0.0.1:9"
"""A proxy that refuses connections, so that nothing leaves this machine."""


def make_folders(folder: Path) -> Path:
    """Create the subfolders that a run needs; return ``folder``."""
    for part in ("home", "user", "work"):
        (folder / part).mkdir()
    return folder


def isolated_environment(folder: Path) -> dict[str, str]:
    """Return the whole environment of a run whose homes are in ``folder``."""
    proxies = {"HTTPS_PROXY": _DEAD_PROXY, "ALL_PROXY": _DEAD_PROXY, "NO_PROXY": "127.0.0.1"}
    homes = {"HOME": str(folder / "user"), "CODEX_HOME": str(folder / "home")}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", CODEX_KEY_VARIABLE: "none", **proxies, **homes}


def folder_placeholders(folder: Path) -> dict[str, str]:
    """Return the placeholders for the folders of a run."""
    return {str(folder): "{folder}", tempfile.gettempdir(): "{temporary}"}


def version_of(executable: Path) -> str:
    """Return the version that an executable reports.

    Raises:
        ValueError: if it reports none.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = make_folders(Path(name).resolve())
        try:
            words = subprocess.run(  # noqa: S603 - the binary to record
                [executable, "--version"],
                check=True,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                env=isolated_environment(folder),
                timeout=TIMEOUT,
            ).stdout.split()
        except (OSError, subprocess.SubprocessError) as error:
            raise ValueError(f"{executable} does not report its version: {error}") from error
    if not words:
        raise ValueError(f"{executable} does not report its version")
    return words[-1]
