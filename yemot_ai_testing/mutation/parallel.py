"""Call a function for several items at the same time.

>>> list(map_in_order(str.upper, ["a", "b"], jobs=2))
['A', 'B']
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["map_in_order"]

T = TypeVar("T")
R = TypeVar("R")


def map_in_order(function: Callable[[T], R], items: Sequence[T], *, jobs: int) -> Iterator[R]:
    """Yield the results in the order of the items; after an interruption, start and wait for nothing more.

    Args:
        function: is called in threads.
        items: its arguments.
        jobs: how many calls at the same time.
    """
    executor = ThreadPoolExecutor(jobs)
    try:
        yield from executor.map(function, items)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
