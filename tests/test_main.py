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
    ("arguments", "code", "output"),
    [
        (["--version"], 0, f"yemot-ai {yemot_ai.__version__}\n"),
        (["ext-ini", "https://example.org/yemot"], 0, "api_link=https://example.org/yemot\n"),
        (["--help"], 0, "usage: yemot-ai "),
    ],
    ids=["version", "ext-ini", "help"],
)
def test_the_module_runs_the_command_line(arguments: list[str], code: int, output: str) -> None:
    run = run_module(*arguments)

    assert (run.returncode, run.stderr) == (code, "")
    assert output in run.stdout


def test_the_module_exits_with_the_code_of_the_command() -> None:
    run = run_module("ext-ini", "example.org")

    assert run.returncode == 2
    assert run.stderr.startswith("yemot-ai: ")
