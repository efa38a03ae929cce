"""The rules for providers find each planted fault, and accuse no healthy provider."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance import faulty_clients, faulty_streams, faulty_wrappers
from tests.conformance.chat_client import ChatClient
from tests.conformance.codex_wrapper import CodexWrapper
from tests.conformance.faults import DEADLINE, FAULTS, Fault
from yemot_ai_testing import contract
from yemot_ai_testing.conformance.providers import bench, stream_rules, suite

TABLE = "faults of a provider: planted fault | caught by"

DEADLINE_RULES = ("failure-deadline", "failure-deadline-later")


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for 3 s for what a broken provider never does: the rule is breached in any case."""
    for module in (bench, stream_rules):
        monkeypatch.setattr(module, "TIMEOUT", 3.0)
    monkeypatch.setattr(suite, "MAX_BLOCKED", 2.0)


def test_the_faults_of_each_module_are_registered() -> None:
    modules = {fault.provider.__module__ for fault in FAULTS.values()}

    assert modules == {one.__name__ for one in (faulty_clients, faulty_streams, faulty_wrappers)}


def test_a_fault_is_planted_for_each_rule() -> None:
    found = {rule for fault in FAULTS.values() for rule in fault.caught_by}

    assert found == {rule.id for rule in contract.provider_rules()}


@pytest.mark.slow
@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_by_the_rules_for_it(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    fault = FAULTS[name]
    record_property("table", (TABLE, (name, ", ".join(fault.caught_by))))

    outcomes = {rule: _suite(fault, rule).run(rule).outcome for rule in fault.caught_by}
    assert outcomes == dict.fromkeys(fault.caught_by, "breached")


def _suite(fault: Fault, rule: str) -> contract.ProviderSuite:
    return fault.suite(deadline=DEADLINE if rule in DEADLINE_RULES else None)


@pytest.mark.slow
@pytest.mark.parametrize("provider", [CodexWrapper, ChatClient], ids=lambda provider: provider.__name__)
def test_a_healthy_provider_of_a_user_breaks_no_rule(provider: type[CodexWrapper | ChatClient]) -> None:
    healthy = Fault(provider, ())
    verdicts = [
        *healthy.suite().run_all(),
        *healthy.suite(deadline=DEADLINE).run_all(map(_suite(healthy, "").find_rule, DEADLINE_RULES)),
    ]

    assert [one.rule.id for one in verdicts if one.outcome == "breached"] == []
