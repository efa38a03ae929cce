"""Find the Codex executable on ``PATH`` or in a Python package."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from pathlib import Path

__all__ = ["find_executable"]

_PACKAGE = "codex_cli_bin"
"""The package that ``openai-codex-cli-bin`` installs; it puts nothing on ``PATH`` (measured, 0.163.0)."""


def find_executable(executable: str, *, path: str | None = None) -> Path | None:
    """Find an executable, without running it.

    Args:
        executable: a name or a path.
        path: the folders in which to look up a name; ``PATH`` by default.

    Returns:
        Its path, or None.
    """
    path_found = shutil.which(executable, path=path)
    if path_found is not None:
        # Not resolved: the target of a link may be a program that looks at its name.
        return Path(path_found).absolute()
    if executable == "codex" and importlib.util.find_spec(_PACKAGE) is not None:
        return Path(importlib.import_module(_PACKAGE).bundled_codex_path())
    return None
