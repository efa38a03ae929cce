"""The instructions of a run are those that its process has read."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from yemot_ai_testing import FakeCodex
from yemot_ai_testing.codex.real import RealCodex
from yemot_ai_testing.codex.sandbox import CodexDouble


def ask_with_instructions(codex: CodexDouble, folder: Path) -> str | None:
    file = folder / "instructions.md"
    file.write_text("ענה בקצרה", encoding="utf-8")
    setting = f"model_instructions_file={json.dumps(str(file))}"
    command = [str(codex.executable), "exec", "--skip-git-repo-check", "-c", setting, "-"]
    subprocess.run(command, input="מי שם?".encode(), capture_output=True, check=True)
    file.unlink()
    return codex.requests[0].instructions


def test_the_instructions_are_known_after_their_file_was_deleted(tmp_path: Path) -> None:
    with FakeCodex().answers("כן") as codex:
        assert ask_with_instructions(codex, tmp_path) == "ענה בקצרה"


@pytest.mark.slow
def test_the_same_with_the_real_codex(real_binary: Path, tmp_path: Path) -> None:
    with RealCodex(real_binary).answers("כן") as codex:
        assert ask_with_instructions(codex, tmp_path) == "ענה בקצרה"
