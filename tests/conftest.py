"""What all tests share: how much Hypothesis tries.

Tests that name no number of examples try Hypothesis's own; those of ``tests/fuzz`` try 2,000, and 100,000
with ``--hypothesis-profile=nightly`` (``tox -e nightly``).
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

collect_ignore = ["downstream"]  # projects of their own, whose suites run on the wheel: tox -e downstream

settings.register_profile(
    "nightly", max_examples=100_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
