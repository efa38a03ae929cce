"""The same conversations with each provider: a user's code does not depend on the provider."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.providers.provider_setups import PROVIDER_SETUPS, ProviderSetup
from yemot_ai import AICall, AIFlow, DialogSettings, YemotAI
from yemot_ai.ai import DEFAULT_INSTRUCTIONS
from yemot_ai.errors import (
    AnswerEmptyError,
    AuthenticationError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    UnknownModelError,
    YemotAIError,
)
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai.sessions import MemoryStore
from yemot_ai_testing import Caller


@pytest.fixture(params=list(PROVIDER_SETUPS))
def setup(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ProviderSetup]:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path))
    with PROVIDER_SETUPS[request.param]() as setup:
        yield setup
        setup.double.assert_complete()


@pytest.fixture
def ai(setup: ProviderSetup) -> Iterator[YemotAI]:
    ai = YemotAI(provider=setup.provider, instructions="ענה בקצרה")
    yield ai
    ai.close()


def test_a_conversation_is_remembered_over_its_turns(setup: ProviderSetup, ai: YemotAI) -> None:
    setup.double.answers("באיזה גודל?").answers("ומה לשתות?").answers("רשמתי")

    prompts = ("פיצה", "גדולה", "מים")
    assert [ai.reply("c1", text) for text in prompts] == ["באיזה גודל?", "ומה לשתות?", "רשמתי"]
    assert [request.prompt for request in setup.requests] == list(prompts)
    assert not setup.has_context("פיצה באה קודם", 0)
    assert setup.has_context("פיצה", 1)
    assert setup.has_context("פיצה", 2)
    assert setup.has_context("גדולה", 2)


def test_calls_do_not_share_context(setup: ProviderSetup, ai: YemotAI) -> None:
    setup.double.answers("נעים מאוד").answers("איני יודע")
    ai.reply("c1", "שמי דוד")
    ai.reply("c2", "איך קוראים לי?")

    assert not setup.has_context("שמי דוד")


def test_an_ended_call_gets_no_further_turn(setup: ProviderSetup, ai: YemotAI) -> None:
    setup.double.answers("נעים מאוד")
    ai.reply("c1", "שמי דוד")
    ai.end("c1")

    with pytest.raises(YemotAIError):
        ai.reply("c1", "איך קוראים לי?")
    assert len(setup.requests) == 1


def test_the_instructions_go_with_every_turn(setup: ProviderSetup, ai: YemotAI) -> None:
    setup.double.answers("כן").answers("בטוח").answers("yes")
    ai.reply("c1", "יש?")
    ai.reply("c1", "בטוח?")
    ai.reply("c1", "באנגלית?", instructions="Answer in English")

    assert [request.instructions for request in setup.requests] == [
        "ענה בקצרה",
        "ענה בקצרה",
        "Answer in English",
    ]


def test_the_default_instructions_ask_for_spoken_answers(setup: ProviderSetup) -> None:
    setup.double.answers("כן").answers("בטוח")
    ai = YemotAI(provider=setup.provider)
    ai.reply("c1", "יש?")
    ai.reply("c1", "בטוח?")
    ai.close()

    assert [request.instructions for request in setup.requests] == [DEFAULT_INSTRUCTIONS] * 2
    for phrase in ("בשיחת טלפון", "עברית", "משפטים קצרים", "אל תשתמש ברשימות", "מספרים ושעות כפי שאומרים"):
        assert phrase in DEFAULT_INSTRUCTIONS


def test_each_agent_answers_by_its_own_instructions_or_the_default_ones(
    setup: ProviderSetup, ai: YemotAI
) -> None:
    flow = AIFlow(ai, dialog=DialogSettings(answer_wait=30.0))

    def agent(call: AICall, text: str) -> None:
        """Let the AI answer."""

    flow.ai_agent("1", instructions="ענה כמו מלצר")(agent)
    flow.ai_agent("2")(agent)
    setup.double.answers("באיזה גודל?").answers("רשמתי").answers("שלום")
    waiter, default = Caller(flow, extension="1"), Caller(flow, extension="2")
    waiter.dial()
    waiter.says("פיצה")
    waiter.says("גדולה")
    default.dial()
    default.says("שלום לך")
    waiter.hangs_up()
    default.hangs_up()

    instructions = [request.instructions for request in setup.requests]
    assert instructions == ["ענה כמו מלצר", "ענה כמו מלצר", "ענה בקצרה"]


@pytest.mark.slow
def test_an_overloaded_model_is_retried_once(setup: ProviderSetup, ai: YemotAI) -> None:
    setup.double.answers("כן").fails("overloaded").answers("בטוח")
    ai.reply("c1", "יש?")

    assert ai.reply("c1", "בטוח?") == "בטוח"
    assert setup.has_context("יש?")


class PreviousProvider:
    """The provider before it was replaced."""

    name = "previous"

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        return Reply("נעים מאוד", {"previous": 1})

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return await self.start_session(prompt)


def test_a_session_that_the_provider_does_not_know_is_rebuilt(setup: ProviderSetup) -> None:
    store = MemoryStore()
    YemotAI(provider=PreviousProvider(), store=store).reply("c1", "שמי דוד")
    setup.lose_session()
    setup.double.answers("דוד").answers("בבקשה")
    ai = YemotAI(provider=setup.provider, store=store)

    assert ai.reply("c1", "איך קוראים לי?") == "דוד"
    assert "שמי דוד" in setup.caller_text()
    assert ai.reply("c1", "תודה") == "בבקשה"
    assert setup.has_context("איך קוראים לי?")
    ai.close()


def test_a_conversation_continues_after_a_context_overflow(setup: ProviderSetup, ai: YemotAI) -> None:
    setup.double.answers("כן").fails("context_overflow").answers("אני כאן")
    ai.reply("c1", "יש?")

    assert ai.reply("c1", "הלו?") == "אני כאן"
    assert "יש?" in setup.caller_text()


@pytest.mark.slow
def test_a_silent_model_ends_at_the_deadline_and_leaves_nothing_running(setup: ProviderSetup) -> None:
    setup.double.answers("כן").hangs()
    ai = YemotAI(provider=setup.provider, turn_timeout=2.0)
    YemotAI(provider=setup.provider).reply("c0", "יש?")  # the first turn of a process imports an SDK

    with pytest.raises(ProviderTimeoutError) as caught:
        ai.reply("c1", "יש?")
    assert caught.value.seconds == 2.0
    setup.wait_idle()
    ai.close()


def test_a_hang_up_leaves_nothing_running(setup: ProviderSetup, ai: YemotAI) -> None:
    setup.double.hangs()
    outcome: list[type[BaseException]] = []

    def call() -> None:
        try:
            ai.reply("c1", "יש?")
        except BaseException as error:  # noqa: BLE001 - the type is checked below
            outcome.append(type(error))

    caller = threading.Thread(target=call)
    caller.start()
    setup.double.wait_for_requests(1)
    ai.end("c1")
    caller.join(10)

    setup.wait_idle()
    assert len(outcome) == 1
    assert not issubclass(outcome[0], ProviderTimeoutError)
    assert ai.open_calls() == 0


@pytest.mark.parametrize(
    "text",
    [
        "שָׁלוֹם עֲלֵיכֶם",
        "אמר: \"כן\" ו'לא' \\ %s {0} $HOME `ls`",
        "שורה\nועוד אחת\tוטאב",
        "👩\u200d👩\u200d👧 \u200fימין\u200e",
        "--help",
    ],
    ids=["points", "quotes", "lines", "marks", "option"],
)
def test_text_is_unchanged_in_both_directions(setup: ProviderSetup, ai: YemotAI, text: str) -> None:
    setup.double.answers(text)

    assert ai.reply("c1", text) == text
    assert setup.requests[0].prompt == text


# A scripted provider may answer without text, to test the line with it.
@pytest.mark.slow
@pytest.mark.parametrize("setup", [name for name in PROVIDER_SETUPS if name != "scripted"], indirect=True)
def test_an_answer_without_text_is_an_error(setup: ProviderSetup, ai: YemotAI) -> None:
    setup.answer_empty()
    setup.answer_empty()  # for the retry

    with pytest.raises(AnswerEmptyError):
        ai.reply("c1", "יש?")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("unauthorized", AuthenticationError),
        ("quota_exceeded", QuotaExceededError),
        ("unknown_model", UnknownModelError),
    ],
)
def test_a_permanent_error_is_not_retried(
    setup: ProviderSetup, ai: YemotAI, kind: str, error: type[ProviderError]
) -> None:
    setup.fail(kind)  # type: ignore[arg-type]  # the parameters are literals

    with pytest.raises(ProviderError) as caught:
        ai.reply("c1", "יש?")
    assert type(caught.value) is error


@pytest.mark.slow
def test_after_an_error_the_call_continues_with_its_history(setup: ProviderSetup, ai: YemotAI) -> None:
    setup.double.answers("נעים מאוד")
    setup.fail("unauthorized")
    setup.double.answers("דוד")
    ai.reply("c1", "שמי דוד")
    with pytest.raises(AuthenticationError):
        ai.reply("c1", "הלו?")

    assert ai.reply("c1", "איך קוראים לי?") == "דוד"
    assert setup.has_context("שמי דוד")


def test_a_turn_has_usage_and_session_id(setup: ProviderSetup, ai: YemotAI) -> None:
    setup.double.answers("כן")
    turn = ai.ask("c1", "יש?")

    assert turn.usage is not None
    assert turn.usage.input_tokens > 0
    assert turn.session_id


def test_a_repeated_turn_id_sends_one_request(setup: ProviderSetup, ai: YemotAI) -> None:
    setup.double.answers("כן")

    assert [ai.reply("c1", "יש?", turn_id="t1") for _ in range(3)] == ["כן"] * 3
    assert len(setup.requests) == 1
