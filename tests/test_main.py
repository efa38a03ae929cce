from __future__ import annotations

import subprocess
import sys

import pytest

import yemot_ai


def run_module(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "yemot_ai", *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "output", "notes"),
    [
        (["--version"], f"yemot-ai {yemot_ai.__version__}\n", 0),
        (["ext-ini", "https://example.org/yemot"], "api_link=https://example.org/yemot\n", 2),
        (["--help"], "usage: yemot-ai ", 0),
    ],
    ids=["version", "ext-ini", "help"],
)
def test_the_module_runs_the_command_line(arguments: list[str], output: str, notes: int) -> None:
    run = run_module(*arguments)

    assert run.returncode == 0
    assert output in run.stdout
    assert [line.startswith("yemot-ai: ") for line in run.stderr.splitlines()] == [True] * notes


def test_the_module_exits_with_the_code_of_the_command() -> None:
    run = run_module("ext-ini", "example.org")

    assert run.returncode == 2
    assert run.stderr.startswith("yemot-ai: ")
