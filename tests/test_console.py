"""Both commands where their output meets a pipe, a full disk, a closed stream, or no Hebrew."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from yemot_ai.console import run_command

COMMANDS = {
    "yemot-ai": ["yemot_ai", "ext-ini", "https://line.example.com/שלום"],
    "yemot-ai-testing": ["yemot_ai_testing.cli.main", "explain", "id_list_message=t-שלום"],
}


def shell(command: str, redirections: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", f'"$@" {redirections}', "bash", sys.executable, "-m", *COMMANDS[command]],
        capture_output=True,
        check=False,
        env=os.environ | environment,
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_letters_that_the_terminal_lacks_are_escaped(command: str) -> None:
    done = shell(command, "", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert rb"\u05e9\u05dc\u05d5\u05dd" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("redirections", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_error(command: str, redirections: str) -> None:
    done = shell(command, redirections)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_is_gone_ends_the_command_without_a_word(command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", *COMMANDS[command]], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_one_line(command: str) -> None:
    done = shell(command, ">/dev/full")
    assert done.returncode == 2
    assert done.stderr.decode() == f"{command}: [Errno 28] No space left on device\n"


@pytest.mark.slow
def test_standard_input_that_is_closed_is_empty() -> None:
    command = [sys.executable, "-m", "yemot_ai_testing.cli.main", "lint", "-"]
    done = subprocess.run(["bash", "-c", '"$@" <&-', "bash", *command], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"empty-answer" in done.stdout


def interrupted() -> int:
    raise KeyboardInterrupt


def test_ctrl_c_has_its_own_exit_code() -> None:
    assert run_command("shop", interrupted) == 130
