"""Move out of the private home what Codex would obey there: settings, instructions, skills, hooks.

A restored backup, a copy of ``~/.codex`` or an interactive Codex can put such files into it. Measured
(0.171): the MCP servers and features of ``config.toml``, ``AGENTS.md``, memories and the variables
of ``.env`` reach every caller, and ``codex app-server`` has no option against them.
"""

from __future__ import annotations

import fnmatch
import logging
import os
import shutil
import tomllib
from pathlib import Path
from typing import Final

from yemot_ai.providers.codex.home.settings_file import PROFILE_PREFIX

__all__ = ["delete", "move_out", "replace_link"]

log = logging.getLogger("yemot_ai")

_OBEYED: Final = (
    "*.toml",
    "AGENTS*.md",
    ".env",
    "hooks.json",
    "agents",
    "hooks",
    "memories",
    "plugins",
    "prompts",
    "rules",
    "skills",
)
"""Names of files and folders that are settings of Codex; with its defaults it creates none of them."""


def replace_link(codex_home: Path) -> None:
    """Delete a symbolic link in place of the private home: it may lead to the home of the user."""
    if codex_home.is_symlink():
        log.warning("%s was a link to %s: Codex gets a folder instead", codex_home, codex_home.resolve())
        codex_home.unlink(missing_ok=True)


def move_out(codex_home: Path, ignored: Path, *, work: Path) -> None:
    """Move the settings in a private home to another folder, in place of earlier ones of the same name.

    Args:
        codex_home: the private home.
        ignored: the folder that gets them; it is created when it is needed.
        work: the folder of the working folders. What Codex has noted about these is deleted: ``codex
            app-server`` trusts one that it may write to (measured, 0.142).
    """
    for path in codex_home.iterdir():
        if path.name.startswith(PROFILE_PREFIX):
            # Codex reads one only if a command names it; its content is checked then.
            continue
        if path.name == "config.toml" and _trusts_only(path, work):
            path.unlink(missing_ok=True)
        elif any(fnmatch.fnmatchcase(path.name, pattern) for pattern in _OBEYED):
            _move(path, ignored / path.name)


def delete(path: Path) -> None:
    """Delete a file or a folder, if it is there; of a symbolic link only the link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _trusts_only(settings: Path, work: Path) -> bool:
    """Return whether a file of settings has nothing but the trust in folders below ``work``."""
    if settings.is_symlink():
        return False
    try:
        content = tomllib.loads(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    projects = content.pop("projects", None)
    if content or not isinstance(projects, dict):
        return False
    ours = {work, work.resolve()}  # Codex writes a path without symbolic links
    return all(
        ours & {*Path(os.path.normpath(folder)).parents}
        and isinstance(project, dict)
        and project.keys() == {"trust_level"}
        for folder, project in projects.items()
    )


def _move(path: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, exist_ok=True)
    delete(target)
    try:
        shutil.move(path, target)
    except FileNotFoundError:
        # A concurrent turn has moved it.
        return
    log.warning(
        "%s would have reached callers and was moved to %s; give settings to the provider (config=…), or a "
        "codex_home of your own",
        path,
        target,
    )
