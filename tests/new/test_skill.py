"""The skill for coding agents: its commands run as they are printed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

import yemot_ai.cli.main as main_module
from yemot_ai_testing import FakeCodex

SKILL = files("yemot_ai") / ".agents" / "skills" / "yemot-line" / "SKILL.md"
LIMIT = 80
"""Lines: an agent reads all of it for each task."""

_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def commands(text: str) -> list[str]:
    lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A working directory, in which no phone is left."""
    yield tmp_path
    for state in tmp_path.rglob(".yemot-phone.json"):
        state.unlink()  # the process of the phone ends with it


@pytest.mark.slow
def test_each_command_of_the_skill_runs_in_its_order(folder: Path, fake_codex: FakeCodex) -> None:
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    for command in commands(SKILL.read_text(encoding="utf-8")):
        if command.startswith("cd "):
            folder /= command.removeprefix("cd ")
            continue
        result = subprocess.run(
            shlex.split(command), cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    assert (folder / "opening-hours.call.yaml").is_file()


def test_the_skill_names_itself_and_when_to_use_it() -> None:
    text = SKILL.read_text(encoding="utf-8")
    assert text.startswith("---\nname: yemot-line\ndescription: ")
    assert "Use when" in text.splitlines()[2]
    assert text.count("\n") <= LIMIT


def test_each_command_that_the_project_describes_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main_module.main(["new", "library"]) == 0
    known = {*main_module.COMMANDS, *main_module.PLUGIN_COMMANDS}
    for name in ("README.md", "AGENTS.md", ".env.example"):
        text = (tmp_path / "library" / name).read_text(encoding="utf-8")
        used = set(re.findall(r"(?:^\$ |`|; )yemot-ai ([a-z][a-z-]+)", text, re.MULTILINE))
        assert used <= known, name
