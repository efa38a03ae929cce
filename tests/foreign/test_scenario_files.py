"""Scenario files start servers in other languages with ``serve:`` and call them, as their authors would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.foreign import node, php
from tests.foreign.catalog import SERVERS_FOLDER
from tests.foreign.php import PhpMissingError
from tests.support.not_run import not_run

FILES = sorted(path.name for path in SERVERS_FOLDER.glob("calls/*.call.yaml"))


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.partition(".")[0])
def test_a_server_is_started_and_called_by_its_scenario_file(file: str) -> None:
    command = [sys.executable, "-m", "pytest", f"--yemot-scenario=calls/{file}", "-p", "no:cacheprovider"]

    result = subprocess.run(
        command,
        cwd=SERVERS_FOLDER,
        env={**os.environ, "PATH": _path(file)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_documentation_shows_the_server_of_a_slow_model() -> None:
    page = Path("docs/foreign-servers.md").read_text(encoding="utf-8")

    assert f"```js\n{(SERVERS_FOLDER / 'slow_model.mjs').read_text(encoding='utf-8')}```" in page


def _path(file: str) -> str:
    """Return a ``PATH`` with this Python, Node, and PHP if the file needs it."""
    programs = [sys.executable, node.program("node")]
    if "php -S" in (SERVERS_FOLDER / "calls" / file).read_text(encoding="utf-8"):
        programs.append(_php())
    return os.pathsep.join([*(str(Path(program).parent) for program in programs), *os.get_exec_path()])


def _php() -> str:
    try:
        return php.program()
    except PhpMissingError as error:
        not_run("the tests of servers in PHP", error)
