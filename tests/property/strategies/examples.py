"""What a strategy gives: many values, or the simplest one with a property; the same in every run."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

__all__ = ["drawn", "simplest"]

Value = TypeVar("Value")

_QUIET = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def drawn(strategy: st.SearchStrategy[Value], count: int = 300) -> list[Value]:
    """Return the first ``count`` values that a test would be given."""
    values: list[Value] = []

    @settings(_QUIET, max_examples=count, phases=[Phase.generate])
    @given(strategy)
    def draw(value: Value) -> None:
        values.append(value)

    draw()
    return values


def simplest(strategy: st.SearchStrategy[Value], wanted: Callable[[Value], bool]) -> Value:
    """Return what a failure that needs ``wanted`` would shrink to."""
    always_the_same = random.Random(1)  # noqa: S311 - no secret
    return find(strategy, wanted, settings=settings(_QUIET, max_examples=5_000), random=always_the_same)
