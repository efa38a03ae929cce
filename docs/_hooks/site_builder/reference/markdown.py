"""Parts of a page in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["code", "default", "document", "table"]


def document(title: str, introduction: str, *parts: str) -> str:
    """Return a page; parts that are empty are left out."""
    return "\n\n".join([f"# {title}", introduction, *filter(None, parts)]) + "\n"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, or nothing without rows."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines) if len(lines) > 2 else ""  # noqa: PLR2004 - headers and rule


def code(text: str) -> str:
    """Return ``text`` as inline code; nothing stays nothing."""
    return f"`{text}`" if text else ""


def default(value: object) -> str:
    """Return a default as inline code, without addresses of objects."""
    if callable(value):
        return code(getattr(value, "__name__", type(value).__name__))
    return code(str(value) if isinstance(value, str) and value else repr(value))


def _cell(text: str) -> str:
    return " ".join(text.replace("``", "`").replace("|", r"\|").split())
