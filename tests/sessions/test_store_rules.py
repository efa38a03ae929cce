from __future__ import annotations

import pytest

from yemot_ai_testing import contract
from yemot_ai_testing.conformance.stores.bench import StoreFactory

RULES = contract.session_store_rules()


@pytest.mark.slow
def test_every_store_keeps_all_rules(make_store: StoreFactory) -> None:
    contract.session_store(make_store).check()


def test_one_rule_can_be_tried_alone(make_store: StoreFactory) -> None:
    verdict = contract.session_store(make_store).run("session-odd-ids")

    assert verdict.outcome == "held"


def test_each_rule_has_a_unique_name_and_sentence() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) >= 30
    assert len({rule.title for rule in RULES}) == len(RULES)
