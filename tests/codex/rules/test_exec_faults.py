"""Faults are planted in copies of the fake's program, and the right rules of the suite catch them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.codex.rules.exec_faults import FAULTS
from tests.codex.rules.fault import Fault, fault
from tests.codex.rules.planting import planted
from yemot_ai_testing.codex.fake.program.process import encode_text
from yemot_ai_testing.codex.rules import bench, process
from yemot_ai_testing.codex.rules.suite import suite_for

TABLE = "faults of a fake: planted fault | caught by"


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a hanging process for 2 s: the rule is breached in any case, and the fake starts in 15 ms."""
    monkeypatch.setattr(bench, "TIMEOUT", 2.0)
    monkeypatch.setattr(process, "TIMEOUT", 2.0)
    monkeypatch.setattr(process.wait_completed, "__defaults__", (2.0,))


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(name: str, record_property: Callable[[str, object], None]) -> None:
    rules = FAULTS[name].caught_by
    record_property("table", (TABLE, (name, ", ".join(rules))))
    with planted(FAULTS[name]) as fake, ThreadPoolExecutor() as pool:
        suite = suite_for(fake.executable, name=name)
        # In parallel, so that hanging processes are waited for at the same time.
        outcomes = dict(zip(rules, pool.map(lambda rule: suite.run(rule).outcome, rules), strict=True))
    assert outcomes == dict.fromkeys(rules, "breached")


def test_a_function_that_the_program_does_not_have_cannot_be_replaced() -> None:
    def missing() -> None:
        pass

    missing.__module__ = encode_text.__module__
    missing.__qualname__ = "missing"
    faults: dict[str, Fault] = {}
    fault(faults, "none", replaces=missing, caught_by=())(lambda: None)
    with pytest.raises(AttributeError, match="missing"):
        faults["none"].install()
