"""The rules of session stores, numbered by their place."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.conformance.stores.bench import Rule
from yemot_ai_testing.conformance.stores.holds import HOLDS
from yemot_ai_testing.conformance.stores.sessions import SESSIONS

__all__ = ["RULES"]

RULES: Final[tuple[Rule, ...]] = (*SESSIONS.rules, *HOLDS.rules)
"""All rules, in the order of their numbers (from 1)."""
