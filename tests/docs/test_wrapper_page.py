"""The examples in a shell and in Node on the pages about wrappers of codex."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_examples import ROOT, blocks_of
from tests.foreign.node import program

PAGES = [ROOT / "docs" / "test-a-codex-wrapper.md", ROOT / "docs" / "he" / "test-a-codex-wrapper.md"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment with the commands of this installation, and a home in which nothing may be written."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {"PATH": path, "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path), "LANG": "C.UTF-8"}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_for_a_shell_pass_and_leave_nothing(
    page: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    (block,) = blocks_of(page, "sh")
    run = subprocess.run(
        ["/bin/sh", "-eu", "-c", block.code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_example_in_node_passes_and_leaves_no_fake(tmp_path: Path, environment: dict[str, str]) -> None:
    for block in blocks_of(PAGES[0], "js"):
        (tmp_path / block.notes["file"]).write_text(block.code, encoding="utf-8")
    run = subprocess.run(
        [program("node"), "--test", "ask.test.mjs"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ask.mjs", "ask.test.mjs"]
