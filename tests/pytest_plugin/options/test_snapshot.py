from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

SCENARIOS = ("-p", "syrupy", "--yemot-scenario=shop.call.yaml", "--yemot-app=shop:app", "--yemot-snapshot")


def kept(project: pytest.Pytester) -> Path:
    return project.path / "__snapshots__" / "shop.call" / "הזמנת פיצה.yemot.txt"


def changed(project: pytest.Pytester) -> None:
    """Let the shop say a word more, which the scenario does not mind."""
    shop = project.path / "shop.py"
    shop.write_text(shop.read_text(encoding="utf-8").replace("t-תודה", "t-תודה רבה"), encoding="utf-8")


def test_the_answers_of_a_call_are_kept_turn_by_turn(project: pytest.Pytester, run: Run) -> None:
    run(*SCENARIOS, "--snapshot-update").assert_outcomes(passed=1)
    assert kept(project).read_text(encoding="utf-8") == (
        "read=t-ברוכים הבאים=q1,no,voice\nid_list_message=t-תודה&go_to_folder=hangup\n"
    )
    run(*SCENARIOS).assert_outcomes(passed=1)


def test_another_answer_fails_the_call_and_is_told_by_meaning(project: pytest.Pytester, run: Run) -> None:
    run(*SCENARIOS, "--snapshot-update").assert_outcomes(passed=1)
    changed(project)
    result = run(*SCENARIOS)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "shop.call.yaml:3:5: response *",
            "*the answers are not those of the snapshot; if they are meant: --snapshot-update",
            "*turn 2: *תודה → *תודה רבה*",
        ]
    )
    run(*SCENARIOS, "--snapshot-update").assert_outcomes(passed=1)
    run(*SCENARIOS).assert_outcomes(passed=1)


def test_a_call_without_a_snapshot_fails_and_says_how_to_write_one(
    project: pytest.Pytester, run: Run
) -> None:
    result = run(*SCENARIOS)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*there is no snapshot of this call yet; the way out: --snapshot-update"])


def test_snapshots_of_calls_work_under_xdist(project: pytest.Pytester, run: Run) -> None:
    run("-p", "xdist", "-n", "2", *SCENARIOS, "--snapshot-update").assert_outcomes(passed=1)
    run("-p", "xdist", "-n", "2", *SCENARIOS).assert_outcomes(passed=1)
    changed(project)
    run("-p", "xdist", "-n", "2", *SCENARIOS).assert_outcomes(failed=1)


def test_without_the_option_no_snapshot_is_looked_at(project: pytest.Pytester, run: Run) -> None:
    run("-p", "syrupy", "--yemot-scenario=shop.call.yaml", "--yemot-app=shop:app").assert_outcomes(passed=1)
    assert not kept(project).exists()
