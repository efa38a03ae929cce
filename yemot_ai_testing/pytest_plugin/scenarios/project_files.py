"""Finds the scenario files of a project, and names the folders that they are in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from yemot_ai_testing.pytest_plugin.option_table import SCENARIO_SUFFIX

__all__ = ["files_of", "folder_name", "folders_of", "project_files"]

_MAX_DEPTH: Final = 4
"""Levels of folders that are searched below the root of a project."""


def files_of(path: Path) -> list[Path]:
    """Return a scenario file, or those of a folder."""
    return [path] if path.is_file() else list(path.rglob(f"*{SCENARIO_SUFFIX}"))


def project_files(root: Path, ignored: Sequence[str], depth: int = _MAX_DEPTH) -> Iterator[Path]:
    """Yield the scenario files of a project.

    Args:
        root: its folder.
        ignored: patterns of names of folders that are not searched; virtual environments are not, either.
        depth: levels of folders below it that are searched.
    """
    for path in map(Path, sorted(os.scandir(root), key=lambda entry: entry.name)):
        if path.name.endswith(SCENARIO_SUFFIX):
            yield path
        elif depth and path.is_dir() and not path.is_symlink() and not _is_ignored(path, ignored):
            yield from project_files(path, ignored, depth - 1)


def _is_ignored(folder: Path, ignored: Iterable[str]) -> bool:
    is_readable = os.access(folder, os.R_OK | os.X_OK)
    is_environment = (folder / "pyvenv.cfg").exists() if is_readable else False
    return not is_readable or is_environment or any(fnmatch(folder.name, pattern) for pattern in ignored)


def folders_of(files: Iterable[Path], root: Path) -> list[str]:
    """Return the folders that have all these files, relative to ``root``, none of them inside of another."""
    found = {file.parent for file in files}
    outer = {folder for folder in found if not found & set(folder.parents)}
    return sorted(_relative(folder, root) for folder in outer)


def folder_name(path: Path, root: Path) -> str:
    """Return how a message names a file or a folder of a project."""
    return f"{_relative(path, root)}/" if path.is_dir() else _relative(path, root)


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
