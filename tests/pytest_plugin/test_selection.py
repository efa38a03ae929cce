"""Pytest selects, lists, stops, reruns and distributes scenarios as it does tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

APP = "--yemot-app=shop:app"
MANY = """
scenarios:
  - {name: הזמנת פיצה גדולה, turns: [{hears: ברוכים}]}
  - {name: הזמנת עוגה, turns: [{hears: ברוכים}]}
  - {name: שאלה על פיצה, turns: [{hears: ביי}]}
  - {name: ביטול, turns: [{hears: ברוכים}]}
"""


@pytest.fixture(autouse=True)
def many(project: pytest.Pytester, write: Write) -> None:
    """A file of four calls, of which the third fails, and one more in a folder."""
    project.path.joinpath("shop.call.yaml").unlink()
    write("many.call.yaml", MANY)
    write("more/deep/other.call.yaml", "scenarios: [{name: רחוקה, turns: [{hears: ברוכים}]}]\n")


def test_all_scenarios_of_all_files_in_all_folders_are_played(run: Run) -> None:
    run(APP, "--yemot-scenario").assert_outcomes(passed=4, failed=1)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("הזמנת and פיצה", {"הזמנת פיצה גדולה"}),
        ("פיצה", {"הזמנת פיצה גדולה", "שאלה על פיצה"}),
        ("הזמנת and not גדולה", {"הזמנת עוגה"}),
        ("עוגה or ביטול", {"הזמנת עוגה", "ביטול"}),
    ],
)
def test_scenarios_are_selected_by_words_of_any_language(run: Run, words: str, names: set[str]) -> None:
    listed = run(APP, "--yemot-scenario", "--co", "-q", "-k", words).outlines
    assert {line.partition("::")[2] for line in listed if "::" in line} == names


def test_a_scenario_is_selected_by_its_id(run: Run) -> None:
    run(APP, "many.call.yaml::הזמנת עוגה", "--yemot-scenario").assert_outcomes(passed=1)


@pytest.mark.slow
def test_scenarios_have_the_marker_of_the_plugin(run: Run) -> None:
    run(APP, "--yemot-scenario", "-m", "yemot", "--co", "-q").stdout.fnmatch_lines(["5 tests collected*"])
    run(APP, "--yemot-scenario", "-m", "not yemot").assert_outcomes(deselected=5)


def test_a_conftest_can_add_markers(run: Run, write: Write) -> None:
    write("pytest.toml", "[pytest]\nstrict = true\nmarkers = ['slow']\n")
    write(
        "conftest.py",
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                if item.scenario.name == "ביטול":
                    item.add_marker(pytest.mark.slow)
        """,
    )
    run(APP, "--yemot-scenario", "-m", "slow").assert_outcomes(passed=1, deselected=4)


def test_scenarios_are_listed_without_a_run(run: Run, write: Write) -> None:
    write("shop.py", "def app(pairs):\n    raise SystemExit('played')\n")
    result = run(APP, "--yemot-scenario", "--co", "-q")
    result.stdout.fnmatch_lines(["many.call.yaml::הזמנת פיצה גדולה", "more/deep/other.call.yaml::רחוקה"])
    assert result.ret == 0


def test_the_first_failure_ends_the_run(run: Run) -> None:
    run(APP, "--yemot-scenario", "-x").assert_outcomes(passed=2, failed=1)


@pytest.mark.slow
def test_the_last_failures_can_be_rerun(pytester: pytest.Pytester, run: Run) -> None:
    plugins = ("-p", "yemot_ai_testing.plugin", APP, "--yemot-scenario")
    pytester.runpytest_inprocess(*plugins).assert_outcomes(passed=4, failed=1)
    rerun = pytester.runpytest_inprocess(*plugins, "--lf", "-v")
    rerun.assert_outcomes(failed=1)
    rerun.stdout.fnmatch_lines(["many.call.yaml::שאלה על פיצה FAILED*"])


@pytest.mark.slow
def test_workers_report_as_one_process_does(project: pytest.Pytester) -> None:
    plugins = ["-p", "xdist.plugin", "-p", "yemot_ai_testing.plugin", "-p", "no:cacheprovider"]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, APP, "--yemot-scenario", "-n", "2", "--junitxml=out.xml"],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=project.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r"=+ 1 failed, 4 passed in ", result.stdout)
    assert "many.call.yaml:5:34: heard · turn 1 of 1" in result.stdout
    assert "5 calls · 0 agent turns" in result.stdout
    written = Path(project.path, "out.xml").read_text(encoding="utf-8")
    assert written.count('name="yemot_place"') == 5
    assert written.count('name="yemot_failure" value="heard"') == 1


def test_a_strict_project_passes_without_changes(run: Run, write: Write) -> None:
    write("pytest.toml", "[pytest]\nstrict = true\nfilterwarnings = ['error']\n")
    result = run(APP, "--yemot-scenario", "-k", "not שאלה")
    result.assert_outcomes(passed=4, deselected=1)
    result.stdout.no_fnmatch_line("*warning*")


@pytest.mark.slow
def test_the_plugin_can_be_disabled(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("-p", "no:yemot_ai_testing", "--fixtures", "-q")
    result.stdout.no_fnmatch_line("*yemot_caller*")
    assert result.ret == 0
    refused = pytester.runpytest_subprocess("-p", "no:yemot_ai_testing", "--yemot-scenario")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
