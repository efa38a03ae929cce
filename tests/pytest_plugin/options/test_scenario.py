from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]
APP = "--yemot-app=shop:app"

OTHER = """
scenarios:
  - {name: שיחה אחרת, turns: [{hears: ברוכים}]}
"""
FAILING = """
scenarios:
  - name: לא כך
    turns:
      - hears: ברוכים הבאים
      - says: פיצה
        hears: ביי
      - says: עוד
"""


def test_without_the_option_no_yaml_is_collected(project: pytest.Pytester, run: Run) -> None:
    result = run()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*shop.call.yaml*")


def test_with_the_option_only_scenarios_run(project: pytest.Pytester, run: Run) -> None:
    result = run(APP, "--yemot-scenario", "-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["shop.call.yaml::הזמנת פיצה PASSED*"])


def test_a_scenario_file_without_the_option_is_a_usage_error(project: pytest.Pytester, run: Run) -> None:
    result = run("shop.call.yaml::הזמנת פיצה")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*shop.call.yaml::* is a scenario file: add --yemot-scenario"])


def test_a_file_can_be_named(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("other.call.yaml", OTHER)
    run(APP, "--yemot-scenario=other.call.yaml", "-v").stdout.fnmatch_lines(
        ["other.call.yaml::שיחה אחרת PASSED*", "*1 passed*"]
    )


def test_files_and_folders_can_be_named_together(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("more/other.call.yaml", OTHER)
    result = run(APP, "--yemot-scenario=more", "--yemot-scenario=shop.call.yaml")
    result.assert_outcomes(passed=2)


def test_without_a_path_it_takes_those_of_the_ini_key(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("more/other.call.yaml", OTHER)
    write("pytest.toml", "[pytest]\nyemot_scenarios = ['more']\n")
    run(APP, "--yemot-scenario", "-v").stdout.fnmatch_lines(["*שיחה אחרת PASSED*", "*1 passed*"])


def test_without_a_path_and_ini_key_it_takes_those_under_testpaths(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("calls/other.call.yaml", OTHER)
    write("pytest.toml", "[pytest]\ntestpaths = ['calls']\n")
    run(APP, "--yemot-scenario", "-v").stdout.fnmatch_lines(["*שיחה אחרת PASSED*", "*1 passed*"])


def test_a_missing_path_is_a_usage_error(project: pytest.Pytester, run: Run) -> None:
    result = run(APP, "--yemot-scenario=no.call.yaml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*there is no *no.call.yaml"])


def test_a_file_of_another_kind_is_a_usage_error(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("calls.txt", OTHER)
    result = run(APP, "--yemot-scenario=calls.txt")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*calls.txt is neither a [*].call.yaml file nor a folder"])


def test_scenarios_are_chosen_by_hebrew_words(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("other.call.yaml", OTHER)
    result = run(APP, "--yemot-scenario", "-k", "הזמנת and פיצה")
    result.assert_outcomes(passed=1, deselected=1)


def test_scenarios_are_only_listed_on_demand(project: pytest.Pytester, run: Run) -> None:
    run(APP, "--yemot-scenario", "--co", "-q").stdout.fnmatch_lines(["shop.call.yaml::הזמנת פיצה"])


def test_each_call_is_shown_as_a_conversation(project: pytest.Pytester, run: Run) -> None:
    run(APP, "--yemot-scenario", "-v").stdout.fnmatch_lines(
        [
            "passed: 0501234567 → /  הזמנת פיצה",
            "*line  ברוכים הבאים",
            "*caller  “פיצה”",
            "*line  תודה",
            "1 call · 0 agent turns · 0 outbound connections · 0 real codex",
        ]
    )


def test_quiet_runs_show_no_conversations(project: pytest.Pytester, run: Run) -> None:
    result = run(APP, "--yemot-scenario", "-q")
    result.stdout.no_fnmatch_line("*“פיצה”*")
    result.stdout.fnmatch_lines(["1 call · 0 agent turns · 0 outbound connections · 0 real codex"])


def test_a_failure_shows_the_lines_of_the_scenario_file(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("bad.call.yaml", FAILING)
    result = run(APP, "--yemot-scenario=bad.call.yaml", "-q")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "bad.call.yaml:6:9: heard · turn 2 of 3",
            "  did not hear 'ביי'",
            "        hears: ביי   # heard: תודה",
            "replay: pytest 'bad.call.yaml::לא כך' --yemot-app=shop:app --yemot-scenario",
        ]
    )


def test_an_invalid_file_is_a_collection_error_with_all_its_mistakes(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("bad.call.yaml", "scenarios:\n  - {name: א, turns: [{say: ב}, {presses: 1}]}\n")
    result = run(APP, "--yemot-scenario=bad.call.yaml")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*bad.call.yaml:2:24: a turn has no 'say'*", "*2:43: keys are texts*"])


def test_scenario_files_can_be_positional_arguments(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("other.call.yaml", OTHER)
    write("pytest.toml", "[pytest]\nyemot_scenarios = ['shop.call.yaml']\n")
    run(APP, "other.call.yaml", "--yemot-scenario", "-v").stdout.fnmatch_lines(
        ["*שיחה אחרת PASSED*", "*1 passed*"]
    )


def test_an_exception_of_the_application_has_file_and_line(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("broken.py", "def app(pairs):\n    raise KeyError('price')\n")
    result = run("--yemot-app=broken:app", "--yemot-scenario")
    result.stdout.fnmatch_lines(
        ["*no_answer*", "*the application raised KeyError: 'price'; catch it*", "  raised at *broken.py:2"]
    )


@pytest.mark.slow
def test_scenarios_run_beside_syrupy_and_xdist(project: pytest.Pytester, write: Write) -> None:
    write("other.call.yaml", OTHER)
    plugins = [
        "-p",
        "syrupy",
        "-p",
        "xdist.plugin",
        "-p",
        "yemot_ai_testing.plugin",
        "-p",
        "no:cacheprovider",
    ]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, APP, "--yemot-scenario", "-n", "2"],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=project.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 calls · 0 agent turns" in result.stdout
    assert "2 passed" in result.stdout
