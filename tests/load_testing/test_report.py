from __future__ import annotations

from collections import Counter

import pytest

from yemot_ai_testing.history import Violation
from yemot_ai_testing.load.plan import LoadPlan
from yemot_ai_testing.load.report import LoadReport
from yemot_ai_testing.load.result import LineHistory, LoadResult, TurnError

PLAN = LoadPlan("http://127.0.0.1:8000/", calls=3)


def report(result: LoadResult) -> LoadReport:
    return LoadReport(PLAN, result, 2.0)


def result_of(*errors: TurnError) -> LoadResult:
    result = LoadResult(calls=[(0.0, 1.0, True), (0.5, 2.0, True), (1.5, 2.0, False)])
    for error in errors:
        result.add_error(error)
    return result


LATE = TurnError("says", "late", "no answer within 10 s")
STATUS = TurnError("dials", "status", "the server answered with HTTP status 500")


def test_errors_are_counted_by_kind() -> None:
    found = report(result_of(LATE, STATUS, LATE))

    assert "  2 × late (caller says): no answer within 10 s" in found.lines()
    assert found.data()["errors"] == {"late": [2, LATE.message], "status": [1, STATUS.message]}
    assert not found.is_clean(2)
    assert found.is_clean(3)


def test_what_is_not_judged_is_clean_without_errors_only() -> None:
    found, failed = report(result_of()), report(result_of(LATE))
    found.not_judged = failed.not_judged = "the model was never asked"

    assert "exactly once: not judged: the model was never asked" in found.lines()
    assert [found.is_clean(0), failed.is_clean(0)] == [True, False]


def test_a_violation_is_never_clean() -> None:
    found = report(result_of())
    found.violations = [Violation("asked_twice", "the model was asked 7001 again", 1.0, trace=("0.0 s x",))]
    lines = list(found.lines())

    assert not found.is_clean(1000)
    assert "  1 × asked_twice: the model was asked 7001 again" in lines
    assert "    0.0 s x" in lines


def test_calls_in_progress_are_not_counted_as_made() -> None:
    assert next(report(result_of()).lines()) == "2 of 3 calls in 2.0 s, at most 2 at once"


def test_an_exception_of_this_program_is_an_error() -> None:
    found = report(LoadResult(exceptions=("boom", "boom")))

    assert "  a caller raised: boom" in found.lines()
    assert not found.is_clean(1)


@pytest.mark.parametrize("busy", [False, True])
def test_a_busy_loader_is_named(busy: bool) -> None:  # noqa: FBT001 - the case
    notes = [line for line in report(LoadResult(busy=busy)).lines() if line.startswith("note: Locust")]

    assert len(notes) == busy


def test_the_results_of_workers_are_merged() -> None:
    history, total = LineHistory(), LoadResult()
    for number in (1, 2):
        worker = result_of(LATE)
        total.merge(worker.take(history))
        assert worker.take(history)["calls"] == [], number
    total.merge({"dead_air": {"p50": 1.0}, "busy": True})

    assert len(total.calls) == 6
    assert total.errors == Counter({("says", "late"): 2})
    assert (total.busy, total.dead_air, total.examples) == (True, {"p50": 1.0}, {"late": LATE.message})
