"""Our fake and the real Codex keep every rule; each rule is one test."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from yemot_ai_testing import contract
from yemot_ai_testing.codex import recordings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from yemot_ai_testing.codex.rules.suite import CodexSuite
    from yemot_ai_testing.conformance.rule import AnyRule, Interface

RULES = contract.codex_rules() + contract.codex_rules("app-server")
NEEDS_SERVICE = {"events-mixed", "events-unknown-item", "thread-remembers"}
"""The rules that do not apply to a fake, because it calls no model service."""


REAL_RULES = [rule for rule in RULES if rule.id.startswith(("events-", "thread-"))]
"""The rules that use all of the model service. ``tox -e contract`` checks every rule, on every version."""


@pytest.fixture(scope="session")
def fake_suite() -> Iterator[CodexSuite]:
    with contract.codex("fake") as suite:
        yield suite


@pytest.fixture(scope="session")
def real_suite(real_binary: Path) -> Iterator[CodexSuite]:
    with contract.codex(real_binary) as suite:
        yield suite


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_our_fake_keeps_the_rule(fake_suite: CodexSuite, rule: AnyRule) -> None:
    applies = rule.applies_to(fake_suite.version) and rule.id not in NEEDS_SERVICE
    verdict = fake_suite.run(rule)
    assert verdict.outcome == ("held" if applies else "not applicable"), (
        f"{verdict.expected}; {verdict.actual}"
    )


@pytest.mark.parametrize("rule", REAL_RULES, ids=lambda rule: rule.id)
def test_the_real_codex_keeps_the_rule(real_suite: CodexSuite, rule: AnyRule) -> None:
    applies = rule.applies_to(real_suite.version)
    verdict = real_suite.run(rule)
    assert verdict.outcome == ("held" if applies else "not applicable"), (
        f"{verdict.expected}; {verdict.actual}"
    )


@pytest.fixture
def ignored_interrupts() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ignored_interrupts")
def test_a_signal_that_a_background_job_of_a_shell_ignores_is_not_judged(fake_suite: CodexSuite) -> None:
    (rule,) = (rule for rule in RULES if rule.id == "signal-int-asking")
    verdict = fake_suite.run(rule)
    assert (verdict.outcome, verdict.reason) == (
        "not applicable",
        "SIGINT is ignored here, as in a background job of a shell",
    )


@pytest.mark.parametrize("interface", ["exec", "app-server"])
def test_the_suite_of_an_interface_has_the_rules_of_that_interface(interface: Interface) -> None:
    with contract.codex("fake", interface=interface) as suite:
        assert suite.rules == contract.codex_rules(interface)
        assert {rule.interface for rule in suite.rules} == {interface}


def test_no_server_rule_applies_to_a_version_without_a_recorded_server() -> None:
    with contract.codex("fake@0.142.0", interface="app-server") as suite:
        (verdict,) = suite.run_all(suite.rules[:1])
    assert (verdict.outcome, verdict.reason) == (
        "not applicable",
        f"the fake has recordings of a server for {', '.join(recordings.server_versions())} only",
    )


def test_no_rule_is_checked_if_none_is_selected() -> None:
    with contract.codex("fake") as suite:
        assert suite.run_all([]) == []


def test_ids_and_titles_of_rules_are_unique() -> None:
    assert len(contract.codex_rules()) >= 50
    assert len(contract.codex_rules("app-server")) >= 20
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert len({rule.title for rule in RULES}) == len(RULES)


def test_a_rule_of_other_versions_does_not_apply(fake_suite: CodexSuite) -> None:
    verdict = fake_suite.run("thread-second-writer-admitted")
    assert (verdict.outcome, verdict.reason) == (
        "not applicable",
        f"the rule holds before 0.163.0; this is {recordings.versions()[-1]}",
    )


def test_the_error_for_an_unknown_rule_names_five_rules_and_how_to_list_all(fake_suite: CodexSuite) -> None:
    with pytest.raises(LookupError, match="no rule 'frob', but argv-dash, ") as unknown:
        fake_suite.run("frob")
    message = str(unknown.value)
    assert message.count(", ") == 5
    assert message.endswith("; all: yemot-ai-testing contract --interface all --list")
