"""Faults are planted in copies of the fake's program, and the right cases of the suite catch them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.codex.rules.exec_faults import FAULTS
from tests.codex.rules.fault import Fault, fault
from tests.codex.rules.planting import planted
from tests.support.fault_table import Row
from yemot_ai_testing.codex.fake.program.process import encode_text
from yemot_ai_testing.codex.rules.suite import suite_for

TRIAL = "faults of a fake"


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(name: str, request: pytest.FixtureRequest) -> None:
    cases = FAULTS[name].caught_by
    Row(TRIAL, name, ", ".join(cases), "fake").attach_to(request)
    with planted(FAULTS[name]) as fake, ThreadPoolExecutor() as pool:
        suite = suite_for(fake.executable, name=name)
        # At once: whoever waits for ever is waited for, and not once for each case.
        outcomes = dict(zip(cases, pool.map(lambda case: suite.run(case).outcome, cases), strict=True))
    assert outcomes == dict.fromkeys(cases, "breached")


def test_what_the_program_does_not_have_cannot_be_replaced() -> None:
    def gone() -> None:
        pass

    gone.__module__ = encode_text.__module__
    gone.__qualname__ = "gone"
    faults: dict[str, Fault] = {}
    fault(faults, "none", replaces=gone, caught_by=())(lambda: None)
    with pytest.raises(AttributeError, match="gone"):
        faults["none"].install()
