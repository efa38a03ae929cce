"""The rules of ``codex exec --json``, one module for each group; all were measured with the real binary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.exec.argv import ARGV_RULES
from yemot_ai_testing.codex.rules.exec.argv_resume import RESUME_RULES
from yemot_ai_testing.codex.rules.exec.events import EVENT_RULES
from yemot_ai_testing.codex.rules.exec.failures import FAILURE_RULES
from yemot_ai_testing.codex.rules.exec.home import HOME_RULES
from yemot_ai_testing.codex.rules.exec.output import OUTPUT_RULES
from yemot_ai_testing.codex.rules.exec.signals import SIGNAL_RULES
from yemot_ai_testing.codex.rules.exec.stdin import STDIN_RULES
from yemot_ai_testing.codex.rules.exec.threads import THREAD_RULES

if TYPE_CHECKING:
    from yemot_ai_testing.codex.rules.bench import ExecBench
    from yemot_ai_testing.conformance.rule import RuleGroup

__all__ = ["RULE_GROUPS"]

RULE_GROUPS: Final[tuple[RuleGroup[ExecBench], ...]] = (
    ARGV_RULES,
    RESUME_RULES,
    STDIN_RULES,
    EVENT_RULES,
    OUTPUT_RULES,
    FAILURE_RULES,
    THREAD_RULES,
    SIGNAL_RULES,
    HOME_RULES,
)
"""All groups, in the order of the rules' numbers."""
