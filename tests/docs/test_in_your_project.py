"""The files of ``docs/in-your-project.md`` are a project, and the commands of its CI jobs pass there."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.test_examples import ROOT, Block, blocks_of

PAGE = ROOT / "docs" / "in-your-project.md"
INSTALL = "python -m pip install "


def jobs() -> list[Block]:
    """Return the blocks with commands of CI."""
    return [block for block in blocks_of(PAGE, "yaml", "console") if "ci" in block.notes]


def commands_of(block: Block) -> list[str]:
    """Return the commands of a job that come after the installation."""
    if block.language == "console":
        return [line.removeprefix("$ ") for line in block.code.splitlines()]
    document: dict[str, Any] = yaml.safe_load(block.code)
    if "jobs" in document:
        steps = [step["run"] for job in document["jobs"].values() for step in job["steps"] if "run" in step]
    else:
        steps = [command for job in document.values() for command in job["script"]]
    return [step for step in steps if not step.startswith(INSTALL)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the files of the page."""
    for block in blocks_of(PAGE, "python", "yaml", "toml"):
        if "file" in block.notes:
            path = tmp_path / block.notes["file"]
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.code, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("block", jobs(), ids=["shell", "github", "gitlab"])
def test_the_commands_of_a_job_pass_in_the_project(block: Block, project: Path) -> None:
    commands = commands_of(block)
    assert commands
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    for command in commands:
        run = subprocess.run(
            shlex.split(command),
            cwd=project,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        passed = "1 passed" if "--yemot-scenario" in command else "2 passed"
        assert passed in run.stdout
