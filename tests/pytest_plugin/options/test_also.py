"""``--yemot-also`` and ``yemot_also``: one run for Python tests and scenarios."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

APP = "--yemot-app=shop:app"


def test_python_tests_and_scenarios_run_together(project: pytest.Pytester, run: Run) -> None:
    result = run(APP, "--yemot-also")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["1 call · 0 agent turns · *"])


def test_terminal_page_and_summary_count_the_same_calls(
    project: pytest.Pytester, run: Run, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "summary.md"))
    write("broken.call.yaml", "scenarios: [{nome: א}]\n")
    write("test_call.py", "def test_call(yemot_caller):\n    yemot_caller.dial()\n")
    result = run(APP, "--yemot-also", "--yemot-html=calls.html", "--continue-on-collection-errors", "-v")
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["3 calls · 0 agent turns · 1 error · *"])
    assert "## Calls: 1 of 3 failed" in project.path.joinpath("summary.md").read_text(encoding="utf-8")
    page = project.path.joinpath("calls.html").read_text(encoding="utf-8")
    assert "<title>3 שיחות, 1 לא עברו</title>" in page


def test_the_ini_key_does_so_in_every_run(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("pytest.toml", "[pytest]\nyemot_also = true\nyemot_app = 'shop:app'\n")
    run().assert_outcomes(passed=2)


def test_a_run_of_scenarios_only_stays_possible(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("pytest.toml", "[pytest]\nyemot_also = true\nyemot_app = 'shop:app'\n")
    run("--yemot-scenario").assert_outcomes(passed=1)


def test_both_options_run_both(project: pytest.Pytester, run: Run) -> None:
    run(APP, "--yemot-scenario", "--yemot-also").assert_outcomes(passed=2)


def test_scenarios_of_the_ini_key_are_added_to_the_paths_of_a_run_once(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("pytest.toml", "[pytest]\ntestpaths = ['tests']\nyemot_scenarios = ['calls', 'tests/calls']\n")
    write("tests/test_more.py", "def test_more(): pass\n")
    write("tests/calls/a.call.yaml", "scenarios: [{name: א, turns: [{hears: ברוכים}]}]\n")
    write("calls/b.call.yaml", "scenarios: [{name: ב, turns: [{hears: ברוכים}]}]\n")
    run(APP, "--yemot-also").assert_outcomes(passed=3)


def test_a_path_of_the_command_line_limits_both(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("pytest.toml", "[pytest]\nyemot_scenarios = ['calls']\n")
    write("calls/b.call.yaml", "scenarios: [{name: ב, turns: [{hears: ברוכים}]}]\n")
    write("part/test_part.py", "def test_part(): pass\n")
    write("part/c.call.yaml", "scenarios: [{name: ג, turns: [{hears: ברוכים}]}]\n")
    run(APP, "--yemot-also", "part").assert_outcomes(passed=2)
    run(APP, "--yemot-also", "calls/b.call.yaml").assert_outcomes(passed=1)


NETWORK = """
import socket
import subprocess

def test_a_program():
    assert subprocess.run(["ls"], check=False).returncode == 0

def app(pairs):
    socket.getaddrinfo("api.example.com", 443)
    return "go_to_folder=hangup"
"""


def test_scenarios_are_isolated_and_python_tests_are_not(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("test_network.py", NETWORK)
    result = run("--yemot-app=test_network:app", "--yemot-also", "shop.call.yaml", "test_network.py")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*refused*api.example.com*", "network blocked in Python only (for scenarios*"]
    )


def test_all_are_isolated_if_that_is_asked_for(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("test_network.py", NETWORK)
    options = ("--yemot-also", "--yemot-block-network", "--yemot-isolation=python")
    run("--yemot-app=test_network:app", *options, "test_network.py").assert_outcomes(failed=1)


def test_a_run_that_leaves_scenarios_out_says_so(project: pytest.Pytester, run: Run, write: Write) -> None:
    line = "scenario file* not played: add --yemot-scenario or --yemot-also"
    run().stdout.fnmatch_lines([f"1 {line}"])
    write("calls/b.call.yaml", "scenarios: []\n")
    run().stdout.fnmatch_lines([f"2 {line}"])
    run("calls").stdout.fnmatch_lines([f"1 {line}"])
    run("-q").stdout.fnmatch_lines([f"2 {line}"])
    run("-qq").stdout.fnmatch_lines([f"2 {line}"])


@pytest.mark.parametrize(
    "arguments", [("test_ordinary.py",), ("test_ordinary.py::test_ordinary",), (APP, "--yemot-also")]
)
def test_a_run_that_plays_them_or_asks_for_a_test_says_nothing(
    project: pytest.Pytester, run: Run, arguments: tuple[str, ...]
) -> None:
    run(*arguments).stdout.no_fnmatch_line("*not played*")


def test_scenarios_of_the_ini_key_count_as_left_out(project: pytest.Pytester, run: Run, write: Write) -> None:
    project.path.joinpath("shop.call.yaml").unlink()
    write("pytest.toml", "[pytest]\ntestpaths = ['tests']\nyemot_scenarios = ['calls', 'one.call.yaml']\n")
    write("tests/test_more.py", "def test_more(): pass\n")
    write("calls/b.call.yaml", "scenarios: []\n")
    write("one.call.yaml", "scenarios: []\n")
    run().stdout.fnmatch_lines(["2 scenario files were not played: *"])


@pytest.fixture
def unnamed(project: pytest.Pytester, write: Write) -> pytest.Pytester:
    """A project whose scenarios are in a folder that no setting names."""
    project.path.joinpath("shop.call.yaml").unlink()
    write("pytest.toml", "[pytest]\ntestpaths = ['tests']\n")
    write("tests/test_more.py", "def test_more(): pass\n")
    write("calls/b.call.yaml", "scenarios: [{name: ב, turns: [{hears: ברוכים}]}]\n")
    write("calls/more/c.call.yaml", "scenarios: [{name: ג, turns: [{hears: ברוכים}]}]\n")
    for hidden in (".git", "node_modules/a", "env"):
        write(f"{hidden}/d.call.yaml", "scenarios: []\n")
    write("env/pyvenv.cfg", "")
    return project


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((), pytest.ExitCode.OK),
        (("-q",), pytest.ExitCode.OK),
        ((APP, "--yemot-also"), pytest.ExitCode.TESTS_FAILED),
        ((APP, "--yemot-also", "-q"), pytest.ExitCode.TESTS_FAILED),
        ((APP, "--yemot-scenario"), pytest.ExitCode.NO_TESTS_COLLECTED),
    ],
)
def test_scenarios_outside_of_the_paths_of_a_project_are_found(
    unnamed: pytest.Pytester, run: Run, arguments: tuple[str, ...], status: pytest.ExitCode
) -> None:
    result = run(*arguments)
    line = 'no *.call.yaml under tests/; found 2 in calls/: set yemot_scenarios = ["calls"]'
    assert result.outlines.count(line) == 1
    assert result.ret == status


def test_the_setting_that_is_named_plays_them(unnamed: pytest.Pytester, run: Run, write: Write) -> None:
    write("pytest.toml", '[pytest]\ntestpaths = ["tests"]\nyemot_scenarios = ["calls"]\n')
    result = run(APP, "--yemot-also")
    result.assert_outcomes(passed=3)
    result.stdout.no_fnmatch_line("*call.yaml under*")


def test_scenarios_in_one_folder_do_not_hide_those_of_another(
    unnamed: pytest.Pytester, run: Run, write: Write
) -> None:
    write("tests/a.call.yaml", "scenarios: [{name: א, turns: [{hears: ברוכים}]}]\n")
    result = run(APP, "--yemot-also")
    result.assert_outcomes(passed=2)
    line = '2 scenario files in calls/ were not played: set yemot_scenarios = ["calls", "tests"]'
    assert line in result.outlines


def test_a_file_that_is_named_is_all_that_was_asked_for(unnamed: pytest.Pytester, run: Run) -> None:
    (file, *_) = sorted(unnamed.path.joinpath("calls").rglob("*.call.yaml"))
    result = run(APP, "--yemot-scenario", str(file))
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*not played*")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--yemot-also",), "no *.call.yaml under tests/: name a file or a folder*"),
        (("--yemot-also", "tests"), "no *.call.yaml under tests/: name a file or a folder*"),
        (("--yemot-scenario", "tests"), "no *.call.yaml under tests/: name a file or a folder*"),
    ],
)
def test_a_run_of_scenarios_without_any_says_so(
    unnamed: pytest.Pytester, run: Run, arguments: tuple[str, ...], line: str
) -> None:
    for file in unnamed.path.joinpath("calls").rglob("*.yaml"):
        file.unlink()
    run(*arguments).stdout.fnmatch_lines([line])


def test_a_run_of_one_test_needs_no_scenario(unnamed: pytest.Pytester, run: Run) -> None:
    result = run("--yemot-also", "tests/test_more.py")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("no *.call.yaml*")


@pytest.mark.slow
@pytest.mark.parametrize("is_named", [True, False], ids=["named", "unnamed"])
def test_workers_of_xdist_find_the_same(
    unnamed: pytest.Pytester,
    run: Run,
    write: Write,
    is_named: bool,  # noqa: FBT001 - a column of the table
) -> None:
    if is_named:
        write("pytest.toml", '[pytest]\ntestpaths = ["tests"]\nyemot_scenarios = ["calls"]\n')
    result = run("-p", "xdist", "-n", "2", APP, "--yemot-also")
    assert (result.ret == pytest.ExitCode.OK) == is_named
    assert ("no *.call.yaml under tests/; found 2" in result.stdout.str()) != is_named


@pytest.mark.slow
def test_workers_of_xdist_say_it_once(project: pytest.Pytester, run: Run) -> None:
    output = run("-p", "xdist", "-n", "2").stdout.str()
    assert output.count("1 scenario file was not played") == 1


@pytest.mark.slow
def test_workers_of_xdist_run_both(project: pytest.Pytester, run: Run) -> None:
    run("-p", "xdist", "-n", "2", APP, "--yemot-also").assert_outcomes(passed=2)
