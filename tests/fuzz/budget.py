"""The number of examples of the fuzz tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

__all__ = ["FUZZ", "fuzz"]


def fuzz(examples: int) -> settings:
    """Return settings for so many examples; with ``--hypothesis-profile=nightly``, for 100,000."""
    if settings.get_current_profile_name() == "nightly":
        return settings()
    return settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])


FUZZ = fuzz(1_000)
