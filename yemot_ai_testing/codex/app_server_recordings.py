"""What real servers said: a folder a version, a file of JSON lines a case.

A line is ``{"by": "client" | "server", "message": {…}}``. Ids, folders and times are scrubbed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from yemot_ai_testing.codex import recordings

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Message", "folder", "load_version", "versions"]

Message: TypeAlias = dict[str, Any]


def folder() -> Path:
    """Where the recordings lie."""
    return recordings.folder() / "app-server"


def versions() -> tuple[str, ...]:
    """The versions that were recorded."""
    return tuple(sorted(path.parent.name for path in folder().glob("*/answer.jsonl")))


def load_version(version: str) -> dict[str, list[Message]]:
    """What a server of this version said, by case; empty if it was not recorded."""
    return {path.stem: _server_messages(path) for path in sorted((folder() / version).glob("*.jsonl"))}


def _server_messages(path: Path) -> list[Message]:
    # Split at the line's end only: U+2028 may stand inside a string.
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    return [line["message"] for line in lines if line["by"] == "server"]
