"""The providers of this project keep the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.subjects import SUBJECTS, WITH_DEADLINE, chat, responses
from yemot_ai.providers import CodexAppServerProvider, CodexCLIProvider
from yemot_ai_testing import ModelServer, RealCodex, contract
from yemot_ai_testing.property.echo_provider import EchoProvider

DEADLINE_RULES = frozenset({"failure-deadline", "failure-deadline-later"})


def described(verdicts: list[contract.Verdict]) -> list[str]:
    return [f"{one.rule.id}: expected {one.expected}; actual {one.actual}" for one in verdicts]


@pytest.mark.slow
@pytest.mark.parametrize("name", SUBJECTS)
def test_each_provider_keeps_every_rule(name: str) -> None:
    subject = SUBJECTS[name]
    verdicts = subject.suite().run_all()

    assert described([one for one in verdicts if one.outcome == "breached"]) == []
    assert {one.rule.id for one in verdicts if one.outcome == "not run"} <= subject.not_run | DEADLINE_RULES


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_DEADLINE)
def test_each_provider_keeps_its_deadline(name: str) -> None:
    suite = contract.provider(
        lambda backend: WITH_DEADLINE[name](backend, 1.0), backend=SUBJECTS[name].backend, deadline=1.0
    )

    suite.check(*DEADLINE_RULES)
    assert suite.run("failure-deadline").outcome == "held"


@pytest.mark.slow
def test_rules_hold_with_the_real_codex(real_binary: Path) -> None:
    suite = contract.provider(
        lambda codex: CodexCLIProvider(codex.executable), backend=lambda: RealCodex(real_binary)
    )

    suite.check("answer-whole", "prompt-control", "session-calls", "session-instructions", "work-stopped")


@pytest.mark.slow
@pytest.mark.parametrize("provider", [CodexCLIProvider, CodexAppServerProvider])
def test_cut_answers_and_commentary_of_the_real_codex_keep_the_rules(
    real_binary: Path, provider: type[CodexCLIProvider | CodexAppServerProvider]
) -> None:
    suite = contract.provider(
        lambda codex: provider(codex.executable), backend=lambda: RealCodex(real_binary)
    )

    suite.check("answer-cut", "answer-alone")
    assert {suite.run(rule).outcome for rule in ("answer-cut", "answer-alone")} == {"held"}


@pytest.mark.slow
def test_a_conversation_that_the_service_does_not_keep_is_in_the_session() -> None:
    suite = contract.provider(lambda server: responses(server, store=False), backend=ModelServer)

    suite.check(*(rule for rule in contract.provider_rules() if rule.id.startswith("session-")))


@pytest.mark.parametrize("quirks", ["ollama", "vllm", "openrouter", "deepseek", "groq"])
def test_thoughts_of_compatible_servers_are_no_part_of_the_answer(quirks: str) -> None:
    suite = contract.provider(chat, backend=lambda: ModelServer(quirks=quirks))

    assert suite.run("answer-alone").outcome == "held"


@pytest.mark.filterwarnings("ignore::yemot_ai_testing.contract.RulesNotRunWarning")
@pytest.mark.slow
def test_a_provider_that_answers_by_itself_keeps_the_rules_that_need_no_model() -> None:
    verdicts = contract.provider(EchoProvider).run_all()

    assert described([one for one in verdicts if one.outcome == "breached"]) == []
    assert {one.rule.id for one in verdicts if one.outcome == "held"} > {
        "answer-reply",
        "session-calls",
        "session-json",
        "session-workers",
        "work-cancelled",
        "work-leftovers",
        "work-parallel",
    }
