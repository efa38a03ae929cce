"""Extensions are folders, written without outer slashes.

>>> display_path(""), display_path("1/2"), parent("1/2")
('/', '/1/2', '1')
"""

from __future__ import annotations

__all__ = ["display_path", "parent", "strip_slashes"]


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
