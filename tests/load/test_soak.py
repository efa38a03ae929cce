"""What the soak calls growth, and its chart."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from benchmarks.soak.chart import draw
from benchmarks.soak.samples import UNITS, WARM_UP, Sample, trends
from benchmarks.soak.trend import Trend

dice = random.Random(7)  # noqa: S311 - the noise of a measurement
NOISE = [dice.gauss(0.0, 1.0) for _ in range(288)]


@pytest.mark.parametrize(
    ("value", "grows"),
    [
        (lambda number: 20.0, False),
        (lambda number: 100.0 + NOISE[number], False),
        (lambda number: 100.0 + number % 24, False),
        (lambda number: 100.0 - number, False),
        (lambda number: 100.0 + NOISE[number] + number / 100, True),
        (lambda number: 100.0 + number // 48, True),
        (lambda number: 20.0 + number / 288, True),
    ],
    ids=["constant", "noise", "sawtooth", "falling", "leak", "stairs", "one-more"],
)
def test_growth_is_what_noise_does_not_explain(value: Callable[[int], float], grows: bool) -> None:  # noqa: FBT001 - the case
    trend = Trend.of([(5.0 * number, value(number)) for number in range(288)])

    assert trend.grows() == grows


def test_a_tolerance_is_a_share_of_the_mean() -> None:
    trend = Trend.of([(float(number), 100.0 + number / 30) for number in range(120)])

    assert [trend.grows(tolerance) for tolerance in (0.0, 0.03, 0.05)] == [True, True, False]


def samples() -> list[Sample]:
    """Return a run that grows during the warm-up only."""
    first = Sample(0.0, memory=100.0, descriptors=40, threads=9, processes=3, sessions=50)
    grown = [min(number, 300 * WARM_UP) for number in range(300)]
    return [replace(first, at=float(number), memory=100.0 + grown[number]) for number in range(300)]


def test_the_warm_up_is_left_out() -> None:
    found = trends(samples())

    assert found["memory"].mean == 160.0
    assert not any(trend.grows() for trend in found.values())


def test_the_chart_has_a_plot_for_each_figure_and_colours_for_dark_pages() -> None:
    run = samples()
    chart = draw("50 callers & more", run, trends(run))
    namespace = "{http://www.w3.org/2000/svg}"
    root = ET.fromstring(chart)  # noqa: S314 - our own

    assert root.findtext(f"{namespace}title") == "50 callers & more"
    plots = [line.attrib["points"].split() for line in root.iter(f"{namespace}polyline")]
    assert [len(points) for points in plots] == [300] * len(UNITS)
    assert "prefers-color-scheme: dark" in chart
    assert "memory: 160.0 MB, change +0.0 ± 0.0 MB: flat" in chart
