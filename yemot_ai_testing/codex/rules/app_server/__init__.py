"""The rules of ``codex app-server``, measured with the real binary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.app_server.requests import REQUEST_RULES
from yemot_ai_testing.codex.rules.app_server.threads import THREAD_RULES
from yemot_ai_testing.codex.rules.app_server.turns import TURN_RULES

if TYPE_CHECKING:
    from yemot_ai_testing.codex.rules.app_server.bench import AppServerBench
    from yemot_ai_testing.conformance.rule import RuleGroup

__all__ = ["SERVER_RULE_GROUPS"]

SERVER_RULE_GROUPS: Final[tuple[RuleGroup[AppServerBench], ...]] = (THREAD_RULES, TURN_RULES, REQUEST_RULES)
"""All groups, in the order of the rules' numbers. A rule that holds for 0.142.0 has no ``since``."""
