"""The page on performance is written from the kept figures, and the check compares with them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.performance import __main__ as performance
from benchmarks.performance.comparisons import COMPARISONS
from benchmarks.performance.document import write
from benchmarks.performance.rounds import Ratio, in_turn

KEPT = json.loads(performance.RESULTS.read_text(encoding="utf-8"))
MEASURED = Ratio("codex-exec", "a turn", "a bare one", 0.05, 0.025, 2.0)


def test_the_page_has_the_kept_figures() -> None:
    assert performance.PAGE.read_text(encoding="utf-8") == write(KEPT), (
        "run python -m benchmarks.performance --page"
    )


def test_each_comparison_has_a_kept_ratio() -> None:
    assert KEPT["full"].keys() == COMPARISONS.keys()
    assert KEPT["short"].keys() == set(performance.SHORT)


def test_a_ratio_is_that_of_neighbouring_rounds() -> None:
    order: list[str] = []
    figures = in_turn(lambda: order.append("ours"), lambda: order.append("theirs"), rounds=2)

    assert order == ["ours", "theirs"] * 3
    assert all(figure > 0 for figure in figures)


@pytest.mark.parametrize(
    ("ratios", "worse"),
    [([2.4], 0), ([2.6, 2.5], 0), ([2.6, 2.6, 2.4], 0), ([2.6, 2.6, 2.6], 1)],
    ids=["as-before", "second-attempt", "third-attempt", "worse"],
)
def test_a_ratio_that_is_a_quarter_worse_three_times_fails(
    ratios: list[float], worse: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    attempts = iter(ratios)
    results = tmp_path / "results.json"
    results.write_text(json.dumps({"short": {"codex-exec": 2.0}}))
    monkeypatch.setattr(performance, "RESULTS", results)
    monkeypatch.setattr(performance, "SHORT", ("codex-exec",))
    monkeypatch.setitem(COMPARISONS, "codex-exec", lambda _: replace(MEASURED, ratio=next(attempts)))

    assert performance.check() == worse
    assert next(attempts, None) is None
