"""``--yemot-baseline FILE``: calls that became slower fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

SLOW = """
class Clock:
    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds


class App:
    class ai:
        class engine:
            clock = Clock()

    def __call__(self, pairs):
        values = dict(pairs)
        if "hangup" in values:
            return "noop=bye"
        if "q1" in values:
            self.ai.engine.clock.sleep({seconds})
            return "id_list_message=t-תודה&go_to_folder=hangup"
        return "read=t-שלום=q1,no,voice"


app = App()
"""
CALLS = """
scenarios:
  - name: הזמנה
    turns:
      - hears: שלום
      - says: עוגה
        hears: תודה
"""
OPTIONS = ("--yemot-app=slow:app", "--yemot-scenario", "--yemot-baseline=times/base.json")


@pytest.fixture
def slow(project: pytest.Pytester, write: Write) -> Callable[[float], None]:
    """Let the application of the project take so many seconds for an answer, in virtual time."""
    write("shop.call.yaml", CALLS)

    def take(seconds: float) -> None:
        # Of another size each time: Python would use the bytecode of a file of the same second and size.
        write("slow.py", SLOW.replace("{seconds}", str(seconds)) + "#" * int(seconds * 10))

    take(1.0)
    return take


def times(project: pytest.Pytester) -> dict[str, Any]:
    """Return what the file has."""
    text = project.path.joinpath("times/base.json").read_text(encoding="utf-8")
    calls: dict[str, Any] = json.loads(text)["calls"]
    return calls


def test_a_missing_file_is_written(project: pytest.Pytester, run: Run, slow: Callable[[float], None]) -> None:
    result = run(*OPTIONS)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["the times of 1 call were written to *base.json"])
    assert times(project) == {
        "shop.call.yaml::הזמנה": {
            "is_virtual": True,
            "turns": [{"dead_air": 0.0, "answer": 0.0}, {"dead_air": 1.0, "answer": 1.0}],
        }
    }


def test_the_same_times_pass_and_leave_the_file_alone(
    project: pytest.Pytester, run: Run, slow: Callable[[float], None]
) -> None:
    run(*OPTIONS)
    before = times(project)
    result = run(*OPTIONS)
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("the times of *")
    assert times(project) == before


def test_a_slower_call_fails_at_its_turn(
    project: pytest.Pytester, run: Run, slow: Callable[[float], None]
) -> None:
    run(*OPTIONS)
    slow(3.0)
    result = run(*OPTIONS)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "shop.call.yaml:6:9: dead_air · turn 2 of 2",
            "  turn 2: 3.0 s of silence, 1.0 s in the baseline",
            "  if that is intended: --yemot-baseline-update",
            "replay: pytest * --yemot-baseline=times/base.json --yemot-scenario",
        ]
    )
    assert times(project)["shop.call.yaml::הזמנה"]["turns"][1]["dead_air"] == 1.0


def test_a_little_slower_is_not_slower(
    project: pytest.Pytester, run: Run, slow: Callable[[float], None]
) -> None:
    run(*OPTIONS)
    slow(1.05)
    run(*OPTIONS).assert_outcomes(passed=1)


def test_faster_calls_pass(project: pytest.Pytester, run: Run, slow: Callable[[float], None]) -> None:
    run(*OPTIONS)
    slow(0.1)
    run(*OPTIONS).assert_outcomes(passed=1)
    assert times(project)["shop.call.yaml::הזמנה"]["turns"][1]["dead_air"] == 1.0


def test_the_update_writes_the_times_of_the_run(
    project: pytest.Pytester, run: Run, slow: Callable[[float], None]
) -> None:
    run(*OPTIONS)
    slow(3.0)
    run(*OPTIONS, "--yemot-baseline-update").assert_outcomes(passed=1)
    assert times(project)["shop.call.yaml::הזמנה"]["turns"][1]["dead_air"] == 3.0
    run(*OPTIONS).assert_outcomes(passed=1)


def test_new_calls_and_changed_turns_are_added(
    project: pytest.Pytester, run: Run, write: Write, slow: Callable[[float], None]
) -> None:
    run(*OPTIONS)
    slow(3.0)
    write(
        "shop.call.yaml",
        f"{CALLS}      - hears: {{ends: true}}\n  - {{name: עוד, turns: [{{hears: שלום}}]}}\n",
    )
    run(*OPTIONS).assert_outcomes(passed=2)
    assert [len(call["turns"]) for call in times(project).values()] == [3, 1]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"calls": {"a": {}}}', '{"calls": {"a": 1}}'])
def test_another_file_is_a_usage_error(
    project: pytest.Pytester, run: Run, write: Write, slow: Callable[[float], None], content: str
) -> None:
    write("times/base.json", content)
    result = run(*OPTIONS)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*base.json is no baseline (*): delete it, and the next run writes it"])


def test_the_update_needs_a_file(project: pytest.Pytester, run: Run) -> None:
    result = run("--yemot-scenario", "--yemot-baseline-update")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--yemot-baseline-update writes the file of --yemot-baseline: add it"])


def test_the_ini_key_names_the_file(
    project: pytest.Pytester, run: Run, write: Write, slow: Callable[[float], None]
) -> None:
    write("pytest.toml", "[pytest]\nyemot_baseline = 'times/base.json'\n")
    run(*OPTIONS[:2])
    assert list(times(project)) == ["shop.call.yaml::הזמנה"]


@pytest.mark.slow
def test_workers_of_xdist_compare_and_one_process_writes(
    project: pytest.Pytester, run: Run, slow: Callable[[float], None]
) -> None:
    workers = ("-p", "xdist", "-n", "2")
    run(*workers, *OPTIONS).assert_outcomes(passed=1)
    assert list(times(project)) == ["shop.call.yaml::הזמנה"]
    slow(3.0)
    run(*workers, *OPTIONS).assert_outcomes(failed=1)
