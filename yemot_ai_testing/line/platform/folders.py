"""Resolve the targets of ``go_to_folder``: extensions are folders, written without outer slashes.

    >>> resolve("ai_agent", "..")
    ''
    >>> resolve("1", "2/3")
    '1/2/3'
    >>> resolve("1/2", "../5")
    '1/5'

Source: [OFF] the target forms of the official texts on the API module and on global settings.
"""

from __future__ import annotations

__all__ = ["HANGUP", "display_path", "parent", "resolve", "strip_slashes"]

HANGUP = "hangup"


def strip_slashes(extension: str) -> str:
    """Return ``extension`` as the line sends it: no outer slashes, the root is empty."""
    return extension.strip("/")


def display_path(extension: str) -> str:
    """Return ``extension`` with a leading slash: ``/`` for the root, ``/1/2``."""
    return f"/{extension}"


def parent(extension: str) -> str | None:
    """Return the folder one level up, or None at the root."""
    if not extension:
        return None
    return extension.rpartition("/")[0]


def resolve(current: str, target: str) -> str | None:
    """Return the extension that ``target`` means, relative to ``current``.

    Args:
        current: the extension the caller is in (``""`` is the root).
        target: ``/``, ``/1/1``, ``1`` (a child), ``.``, ``..``, ``../..``, ``../1`` or ``hangup``.

    Returns:
        The extension, or None when the call ends: for ``hangup``, and above the root.
    """
    if target == HANGUP:
        return None
    steps = [] if target.startswith("/") or not current else current.split("/")
    for step in target.split("/"):
        if step == "..":
            if not steps:
                return None
            steps.pop()
        elif step not in {"", "."}:
            steps.append(step)
    return "/".join(steps)
