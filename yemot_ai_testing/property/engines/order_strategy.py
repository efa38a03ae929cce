"""Orders of tasks that Hypothesis generates and shrinks."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from yemot_ai_testing.property.engines.order import Order

__all__ = ["orders"]

MAX_SEED: Final = 999
MAX_CHANGE: Final = 63
MAX_CHANGES: Final = 3


def orders() -> st.SearchStrategy[Order | None]:
    """Generate orders of tasks; they shrink to None (as they come), and change points one by one."""
    seeds = st.integers(0, MAX_SEED)
    changes = st.lists(st.integers(0, MAX_CHANGE), max_size=MAX_CHANGES, unique=True)
    by_priority = st.builds(
        lambda seed, points: Order("priorities", seed, tuple(sorted(points))), seeds, changes
    )
    return st.none() | by_priority | st.builds(lambda seed: Order("chance", seed), seeds)
