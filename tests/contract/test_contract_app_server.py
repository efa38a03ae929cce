"""The fake app-server and the real one keep every rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from yemot_ai_testing.contract.app_server.rules import RULES
from yemot_ai_testing.contract.app_server.stage import on_fake, on_real
from yemot_ai_testing.doubles.codex import FakeCodex

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("rule", RULES)
def test_our_fake_keeps_the_rule(rule: str) -> None:
    fake = FakeCodex()
    try:
        with on_fake(fake) as stage:
            RULES[rule](stage)
    finally:
        fake.close()


@pytest.mark.parametrize("rule", RULES)
def test_the_real_server_keeps_the_rule(rule: str, real_binary: Path) -> None:
    with on_real(real_binary) as stage:
        RULES[rule](stage)


def test_each_rule_is_a_sentence_of_its_own() -> None:
    sentences = {(rule.__doc__ or "").strip() for rule in RULES.values()}
    assert len(sentences) == len(RULES) >= 20
    assert all(sentence.endswith(".") for sentence in sentences)
