"""Whoever answers, a user's code is the same: these conversations are held with each provider."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.providers.provider_setups import STAGES, Stage
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


@pytest.fixture(params=list(STAGES))
def stage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path))
    with STAGES[request.param]() as stage:
        yield stage
        stage.double.assert_complete()


@pytest.fixture
def ai(stage: Stage) -> Iterator[YemotAI]:
    ai = YemotAI(provider=stage.provider, instructions="ענה בקצרה")
    yield ai
    ai.close()


def test_a_conversation_is_remembered_over_its_turns(stage: Stage, ai: YemotAI) -> None:
    stage.double.answers("באיזה גודל?").answers("ומה לשתות?").answers("רשמתי")

    said = ("פיצה", "גדולה", "מים")
    assert [ai.reply("c1", text) for text in said] == ["באיזה גודל?", "ומה לשתות?", "רשמתי"]
    assert [request.prompt for request in stage.requests] == list(said)
    assert not stage.knows("פיצה באה קודם", 0)
    assert stage.knows("פיצה", 1)
    assert stage.knows("פיצה", 2)
    assert stage.knows("גדולה", 2)


def test_calls_do_not_know_of_each_other(stage: Stage, ai: YemotAI) -> None:
    stage.double.answers("נעים מאוד").answers("איני יודע")
    ai.reply("c1", "שמי דוד")
    ai.reply("c2", "איך קוראים לי?")

    assert not stage.knows("שמי דוד")


def test_a_call_that_has_ended_is_forgotten(stage: Stage, ai: YemotAI) -> None:
    stage.double.answers("נעים מאוד")
    ai.reply("c1", "שמי דוד")
    ai.end("c1")

    with pytest.raises(YemotAIError):
        ai.reply("c1", "איך קוראים לי?")
    assert len(stage.requests) == 1


def test_the_instructions_go_with_every_turn(stage: Stage, ai: YemotAI) -> None:
    stage.double.answers("כן").answers("בטוח").answers("yes")
    ai.reply("c1", "יש?")
    ai.reply("c1", "בטוח?")
    ai.reply("c1", "באנגלית?", instructions="Answer in English")

    assert [request.instructions for request in stage.requests] == [
        "ענה בקצרה",
        "ענה בקצרה",
        "Answer in English",
    ]


def test_who_is_told_nothing_is_told_to_answer_as_one_speaks_on_the_phone(stage: Stage) -> None:
    stage.double.answers("כן").answers("בטוח")
    ai = YemotAI(provider=stage.provider)
    ai.reply("c1", "יש?")
    ai.reply("c1", "בטוח?")
    ai.close()

    assert [request.instructions for request in stage.requests] == [DEFAULT_INSTRUCTIONS] * 2
    for manner in ("בשיחת טלפון", "עברית", "משפטים קצרים", "אל תשתמש ברשימות", "מספרים ושעות כפי שאומרים"):
        assert manner in DEFAULT_INSTRUCTIONS


def test_each_agent_answers_by_its_own_instructions_and_others_by_those_of_all(
    stage: Stage, ai: YemotAI
) -> None:
    flow = AIFlow(ai, dialog=DialogSettings(answer_wait=30.0))

    def agent(call: AICall, text: str) -> None:
        """Let the AI answer."""

    flow.ai_agent("1", instructions="ענה כמו מלצר")(agent)
    flow.ai_agent("2")(agent)
    stage.double.answers("באיזה גודל?").answers("רשמתי").answers("שלום")
    waiter, anybody = Caller(flow, extension="1"), Caller(flow, extension="2")
    waiter.dial()
    waiter.says("פיצה")
    waiter.says("גדולה")
    anybody.dial()
    anybody.says("שלום לך")
    waiter.hangs_up()
    anybody.hangs_up()

    told = [request.instructions for request in stage.requests]
    assert told == ["ענה כמו מלצר", "ענה כמו מלצר", "ענה בקצרה"]


def test_an_overloaded_model_is_asked_once_more(stage: Stage, ai: YemotAI) -> None:
    stage.double.answers("כן").fails("overloaded").answers("בטוח")
    ai.reply("c1", "יש?")

    assert ai.reply("c1", "בטוח?") == "בטוח"
    assert stage.knows("יש?")


class Another:
    """Whoever answered before the provider was swapped."""

    name = "another"

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        return Reply("נעים מאוד", {"another": 1})

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return await self.start_session(prompt)


def test_a_session_that_the_provider_does_not_know_is_rebuilt(stage: Stage) -> None:
    store = MemoryStore()
    YemotAI(provider=Another(), store=store).reply("c1", "שמי דוד")
    stage.is_lost_with()
    stage.double.answers("דוד").answers("בבקשה")
    ai = YemotAI(provider=stage.provider, store=store)

    assert ai.reply("c1", "איך קוראים לי?") == "דוד"
    assert "שמי דוד" in stage.told()
    assert ai.reply("c1", "תודה") == "בבקשה"
    assert stage.knows("איך קוראים לי?")
    ai.close()


def test_a_conversation_that_overflows_goes_on(stage: Stage, ai: YemotAI) -> None:
    stage.double.answers("כן").fails("context_overflow").answers("אני כאן")
    ai.reply("c1", "יש?")

    assert ai.reply("c1", "הלו?") == "אני כאן"
    assert "יש?" in stage.told()


def test_silence_ends_at_the_deadline_and_leaves_nothing(stage: Stage) -> None:
    stage.double.hangs()
    ai = YemotAI(provider=stage.provider, turn_timeout=1.0)

    with pytest.raises(ProviderTimeoutError) as caught:
        ai.reply("c1", "יש?")
    assert caught.value.seconds == 1.0
    stage.wait_idle()
    ai.close()


def test_a_caller_who_hangs_up_leaves_nothing(stage: Stage, ai: YemotAI) -> None:
    stage.double.hangs()
    outcome: list[type[BaseException]] = []

    def call() -> None:
        try:
            ai.reply("c1", "יש?")
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is looked at below
            outcome.append(type(error))

    caller = threading.Thread(target=call)
    caller.start()
    stage.double.wait_for_requests(1)
    ai.end("c1")
    caller.join(10)

    stage.wait_idle()
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
def test_words_arrive_as_they_were_said_both_ways(stage: Stage, ai: YemotAI, text: str) -> None:
    stage.double.answers(text)

    assert ai.reply("c1", text) == text
    assert stage.requests[0].prompt == text


# A scripted provider replies whatever it is told to, so that the line can be tried with it.
@pytest.mark.parametrize("stage", [name for name in STAGES if name != "scripted"], indirect=True)
def test_an_answer_without_words_is_an_error(stage: Stage, ai: YemotAI) -> None:
    stage.says_nothing()
    stage.says_nothing()  # it is asked once more

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
def test_what_waiting_does_not_help_is_not_tried_again(
    stage: Stage, ai: YemotAI, kind: str, error: type[ProviderError]
) -> None:
    stage.refuses(kind)  # type: ignore[arg-type]  # the parameters are such words

    with pytest.raises(ProviderError) as caught:
        ai.reply("c1", "יש?")
    assert type(caught.value) is error


def test_after_an_error_the_call_goes_on_with_what_was_said(stage: Stage, ai: YemotAI) -> None:
    stage.double.answers("נעים מאוד")
    stage.refuses("unauthorized")
    stage.double.answers("דוד")
    ai.reply("c1", "שמי דוד")
    with pytest.raises(AuthenticationError):
        ai.reply("c1", "הלו?")

    assert ai.reply("c1", "איך קוראים לי?") == "דוד"
    assert stage.knows("שמי דוד")


def test_what_a_turn_cost_is_told(stage: Stage, ai: YemotAI) -> None:
    stage.double.answers("כן")
    turn = ai.ask("c1", "יש?")

    assert turn.usage is not None
    assert turn.usage.input_tokens > 0
    assert turn.session_id


def test_a_turn_is_asked_once_however_often_it_is_asked_for(stage: Stage, ai: YemotAI) -> None:
    stage.double.answers("כן")

    assert [ai.reply("c1", "יש?", turn_id="t1") for _ in range(3)] == ["כן"] * 3
    assert len(stage.requests) == 1
