"""The rules of providers."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.conformance.providers.answer_rules import ANSWER_RULES
from yemot_ai_testing.conformance.providers.failure_rules import FAILURE_RULES
from yemot_ai_testing.conformance.providers.prompt_rules import PROMPT_RULES
from yemot_ai_testing.conformance.providers.session_rules import SESSION_RULES
from yemot_ai_testing.conformance.providers.stream_rules import STREAM_RULES
from yemot_ai_testing.conformance.providers.work_rules import CLOSE_RULES, WORK_RULES
from yemot_ai_testing.conformance.rule import AnyRule

__all__ = ["PROVIDER_RULES"]

PROVIDER_RULES: Final[tuple[AnyRule, ...]] = tuple(
    rule
    for group in (
        ANSWER_RULES, PROMPT_RULES, SESSION_RULES, FAILURE_RULES, STREAM_RULES, WORK_RULES, CLOSE_RULES
    )
    for rule in group.rules
)  # fmt: skip
"""All rules, in the order of their numbers (from 1)."""
