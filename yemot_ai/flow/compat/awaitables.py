"""A result that an async handler may await although it is known at once."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Final

__all__ = ["DONE"]


class _Done:
    def __await__(self) -> Generator[None, None, None]:
        yield from ()


DONE: Final[Awaitable[None]] = _Done()
"""What is done already; it need not be awaited, and a handler that returns it returns nothing."""
