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


def steps_of(block: Block) -> list[str]:
    """Return the commands of a job."""
    if block.language == "console":
        return [line.removeprefix("$ ") for line in block.code.splitlines()]
    document: dict[str, Any] = yaml.safe_load(block.code)
    if "jobs" in document:
        return [step["run"] for job in document["jobs"].values() for step in job["steps"] if "run" in step]
    return [command for job in document.values() for command in job["script"]]


def commands_of(block: Block) -> list[str]:
    """Return the commands of a job that come after the installation."""
    return [step for step in steps_of(block) if not step.startswith(INSTALL)]


def installations() -> set[str]:
    """Return the commands that install the project, without their option ``--quiet``."""
    consoles = [
        line.removeprefix("$ ") for block in blocks_of(PAGE, "console") for line in block.code.splitlines()
    ]
    commands = [*consoles, *(step for block in jobs() for step in steps_of(block))]
    return {command.replace(" --quiet", "") for command in commands if "--editable" in command}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the files of the page."""
    for block in blocks_of(PAGE, "python", "yaml", "toml"):
        if "file" in block.notes:
            path = tmp_path / block.notes["file"]
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.code, encoding="utf-8")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheels.joinpath("yemot_ai-0.2.0-py3-none-any.whl").touch()  # not read: this environment has the package
    return tmp_path


@pytest.mark.slow
def test_the_project_can_be_installed_with_its_folders(project: Path) -> None:
    (command,) = installations()
    offline = ["--no-index", "--no-deps", "--no-build-isolation", f"--prefix={project / 'installed'}"]
    program, *arguments = shlex.split(command)
    assert program == "python"
    run = subprocess.run(
        [sys.executable, *arguments, *offline], cwd=project, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert list(project.glob("installed/**/bakery_line-1.0.dist-info"))


@pytest.mark.parametrize("block", jobs()[1:], ids=["github", "gitlab"])
def test_a_job_upgrades_pip_before_it_installs_a_group(block: Block) -> None:
    upgrade, install = steps_of(block)[:2]
    assert upgrade == f"{INSTALL}--quiet --upgrade pip"
    assert "--group dev" in install


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
