"""Our fake and the real Codex keep every rule: each is a test of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from yemot_ai_testing import contract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from yemot_ai_testing.codex.rules.suite import CodexSuite
    from yemot_ai_testing.conformance.rule import AnyRule, Interface

CASES = contract.codex_rules() + contract.codex_rules("app-server")
WITHOUT_A_SERVICE = {"events-mixed", "events-unknown-item", "thread-remembers"}
"""What a fake cannot show: it asks no model."""


@pytest.fixture(scope="session")
def fake_suite() -> Iterator[CodexSuite]:
    with contract.codex("fake") as suite:
        yield suite


@pytest.fixture(scope="session")
def real_suite(real_binary: Path) -> Iterator[CodexSuite]:
    with contract.codex(real_binary) as suite:
        yield suite


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_our_fake_keeps_the_rule(fake_suite: CodexSuite, case: AnyRule) -> None:
    applies = case.applies_to(fake_suite.version) and case.id not in WITHOUT_A_SERVICE
    verdict = fake_suite.run(case)
    assert verdict.outcome == ("held" if applies else "not applicable"), (
        f"{verdict.expected}; {verdict.actual}"
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_real_codex_keeps_the_rule(real_suite: CodexSuite, case: AnyRule) -> None:
    applies = case.applies_to(real_suite.version)
    verdict = real_suite.run(case)
    assert verdict.outcome == ("held" if applies else "not applicable"), (
        f"{verdict.expected}; {verdict.actual}"
    )


@pytest.mark.parametrize("version", ["0.142.0", "0.163.0"])
def test_the_fake_of_an_older_version_keeps_the_rules_of_that_version(version: str) -> None:
    with contract.codex(f"fake@{version}") as suite:
        assert suite.version == version
        suite.check()


@pytest.mark.parametrize("face", ["exec", "app-server"])
def test_the_suite_of_a_face_tries_the_rules_of_that_face(face: Interface) -> None:
    with contract.codex("fake", interface=face) as suite:
        assert suite.rules == contract.codex_rules(face)
        assert {case.interface for case in suite.rules} == {face}


def test_a_version_that_was_not_recorded_as_a_server_is_held_to_no_rule_of_servers() -> None:
    with contract.codex("fake@0.142.0", interface="app-server") as suite:
        (verdict,) = suite.run_all(suite.rules[:1])
    assert (verdict.outcome, verdict.reason) == (
        "not applicable",
        "the fake has recordings of a server for 0.169.0 only",
    )


def test_there_are_rules_for_everything_and_each_has_a_name_of_its_own() -> None:
    assert len(contract.codex_rules()) >= 50
    assert len(contract.codex_rules("app-server")) >= 20
    assert len({case.id for case in CASES}) == len(CASES)
    assert len({case.title for case in CASES}) == len(CASES)


def test_a_rule_of_other_versions_does_not_apply(fake_suite: CodexSuite) -> None:
    verdict = fake_suite.run("thread-second-writer-admitted")
    assert (verdict.outcome, verdict.reason) == (
        "not applicable",
        "the rule holds before 0.163.0; this is 0.169.0",
    )


def test_an_unknown_case_is_named_with_those_there_are(fake_suite: CodexSuite) -> None:
    with pytest.raises(LookupError, match="no rule 'frob'; there are: argv-dash, "):
        fake_suite.run("frob")
