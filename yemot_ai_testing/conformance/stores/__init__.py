"""The rules of session stores."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.conformance.rule import AnyRule
from yemot_ai_testing.conformance.stores.hold_rules import HOLD_RULES
from yemot_ai_testing.conformance.stores.session_rules import SESSION_RULES

__all__ = ["STORE_RULES"]

STORE_RULES: Final[tuple[AnyRule, ...]] = (*SESSION_RULES.rules, *HOLD_RULES.rules)
"""All rules, in the order of their numbers (from 1)."""
