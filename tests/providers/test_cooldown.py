"""For how long a provider that failed is skipped."""

from __future__ import annotations

import pytest

from yemot_ai.errors import QuotaExceededError, RateLimitedError
from yemot_ai.providers.cooldown import MAX_RETRY_AFTER, Cooldown

SECONDS = 30.0


def skipped_for(retry_after: object) -> float:
    """Return for how many seconds the first of two providers is skipped."""
    now = [1000.0]
    cooldown = Cooldown(SECONDS, lambda: now[0])
    error = RateLimitedError("no")
    error.retry_after = retry_after  # type: ignore[assignment]  # what a provider of a developer may set
    cooldown.start(0, error)
    times = (0.0, 0.5, 7.0, SECONDS, 400.0, MAX_RETRY_AFTER)
    for seconds in times:
        now[0] = 1000.0 + seconds
        if cooldown.order(2, first=None)[0] == 0:
            return seconds
    return float("inf")


@pytest.mark.parametrize("wait", [0.0, 0.5, 7, 400.0])
def test_a_wait_that_was_asked_for_is_kept(wait: float) -> None:
    assert skipped_for(wait) == wait


@pytest.mark.parametrize("wait", [1e308, float("inf"), 99_999_999_999, MAX_RETRY_AFTER + 1])
def test_a_longer_wait_than_a_day_is_a_day(wait: float) -> None:
    assert skipped_for(wait) == MAX_RETRY_AFTER


@pytest.mark.parametrize("wait", [None, float("nan"), -5.0, float("-inf"), "7", [7]], ids=str)
def test_what_is_no_wait_is_the_usual_one(wait: object) -> None:
    assert skipped_for(wait) == SECONDS


def test_a_shorter_wait_of_a_later_failure_counts() -> None:
    now = [1000.0]
    cooldown = Cooldown(SECONDS, lambda: now[0])
    for wait in (float("inf"), 5.0):
        error = QuotaExceededError("no")
        error.retry_after = wait
        cooldown.start(0, error)
    now[0] += 5.0

    assert cooldown.order(2, first=None) == [0, 1]
