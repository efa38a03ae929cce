"""Which of several providers to try, and for how long to skip one after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from yemot_ai.errors import (
    AuthenticationError,
    CodexNotFoundError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    UnknownModelError,
)

__all__ = ["Cooldown", "requested_wait"]

_COOLDOWN_ERRORS: Final = (
    AuthenticationError,
    CodexNotFoundError,
    OverloadedError,
    ProviderCrashError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    UnknownModelError,
)
"""Errors after which the next request would fail as well."""

MAX_RETRY_AFTER: Final = 86_400.0
"""Seconds; after a day a provider is tried again, even if it asked for a longer wait."""


class Cooldown:
    """The providers that failed recently, by index.

    Args:
        seconds: how long to skip a provider, unless its error has ``retry_after``: then for as long, at most
            ``MAX_RETRY_AFTER``.
        now: a clock, in seconds; the running event loop's by default.
    """

    def __init__(self, seconds: float, now: Callable[[], float] | None = None) -> None:
        self._seconds = seconds
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self._until: dict[int, float] = {}

    def order(self, count: int, *, first: int | None) -> list[int]:
        """Return the indexes to try: ``first``, the others in order, then the one that cools down soonest.

        Args:
            count: the number of providers.
            first: the provider that has the thread; None if there is no thread.
        """
        indexes = sorted(range(count), key=lambda index: index != first)
        now = self._now()
        cooling = [index for index in indexes if self._until.get(index, now) > now]
        soonest = sorted(cooling, key=lambda index: self._until[index])[:1]
        return [index for index in indexes if index not in cooling] + soonest

    def start(self, index: int, error: ProviderError) -> None:
        """Skip the provider for a while if ``error`` means that its next request would fail as well."""
        if isinstance(error, _COOLDOWN_ERRORS):
            wait = requested_wait(error)
            self._until[index] = self._now() + (self._seconds if wait is None else wait)

    def end(self, index: int) -> None:
        """Stop skipping the provider."""
        self._until.pop(index, None)


def requested_wait(error: ProviderError) -> float | None:
    """Return the seconds that an error asks to wait, at most ``MAX_RETRY_AFTER``.

    Args:
        error: the error; its ``retry_after`` may be of a provider that is not of this package.

    Returns:
        The seconds; None if there is no wait, or it is no number of 0 or more.
    """
    wait: object = error.retry_after
    if isinstance(wait, bool) or not isinstance(wait, int | float) or not wait >= 0:
        return None
    return min(wait, MAX_RETRY_AFTER)
