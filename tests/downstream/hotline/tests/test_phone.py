from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hotline.phone import BRANCHES

from yemot_ai.protocol import lint

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from yemot_ai_testing import Caller


def test_the_question_is_unchanged(yemot_caller: Caller, yemot_snapshot: SnapshotAssertion) -> None:
    yemot_caller.dial()
    assert yemot_caller.raw == yemot_snapshot


@pytest.mark.parametrize("key", sorted(BRANCHES))
def test_a_caller_hears_about_the_branch_that_was_chosen(yemot_caller: Caller, key: str) -> None:
    yemot_caller.dial()
    assert yemot_caller.presses(key) == BRANCHES[key]


def test_the_line_understands_every_answer(yemot_caller: Caller) -> None:
    yemot_caller.dial()
    yemot_caller.presses("1")
    for exchange in yemot_caller.exchanges:
        assert [problem for problem in lint(exchange.body) if problem.level == "error"] == []


@pytest.mark.yemot(server_timeout=1.0)
def test_the_line_gets_its_answer_in_a_second(yemot_caller: Caller) -> None:
    yemot_caller.dial()
    assert yemot_caller.dead_air < 1.0
