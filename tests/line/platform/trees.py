"""Trees of ``ext.ini`` files."""

from __future__ import annotations

from pathlib import Path

__all__ = ["api", "tree", "write"]


def tree(folder: Path, **extensions: str) -> Path:
    """Write a tree; ``_1_2=…`` is the ext.ini of extension 1/2, ``_`` that of the root."""
    for name, text in extensions.items():
        write(folder, {f"{name.strip('_').replace('_', '/')}/ext.ini".lstrip("/"): text})
    return folder


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files by path."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def api(link: str, *more: str) -> str:
    """Return an ext.ini of an API extension."""
    return "\n".join(["type=api", f"api_link={link}", *more])
