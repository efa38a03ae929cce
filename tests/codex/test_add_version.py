"""The command that adds a version of Codex to the recordings."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from yemot_ai_testing.cli.main import main
from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.home import version_of
from yemot_ai_testing.codex.recorder.recorder import CASES, SERVER_CASES
from yemot_ai_testing.executable import write_executable

if TYPE_CHECKING:
    from pathlib import Path


PROGRAM = """
import pathlib, sys
from yemot_ai_testing.cli.main import main
from yemot_ai_testing.codex import recordings
recordings.folder = lambda: pathlib.Path(sys.argv[1])
sys.exit(main(["codex", "add", *sys.argv[2:]]))
"""


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A copy of the recordings that the command may change, with the oldest version only."""
    folder = tmp_path / "recordings"
    oldest = recordings.versions()[0]
    shutil.copytree(recordings.folder() / oldest, folder / oldest)
    return folder


def add(stored: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a separate process: fakes that were made there know only these recordings."""
    command = [sys.executable, "-c", PROGRAM, stored, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.slow
def test_a_version_is_compared_recorded_and_checked(real_binary: Path, stored: Path) -> None:
    run = add(stored, real_binary, "--force", "--rule", "argv-dash", "server-turn-order")
    assert run.returncode == 0, run.stderr

    version = version_of(real_binary)
    assert {path.stem for path in (stored / version).iterdir()} == set(CASES)
    assert {path.stem for path in (stored / "app-server" / version).iterdir()} == set(SERVER_CASES)
    assert f"0.142.0 → {version}" in run.stdout
    assert f"{real_binary}: 2 held, 0 breached" in run.stdout
    assert f"fake@{version}: 2 held, 0 breached" in run.stdout


@pytest.mark.slow
def test_a_version_that_breaks_this_package_is_not_written(real_binary: Path, stored: Path) -> None:
    # Since 0.163.0 a second turn of a thread is refused.
    run = add(stored, real_binary)
    assert run.returncode == 1
    assert "breaks us" in run.stdout
    assert "Nothing was written" in run.stderr
    assert [path.name for path in stored.iterdir()] == ["0.142.0"]


def test_what_is_no_codex_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    silent = tmp_path / "codex"
    write_executable(silent, "#!/bin/sh\nexit 1\n")
    assert main(["codex", "add", str(silent)]) == 2
    assert "does not report its version" in capsys.readouterr().err
    assert main(["codex", "add", "newest"]) == 2
    assert "is not a version such as" in capsys.readouterr().err
