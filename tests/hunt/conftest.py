"""A project of a developer, whose modules are hunted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Project = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return what writes a module of a project, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two versions of a second have equal times

    def write_module(name: str, source: str) -> None:
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")

    return write_module
