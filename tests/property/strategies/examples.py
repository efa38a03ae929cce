"""Examples of a strategy: many, or the simplest one with a property; the same in every run."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Generic, TypeVar

from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

__all__ = ["drawn", "drawn_until", "simplest"]

Value = TypeVar("Value")

_QUIET = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def drawn(strategy: st.SearchStrategy[Value], count: int = 300) -> list[Value]:
    """Return the first ``count`` examples of a test."""
    values: list[Value] = []

    @settings(_QUIET, max_examples=count, phases=[Phase.generate])
    @given(strategy)
    def draw(value: Value) -> None:
        values.append(value)

    draw()
    return values


class _EnoughError(Exception):
    """Ends the drawing."""


class _Hidden(Generic[Value]):
    """Keeps Hypothesis from rendering a value: some are long."""

    def __init__(self, value: Value) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "…"


def drawn_until(enough: Callable[[Value], bool], strategy: st.SearchStrategy[Value], most: int) -> bool:
    """Draw the examples of a test until one is ``enough``.

    Args:
        enough: is called with each value in turn.
        strategy: what to draw from.
        most: how many values to draw at most.

    Returns:
        Whether a value was enough.
    """

    @settings(_QUIET, max_examples=most, phases=[Phase.generate], report_multiple_bugs=False)
    @given(strategy.map(_Hidden))
    def draw(hidden: _Hidden[Value]) -> None:
        if enough(hidden.value):
            raise _EnoughError

    try:
        draw()
    except _EnoughError:
        return True
    return False


def simplest(strategy: st.SearchStrategy[Value], wanted: Callable[[Value], bool]) -> Value:
    """Return the example to which a failure that needs ``wanted`` shrinks."""
    rng = random.Random(1)  # noqa: S311 - not for security
    return find(strategy, wanted, settings=settings(_QUIET, max_examples=5_000), random=rng)
