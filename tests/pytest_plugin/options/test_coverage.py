"""``--yemot-coverage``: which extensions, keys and exits the calls reached."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

MENU = """
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import ScriptedProvider

flow = AIFlow(YemotAI(provider=ScriptedProvider()))


@flow.get("")
def menu(call):
    key = call.read("לשיחה הקישו 1, לשעות 2", max_digits=1, digits_allowed="123", val_name="menu")
    call.goto("/agent" if key == "1" else "/hours")


@flow.get("/hours")
def hours(call):
    call.play_message("בשמונה")
    call.hangup()


@flow.get("/old")
def old(call):
    call.hangup()


@flow.ai_agent("/agent", greeting="במה אפשר לעזור")
def agent(call, text): ...
"""
CALLS = """
app: menu:flow
scenarios:
  - name: סוכן
    turns: [{presses: "1", hears: במה אפשר לעזור}]
"""
TEST = """
import pytest

@pytest.mark.yemot(app="menu:flow")
def test_hours(yemot_caller):
    yemot_caller.dial()
    assert yemot_caller.presses("2") == "בשמונה"
"""


@pytest.fixture
def menu(project: pytest.Pytester, write: Write) -> pytest.Pytester:
    """A project with a menu of three keys, and calls that reach a part of it."""
    project.path.joinpath("shop.call.yaml").unlink()
    write("menu.py", MENU)
    write("calls.call.yaml", CALLS)
    write("test_menu.py", TEST)
    return project


def test_each_run_of_scenarios_names_what_was_not_reached(menu: pytest.Pytester, run: Run) -> None:
    missing = "/hours, /old, key 2 in /, key 3 in /"
    line = f"reached in menu:flow: 2 of 4 extensions, 1 of 3 keys; not reached: {missing}"
    run("--yemot-scenario").stdout.fnmatch_lines([line])


def test_the_option_prints_a_table_also_for_python_tests(menu: pytest.Pytester, run: Run) -> None:
    run("--yemot-coverage", "-k", "hours").stdout.fnmatch_lines(
        [
            "reached in menu:flow: 2 of 4 extensions, 1 of 3 keys; *(43 %)",
            "  extension           calls  keys        leads to",
            "  /          handler  1      2, not 1 3  /hours",
            "  /agent     agent    none",
            "  /hours     handler  1                  hangup",
            "  /old       handler  none",
        ],
        consecutive=True,
    )


def test_calls_of_scenarios_and_of_tests_are_added_up(menu: pytest.Pytester, run: Run) -> None:
    run("--yemot-also").stdout.fnmatch_lines(
        ["reached in menu:flow: 3 of 4 extensions, 2 of 3 keys; not reached: /old, key 3 in /"]
    )


@pytest.mark.slow
def test_workers_of_xdist_reach_together(menu: pytest.Pytester, run: Run) -> None:
    run("-p", "xdist", "-n", "2", "--yemot-also").stdout.fnmatch_lines(
        ["reached in menu:flow: 3 of 4 extensions, 2 of 3 keys; not reached: /old, key 3 in /"]
    )


def test_a_quiet_run_prints_the_table_only_if_it_is_asked_for(menu: pytest.Pytester, run: Run) -> None:
    run("--yemot-scenario", "-q").stdout.no_fnmatch_line("reached in*")
    run("--yemot-scenario", "-q", "--yemot-coverage").stdout.fnmatch_lines(["reached in menu:flow: *"])


def test_a_run_of_python_tests_prints_nothing_unasked(menu: pytest.Pytester, run: Run) -> None:
    run().stdout.no_fnmatch_line("reached in*")


def test_too_little_fails_the_run(menu: pytest.Pytester, run: Run) -> None:
    result = run("--yemot-also", "--yemot-coverage-min=80")
    result.assert_outcomes(passed=3)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["--yemot-coverage-min: menu:flow: 71 % reached, at least 80 % required"])


def test_enough_does_not_fail_the_run(menu: pytest.Pytester, run: Run) -> None:
    assert run("--yemot-also", "--yemot-coverage-min=70").ret == pytest.ExitCode.OK


def test_the_floor_can_stand_in_the_ini_file(menu: pytest.Pytester, run: Run, write: Write) -> None:
    write("pytest.toml", "[pytest]\nyemot_coverage_min = '90'\n")
    assert run("--yemot-scenario").ret == pytest.ExitCode.TESTS_FAILED
    write("pytest.toml", "[pytest]\nyemot_coverage_min = 'most'\n")
    result = run("--yemot-scenario")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*yemot_coverage_min is a number from 0 to 100, not 'most'"])


@pytest.mark.parametrize("value", ["101", "-1", "half"])
def test_a_floor_outside_of_percent_is_a_usage_error(menu: pytest.Pytester, run: Run, value: str) -> None:
    assert run("--yemot-scenario", f"--yemot-coverage-min={value}").ret == pytest.ExitCode.USAGE_ERROR


def test_of_other_applications_only_what_was_seen_counts(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    run("--yemot-app=shop:app", "--yemot-scenario").stdout.fnmatch_lines(["reached in shop:app: 1 extension"])


def test_the_page_has_the_table(menu: pytest.Pytester, run: Run) -> None:
    run("--yemot-scenario", "--yemot-html=calls.html")
    page = menu.path.joinpath("calls.html").read_text(encoding="utf-8")
    assert "לאן הגיעו השיחות" in page
    assert page.count('<tr class="unreached">') == 2
