"""The rules of session stores, numbered by their place."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.contract.stores.holds import HOLDS
from yemot_ai_testing.contract.stores.rule import Rule
from yemot_ai_testing.contract.stores.sessions import SESSIONS

__all__ = ["RULES"]

RULES: Final[tuple[Rule, ...]] = (*SESSIONS.rules, *HOLDS.rules)
"""All rules, in the order of their numbers (from 1)."""
