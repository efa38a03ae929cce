from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

SCENARIOS = ("-p", "syrupy", "--yemot-scenario=shop.call.yaml", "--yemot-app=shop:app", "--yemot-snapshot")


def snapshot_path(project: pytest.Pytester) -> Path:
    return project.path / "__snapshots__" / "shop.call" / "הזמנת פיצה.yemot.txt"


def change_shop(project: pytest.Pytester) -> None:
    """Let the shop say one more word, which the scenario accepts."""
    shop = project.path / "shop.py"
    shop.write_text(shop.read_text(encoding="utf-8").replace("t-תודה", "t-תודה רבה"), encoding="utf-8")


@pytest.mark.slow
def test_the_snapshot_of_a_call_has_the_response_of_each_turn(project: pytest.Pytester, run: Run) -> None:
    run(*SCENARIOS, "--snapshot-update").assert_outcomes(passed=1)
    assert snapshot_path(project).read_text(encoding="utf-8") == (
        "read=t-ברוכים הבאים=q1,no,voice\nid_list_message=t-תודה&go_to_folder=hangup\n"
    )
    run(*SCENARIOS).assert_outcomes(passed=1)


@pytest.mark.slow
def test_another_response_fails_the_call_and_shows_the_difference(project: pytest.Pytester, run: Run) -> None:
    run(*SCENARIOS, "--snapshot-update").assert_outcomes(passed=1)
    change_shop(project)
    result = run(*SCENARIOS)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "shop.call.yaml:3:5: response *",
            "*the responses differ from the snapshot; if that is intended: --snapshot-update",
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
    result.stdout.fnmatch_lines(["*there is no snapshot of this call yet; to write it: --snapshot-update"])


@pytest.mark.slow
def test_snapshots_of_calls_work_under_xdist(project: pytest.Pytester, run: Run) -> None:
    run("-p", "xdist", "-n", "2", *SCENARIOS, "--snapshot-update").assert_outcomes(passed=1)
    run("-p", "xdist", "-n", "2", *SCENARIOS).assert_outcomes(passed=1)
    change_shop(project)
    run("-p", "xdist", "-n", "2", *SCENARIOS).assert_outcomes(failed=1)


def test_without_the_option_no_snapshot_is_compared(project: pytest.Pytester, run: Run) -> None:
    run("-p", "syrupy", "--yemot-scenario=shop.call.yaml", "--yemot-app=shop:app").assert_outcomes(passed=1)
    assert not snapshot_path(project).exists()
