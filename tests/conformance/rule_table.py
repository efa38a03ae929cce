"""The table of the rules for providers in ``docs/contract.md``.

``python -m tests.conformance.rule_table`` writes it.
"""

from __future__ import annotations

from tests.docs.generated_section import Section, code, table
from yemot_ai_testing import contract

__all__ = ["SECTION", "render"]

SECTION = Section("contract.md", "rules of providers", "tests.conformance.rule_table")


def render() -> str:
    rows = [(code(rule.id), rule.title, rule.fix) for rule in contract.provider_rules()]
    return table(("rule", "", "if it is broken"), rows)


if __name__ == "__main__":
    SECTION.write(render())
