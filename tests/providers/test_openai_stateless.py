"""With ``store=False`` OpenAI keeps nothing: each turn carries the history."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from tests.support.asking import ask_provider
from yemot_ai import YemotAI
from yemot_ai.errors import ConfigurationError, ContextOverflowError, SessionLostError
from yemot_ai.providers import Exchange, OpenAIProvider
from yemot_ai_testing.doubles.sdk_mocks import OpenAIMock


@pytest.fixture
def openai() -> Iterator[OpenAIMock]:
    with OpenAIMock() as mock:
        yield mock
        mock.assert_complete()


@pytest.fixture
def ai() -> YemotAI:
    return YemotAI(provider=OpenAIProvider(api_key="test", model="m", store=False), instructions="קצר")


def test_each_turn_carries_the_history_and_the_instructions(openai: OpenAIMock, ai: YemotAI) -> None:
    openai.answers("באיזה גודל?").answers("רשמתי")

    assert [ai.reply("c1", text) for text in ("פיצה", "גדולה")] == ["באיזה גודל?", "רשמתי"]
    last = openai.requests[1]
    assert [(m["role"], m["content"]) for m in last.body["input"]] == [
        ("user", "פיצה"),
        ("assistant", "באיזה גודל?"),
        ("user", "גדולה"),
    ]
    assert last.instructions == "קצר"


def test_each_request_disables_storing(openai: OpenAIMock, ai: YemotAI) -> None:
    openai.answers("כן").answers("כן")
    ai.reply("c1", "יש?")
    ai.reply("c1", "בטוח?")

    assert [request.body["store"] for request in openai.requests] == [False, False]
    assert [request.session for request in openai.requests] == [None, None]


def test_a_stored_conversation_requests_storing(openai: OpenAIMock) -> None:
    openai.answers("כן")
    asyncio.run(ask_provider(OpenAIProvider(api_key="test"), "יש?"))

    assert openai.requests[0].body["store"] is True


def test_the_session_survives_json(openai: OpenAIMock) -> None:
    openai.answers("כן").answers("בטוח")
    provider = OpenAIProvider(api_key="test", store=False)

    async def talk() -> str:
        first = await ask_provider(provider, "יש?")
        return (await ask_provider(provider, "בטוח?", session=json.loads(json.dumps(first.session)))).text

    assert asyncio.run(talk()) == "בטוח"
    assert openai.requests[1].user_messages == ("יש?", "בטוח?")


def test_after_an_overflow_the_conversation_continues_with_its_last_exchanges(
    openai: OpenAIMock, ai: YemotAI
) -> None:
    for number in range(8):
        openai.answers(f"תשובה {number}")
        ai.reply("c1", f"שאלה {number}")
    openai.fails("context_overflow").answers("אני כאן").answers("עדיין")

    assert ai.reply("c1", "עוד שם?") == "אני כאן"
    assert ai.reply("c1", "ועכשיו?") == "עדיין"
    assert [len(request.user_messages) for request in openai.requests[-3:]] == [9, 7, 8]
    assert openai.requests[-1].user_messages[0] == "שאלה 2"


def test_an_overflow_of_a_single_prompt_is_an_error(openai: OpenAIMock, ai: YemotAI) -> None:
    openai.fails("context_overflow")

    with pytest.raises(ContextOverflowError):
        ai.reply("c1", "שאלה")


def test_a_stored_session_is_lost_without_store(openai: OpenAIMock) -> None:
    provider = OpenAIProvider(api_key="test", store=False)

    with pytest.raises(SessionLostError):
        asyncio.run(ask_provider(provider, "יש?", session={"response_id": "resp_1"}))


def test_a_history_is_sent_to_a_stored_conversation(openai: OpenAIMock) -> None:
    openai.answers("כן")
    history = [Exchange("יש?", "יש")]
    asyncio.run(ask_provider(OpenAIProvider(api_key="test"), "בטוח?", history=history))

    assert openai.requests[0].user_messages == ("יש?", "בטוח?")


@pytest.mark.parametrize(
    "arguments", [{"api": "assistants"}, {"api": "chat", "store": True}], ids=["unknown-api", "chat-stores"]
)
def test_invalid_settings_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        OpenAIProvider(api_key="test", **arguments)  # type: ignore[arg-type]  # invalid on purpose
