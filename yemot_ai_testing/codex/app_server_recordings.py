"""The recordings of real app-servers: one folder for each version, one file of JSON lines for each case.

A line is ``{"by": "client" | "server", "message": {…}}``. Ids, folders and times are placeholders.
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
    """Return the folder of the recordings."""
    return recordings.folder() / "app-server"


def versions() -> tuple[str, ...]:
    """Return the recorded versions."""
    return tuple(sorted(path.parent.name for path in folder().glob("*/answer.jsonl")))


def load_version(version: str) -> dict[str, list[Message]]:
    """Return the messages of a server of this version, by case; empty if it is not recorded."""
    return {path.stem: _server_messages(path) for path in sorted((folder() / version).glob("*.jsonl"))}


def _server_messages(path: Path) -> list[Message]:
    # Split at "\n" only: a string may contain U+2028.
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    return [line["message"] for line in lines if line["by"] == "server"]
