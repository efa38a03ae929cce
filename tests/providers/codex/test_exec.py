"""``CodexCLIProvider`` with the fake and the real Codex."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.asking import ask_provider
from tests.support.codex import Codex, exec_provider, run_async, script_case, thread_id_of
from yemot_ai.errors import (
    AnswerEmptyError,
    AuthenticationError,
    CodexNotFoundError,
    ContextOverflowError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    UnknownModelError,
)
from yemot_ai.providers import CodexAppServerProvider, CodexCLIProvider
from yemot_ai.providers.provider import Provider, SupportsEndSession, Usage
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.real import RealCodex

if TYPE_CHECKING:
    from yemot_ai_testing.doubles.steps import FailureKind

DANGEROUS_PROMPTS = [
    "review",
    "--last",
    "-",
    "; rm -rf ~",
    "$(id)",
    "resume --last",
    "--help",
    "@file",
    "\u200fשלום\n\nשורה",
]


@pytest.mark.slow
def test_an_utterance_is_answered_in_a_new_thread(codex: Codex) -> None:
    codex.answers("עכשיו שלוש וחצי.")
    reply = run_async(ask_provider(exec_provider(), "מה השעה?"))
    assert reply.text == "עכשיו שלוש וחצי."
    assert thread_id_of(reply.session) == codex.requests[0].thread_id
    codex.assert_complete()


@pytest.mark.slow
def test_a_further_utterance_is_answered_in_the_same_thread(codex: Codex) -> None:
    codex.answers("שלום.").answers("דוד.")
    first = run_async(ask_provider(exec_provider(), "קוראים לי דוד"))
    second = run_async(ask_provider(exec_provider(), "איך קוראים לי?", session=first.session))
    assert second.text == "דוד."
    assert thread_id_of(second.session) == thread_id_of(first.session)
    assert codex.requests[1].session == thread_id_of(first.session)


@pytest.mark.slow
def test_the_model_gets_the_first_utterance_in_the_second_turn(real: RealCodex) -> None:
    real.answers("שלום.").answers("דוד.")
    first = run_async(ask_provider(exec_provider(), "קוראים לי דוד"))
    run_async(ask_provider(exec_provider(), "איך קוראים לי?", session=first.session))
    assert real.model.requests[1].user_messages == ("קוראים לי דוד", "איך קוראים לי?")


@pytest.mark.slow
@pytest.mark.parametrize("words", DANGEROUS_PROMPTS)
def test_the_prompt_never_reaches_the_command_line(codex: Codex, words: str) -> None:
    codex.answers("כן.")
    assert run_async(ask_provider(exec_provider(), words)).text == "כן."
    (request,) = codex.requests
    assert request.prompt.strip() == words.strip()
    assert request.argv[-1] == "-"
    assert words == "-" or words not in request.argv


@pytest.mark.slow
def test_it_runs_outside_of_any_repository_in_an_empty_folder(codex: Codex) -> None:
    codex.answers("כן.")
    run_async(ask_provider(exec_provider(), "שלום"))
    folder = Path(codex.requests[0].cwd)
    assert folder != Path.cwd()
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_the_process_gets_no_other_environment_variables(
    codex: Codex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "not for the model")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    codex.answers("כן.")
    run_async(ask_provider(exec_provider(env={"TENANT": "7"}), "שלום"))
    names = codex.requests[0].env_names
    assert {"PATH", "HOME", "CODEX_HOME", "LANG", "TENANT"} <= names
    assert not names & {"DATABASE_PASSWORD", "OPENAI_BASE_URL"}
    assert len(names) <= 20


@pytest.mark.slow
def test_instructions_replace_the_prompt_of_codex_at_each_turn(codex: Codex) -> None:
    codex.answers("א").answers("ב").answers("ג")
    own_provider = exec_provider(instructions="ענה בשיר")
    first = run_async(ask_provider(own_provider, "שלום", instructions="ענה בקצרה"))
    run_async(ask_provider(own_provider, "שוב", session=first.session, instructions="ענה באריכות"))
    run_async(ask_provider(own_provider, "ושוב", session=first.session))
    assert [request.instructions for request in codex.requests] == ["ענה בקצרה", "ענה באריכות", "ענה בשיר"]


@pytest.mark.slow
def test_the_model_gets_only_the_instructions_and_few_bytes(real: RealCodex) -> None:
    real.answers("א")
    run_async(ask_provider(exec_provider(), "שלום", instructions="ענה בקצרה"))
    (request,) = real.model.requests
    assert request.instructions == "ענה בקצרה"
    assert request.user_messages == ("שלום",)
    assert request.tools == ()
    assert request.size < 3000


@pytest.mark.slow
def test_a_command_of_the_model_is_not_run(codex: Codex) -> None:
    script_case(codex, "tool_unknown")
    assert run_async(ask_provider(exec_provider(), "צור קובץ")).text == "אי אפשר."
    assert not (Path(codex.requests[0].cwd) / "refused").exists()


@pytest.mark.slow
def test_each_turn_has_its_own_usage(codex: Codex) -> None:
    codex.answers("א").answers("ב").answers("ג")
    replies = [run_async(ask_provider(exec_provider(), "שלום"))]
    for _ in range(2):
        replies.append(run_async(ask_provider(exec_provider(), "עוד", session=replies[-1].session)))
    assert [reply.usage for reply in replies] == [Usage(100, 10, 7, 0)] * 3


@pytest.mark.slow
def test_the_answer_is_the_last_message_of_several(codex: Codex) -> None:
    script_case(codex, "two_messages")
    assert run_async(ask_provider(exec_provider(), "מה השעה?")).text == "עכשיו שלוש וחצי."


@pytest.mark.slow
def test_reasoning_is_not_the_answer(codex: Codex) -> None:
    script_case(codex, "reasoning")
    assert run_async(ask_provider(exec_provider(), "מה השעה?")).text == "עכשיו שלוש וחצי."


@pytest.mark.slow
def test_a_reconnected_stream_is_no_failure(codex: Codex) -> None:
    script_case(codex, "reconnected")
    assert run_async(ask_provider(exec_provider(), "מה השעה?")).text == "עכשיו שלוש וחצי."


@pytest.mark.slow
def test_a_turn_without_a_message_is_a_failure(codex: Codex) -> None:
    script_case(codex, "no_message")
    with pytest.raises(AnswerEmptyError) as caught:
        run_async(ask_provider(exec_provider(), "שלום"))
    assert caught.value.exit_code == 0
    assert caught.value.thread_id


@pytest.mark.slow
def test_an_answer_of_megabytes_arrives_whole(codex: Codex) -> None:
    answer = "מילה " * 40_000
    codex.answers(answer)
    assert run_async(ask_provider(exec_provider(), "ספר לי הכול")).text == answer


@pytest.mark.slow
def test_separators_inside_an_answer_do_not_cut_it(codex: Codex) -> None:
    answer = 'שורה\u2028ועוד\u2029אחת\x85"\\ {thread_id} {usage}\nסוף'
    codex.answers(answer)
    assert run_async(ask_provider(exec_provider(), "שלום")).text == answer


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limited", RateLimitedError),
        ("unauthorized", AuthenticationError),
        ("overloaded", OverloadedError),
        ("context_overflow", ContextOverflowError),
        ("quota_exceeded", QuotaExceededError),
        ("unknown_model", UnknownModelError),
    ],
)
def test_an_error_response_has_its_own_class(
    codex: Codex, kind: FailureKind, error: type[ProviderError]
) -> None:
    codex.fails(kind)
    with pytest.raises(error) as caught:
        run_async(ask_provider(exec_provider(), "שלום"))
    assert type(caught.value).kind == kind
    assert caught.value.exit_code == 1
    assert caught.value.thread_id == codex.requests[0].thread_id


@pytest.mark.slow
def test_a_thread_survives_an_error(codex: Codex) -> None:
    codex.answers("א").fails("rate_limited").answers("ג")
    first = run_async(ask_provider(exec_provider(), "אחת"))
    with pytest.raises(RateLimitedError):
        run_async(ask_provider(exec_provider(), "שתיים", session=first.session))
    assert run_async(ask_provider(exec_provider(), "שלוש", session=first.session)).text == "ג"


@pytest.mark.slow
def test_a_cut_stream_is_a_transient_crash(codex: Codex) -> None:
    codex.drops("עכשיו ש")
    with pytest.raises(ProviderCrashError, match="stream disconnected") as caught:
        run_async(ask_provider(exec_provider(), "שלום"))
    assert caught.value.transient
    assert caught.value.exit_code == 1


@pytest.mark.slow
def test_a_process_that_crashes_is_an_error_with_its_exit_code(codex: Codex) -> None:
    codex.crashes(exit=3, stderr="boom")
    with pytest.raises(ProviderCrashError) as caught:
        run_async(ask_provider(exec_provider(), "שלום"))
    assert caught.value.exit_code == (-9 if isinstance(codex, RealCodex) else 3)


@pytest.mark.slow
def test_a_given_codex_home_is_used_unchanged(codex: Codex, tmp_path: Path) -> None:
    codex.answers("א")
    home = tmp_path / "mine"
    run_async(ask_provider(exec_provider(codex_home=home), "שלום"))
    assert len(list(home.glob("sessions/*/*/*/*.jsonl"))) == 1
    assert not (home / "auth.json").exists()


@pytest.mark.slow
def test_a_call_that_was_not_scripted_fails_and_is_reported(codex: Codex) -> None:
    with pytest.raises(ProviderCrashError, match="no step scripted"):
        run_async(ask_provider(exec_provider(), "הפתעה"))
    with pytest.raises(AssertionError, match="הפתעה"):
        codex.assert_complete()


def test_an_unused_step_is_reported(codex: Codex) -> None:
    codex.answers("לשווא")
    with pytest.raises(AssertionError, match="לשווא"):
        codex.assert_complete()


def test_it_is_a_provider_that_can_end_sessions() -> None:
    assert isinstance(exec_provider(), Provider)
    assert isinstance(exec_provider(), SupportsEndSession)
    assert exec_provider().name == "codex"


def test_the_error_for_a_missing_binary_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CodexNotFoundError, match="npm install -g @openai/codex"):
        exec_provider().check()
    with pytest.raises(CodexNotFoundError):
        run_async(ask_provider(exec_provider(), "שלום"))


def test_the_executable_is_looked_up_at_each_turn() -> None:
    own_provider = exec_provider()
    for _ in range(2):
        with FakeCodex().answers("א") as fake:
            assert own_provider.check() == fake.executable
            run_async(ask_provider(own_provider, "שלום"))
            fake.assert_complete()


def test_an_unknown_option_is_an_error_for_mypy_and_when_it_runs() -> None:
    with pytest.raises(TypeError, match="timout"):
        CodexCLIProvider(timout=3.0)  # type: ignore[call-arg]  # the misspelling is the test
    with pytest.raises(TypeError, match="timout"):
        CodexAppServerProvider(timout=3.0)  # type: ignore[call-arg]  # as above


def test_options_are_copied() -> None:
    variables = {"A": "1"}
    provider = CodexCLIProvider(env=variables)
    variables["B"] = "2"
    assert "B" not in provider._settings.environment
