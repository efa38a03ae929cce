from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai_testing import contract
from yemot_ai_testing.conformance.stores.bench import StoreFactory

RULES = contract.session_store_rules()


@pytest.mark.slow
def test_every_store_keeps_all_rules(make_store: StoreFactory, make_other: StoreFactory) -> None:
    verdicts = contract.session_store(make_store, make_other=make_other).run_all()

    assert [verdict for verdict in verdicts if verdict.outcome != "held"] == []


def test_one_rule_can_be_tried_alone(make_store: StoreFactory) -> None:
    verdict = contract.session_store(make_store).run("session-odd-ids")

    assert verdict.outcome == "held"


def test_each_rule_has_a_unique_name_and_sentence() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) >= 70
    assert len({rule.title for rule in RULES}) == len(RULES)


def test_the_documentation_lists_the_rules() -> None:
    page = (Path(__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8")

    listed = page.partition("## The rules of session stores")[2].partition("\n## ")[0]
    assert [row for row in listed.splitlines() if row.startswith("| `")] == [
        f"| `{rule.id}` | {rule.title} |" for rule in RULES
    ]
