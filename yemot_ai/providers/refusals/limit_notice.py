"""Log until when a service refuses all requests, once and not at every turn."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from typing import Final

from yemot_ai.errors import ProviderError, QuotaExceededError, RateLimitedError
from yemot_ai.providers.refusals.waits import MAX_WAIT

__all__ = ["LimitNotice"]

log = logging.getLogger("yemot_ai")

MIN_WAIT: Final = 60.0
"""Seconds; a shorter wait is over before the log is read."""


class LimitNotice:
    """The usage limit of one provider."""

    def __init__(self) -> None:
        self._until = 0.0

    def report(self, provider: str, error: ProviderError) -> None:
        """Log the end of a usage limit that is not in the log yet.

        Args:
            provider: its name, for the log.
            error: why the provider did not answer; an error that is not about a limit is ignored.
        """
        now = time.time()
        wait = error.retry_after if isinstance(error, RateLimitedError | QuotaExceededError) else None
        if wait is None or not MIN_WAIT <= wait <= MAX_WAIT or now < self._until:
            return
        self._until = now + wait
        end = datetime.fromtimestamp(self._until).astimezone().isoformat(timespec="minutes")
        log.warning("%s: usage limit until %s", provider, end)
