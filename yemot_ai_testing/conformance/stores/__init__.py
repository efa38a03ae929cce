"""The rules of session stores."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.conformance.rule import AnyRule
from yemot_ai_testing.conformance.stores.cancel_rules import CANCEL_RULES
from yemot_ai_testing.conformance.stores.hold_rules import HOLD_RULES
from yemot_ai_testing.conformance.stores.id_rules import ID_RULES
from yemot_ai_testing.conformance.stores.lifetime_rules import LEASE_CLOCK_RULES, LIFETIME_RULES
from yemot_ai_testing.conformance.stores.list_rules import LIST_RULES
from yemot_ai_testing.conformance.stores.session_rules import SESSION_RULES
from yemot_ai_testing.conformance.stores.size_rules import SIZE_RULES
from yemot_ai_testing.conformance.stores.stranger_rules import STRANGER_RULES

__all__ = ["STORE_RULES"]

_GROUPS: Final = (
    SESSION_RULES,
    SIZE_RULES,
    ID_RULES,
    LIST_RULES,
    LIFETIME_RULES,
    HOLD_RULES,
    CANCEL_RULES,
    LEASE_CLOCK_RULES,
    STRANGER_RULES,
)

STORE_RULES: Final[tuple[AnyRule, ...]] = tuple(rule for group in _GROUPS for rule in group.rules)
"""All rules, in the order of their numbers (from 1)."""
