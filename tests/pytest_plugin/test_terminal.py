from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]
APP = "--yemot-app=slow:app"

SLOW = """
from collections.abc import Sequence


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds


class Engine:
    clock = Clock()


class App:
    class ai:
        engine = Engine()

    def __call__(self, pairs):
        values = dict(pairs)
        if "hangup" in values:
            return "noop=bye"
        Engine.clock.sleep(float(values.get("q1", "0") or 0))
        if "q1" in values:
            return "id_list_message=t-תודה&go_to_folder=hangup"
        return "read=t-כמה לחכות=q1,no,1,1,7,No"


app = App()
"""
THREE = """
scenarios:
  - name: מהר
    turns: [{presses: "0", hears: {contains: תודה, within: [2s, 4s]}}]
  - name: לאט
    turns: [{presses: "3", hears: {contains: תודה, within: [2s, 4s]}}]
  - name: לאט מדי
    turns: [{presses: "5", hears: {contains: תודה, within: [2s, 4s]}}]
"""


@pytest.fixture
def slow(project: pytest.Pytester, write: Write) -> pytest.Pytester:
    """A project whose application takes as many seconds as the caller types, on a fake clock."""
    write("slow.py", SLOW)
    write("shop.call.yaml", THREE)
    return project


def test_without_v_only_failed_calls_are_shown(slow: pytest.Pytester, run: Run) -> None:
    result = run(APP, "--yemot-scenario")
    result.stdout.fnmatch_lines(["the call of 0501234567 so far:", "*keys  [[]5]"])
    result.stdout.no_fnmatch_line("passed: *")


def test_with_v_all_calls_are_shown_each_of_them_once(slow: pytest.Pytester, run: Run) -> None:
    result = run(APP, "--yemot-scenario", "-v")
    result.stdout.fnmatch_lines(
        ["the call of *", "passed: 0501234567 → /  מהר", "passed: 0501234567 → /  לאט"]
    )
    assert result.stdout.str().count("keys  [5]") == 1


def test_dead_air_over_a_limit_shows_the_limit(slow: pytest.Pytester, run: Run) -> None:
    run(APP, "--yemot-scenario", "-v").stdout.fnmatch_lines(
        ["*· · ·  5.0 s of silence, at most 4 s may pass", "*· · ·  3.0 s of silence, more than 2 s"]
    )


def test_the_summary_shows_dead_air_and_the_slowest_turns(slow: pytest.Pytester, run: Run) -> None:
    run(APP, "--yemot-scenario").stdout.fnmatch_lines(
        [
            "dead air: p50 3.0 s · p95 5.0 s · longest 5.0 s (3 turns)",
            "    5.0 s  shop.call.yaml:8  לאט מדי",
            "    3.0 s  shop.call.yaml:6  לאט",
            "3 calls · 0 agent turns · 1 warning · 0 outbound connections · 0 real codex",
        ],
        consecutive=False,
    )


def test_a_quiet_run_shows_only_the_counts(slow: pytest.Pytester, run: Run) -> None:
    result = run(APP, "--yemot-scenario", "-q")
    result.stdout.fnmatch_lines(
        ["3 calls · 0 agent turns · 1 warning · 0 outbound connections · 0 real codex"]
    )
    result.stdout.no_fnmatch_line("dead air:*")
    result.stdout.no_fnmatch_line("failed: *")


def test_piped_output_has_no_colors_and_no_direction_marks(slow: pytest.Pytester, run: Run) -> None:
    output = run(APP, "--yemot-scenario", "-v").stdout.str()
    assert "לאט מדי" in output
    assert not re.search("[\x1b\u200e\u200f\u202a-\u202e\u2066-\u2069]", output)


def test_a_terminal_gets_colors(slow: pytest.Pytester, run: Run) -> None:
    output = run(APP, "--yemot-scenario", "-v", "--color=yes").stdout.str()
    assert "\x1b[31m\x1b[1m" in output  # above the upper limit
    assert "\x1b[33m" in output  # above the lower limit


def test_control_characters_are_escaped(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("hostile.py", 'def app(pairs):\n    return "read=t-שלום\\x1b[2J\\u202eרע=q1,no,voice"\n')
    write("shop.call.yaml", "scenarios: [{name: שם, turns: [{hears: שלום}]}]\n")
    output = run("--yemot-app=hostile:app", "--yemot-scenario", "-v", "-k", "שם").stdout.str()
    assert "שלום\\x1b[2J\\u202eרע" in output


@pytest.mark.slow
def test_the_calls_of_all_workers_are_in_the_order_of_the_file(
    slow: pytest.Pytester,
) -> None:
    plugins = ["-p", "xdist.plugin", "-p", "yemot_ai_testing.plugin", "-p", "no:cacheprovider"]
    output = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, APP, "--yemot-scenario", "-n", "2", "-v"],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONIOENCODING": "utf-8"},
        cwd=slow.path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    ).stdout
    headings = [line for line in output.splitlines() if " → /" in line]
    assert [line.rpartition("  ")[2] for line in headings] == ["מהר", "לאט"]
    assert output.count("keys  [5]") == 1
    assert "(3 turns)" in output
