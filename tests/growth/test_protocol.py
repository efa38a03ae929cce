from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.protocol import JOBS, SHAPES, growth, without_collection

pytestmark = pytest.mark.generated

# Ten times the text has a ratio of about 10; quadratic work has a ratio of 100.
BOUND = 35


@pytest.fixture(scope="module", autouse=True)
def one_collection() -> Iterator[None]:
    """Collect garbage once, not in each test: a collection takes longer than the measurement."""
    with without_collection():
        yield


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("job", JOBS)
def test_the_protocol_is_not_quadratic_in_time(job: str, shape: str) -> None:
    assert growth(JOBS[job], SHAPES[shape], small=4_000, rounds=3) < BOUND
