from __future__ import annotations

import pytest

from benchmarks.protocol import JOBS, SHAPES, growth

# Ten times the text costs about ten times as much, and a hundred times if the work is quadratic.
BOUND = 35


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("job", JOBS)
def test_ten_times_the_text_costs_about_ten_times_as_much(job: str, shape: str) -> None:
    assert growth(JOBS[job], SHAPES[shape], small=4_000, rounds=3) < BOUND
