"""Where the Codex executable is: on ``PATH``, or inside the Python package that brings it."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from pathlib import Path

__all__ = ["find_executable"]

_PACKAGE = "codex_cli_bin"
"""What ``openai-codex-cli-bin`` installs; it puts nothing on ``PATH`` (measured, 0.163.0)."""


def find_executable(executable: str, *, path: str | None = None) -> Path | None:
    """Find an executable, without running it.

    Args:
        executable: a name or a path.
        path: the folders to look a name up in; ``PATH`` unless given.

    Returns:
        Its path, or None.
    """
    found = shutil.which(executable, path=path)
    if found is not None:
        # Not resolved: a link may lead to a program that goes by the name it is called.
        return Path(found).absolute()
    if executable == "codex" and importlib.util.find_spec(_PACKAGE) is not None:
        return Path(importlib.import_module(_PACKAGE).bundled_codex_path())
    return None
