"""A conversation with an agent, in a session."""

from __future__ import annotations

import json

import pytest

from tests.providers.pydantic_ai.asking import Model, ask_now, called, give, said
from yemot_ai.errors import SessionLostError
from yemot_ai.providers import JSON, Exchange, PydanticAIProvider
from yemot_ai.providers.chat_history import MAX_CHARACTERS, MAX_EXCHANGES


def test_a_conversation_continues_with_its_tools() -> None:
    model = Model(called(("stock", {"kind": "לחם"})), said("שלוש"), said("כן"))
    agent = model.agent()
    give(agent, "stock", lambda kind: f"3 {kind}")
    provider = PydanticAIProvider(agent)
    first = ask_now(provider, "כמה לחם יש?")
    ask_now(provider, "בטוח?", session=first.session)

    assert model.sent() == [
        ("user-prompt", "כמה לחם יש?"),
        ("tool-call", {"kind": "לחם"}),
        ("tool-return", "3 לחם"),
        ("text", "שלוש"),
        ("user-prompt", "בטוח?"),
    ]


def test_a_session_has_whole_exchanges_with_results_beside_their_calls() -> None:
    answers = [message for _ in range(4) for message in (called(("stock", {})), said("יש"))]
    model = Model(*answers)
    agent = model.agent()
    give(agent, "stock", lambda: "א" * (MAX_CHARACTERS // 3))
    provider, session = PydanticAIProvider(agent), None
    for number in range(4):
        session = ask_now(provider, f"שאלה {number}", session=session).session

    kinds = [[part["part_kind"] for part in message["parts"]] for message in messages_of(session)]
    assert kinds == [["user-prompt"], ["tool-call"], ["tool-return"], ["text"]] * 2
    assert "שאלה 2" in json.dumps(session, ensure_ascii=False)


def test_an_exchange_whose_tools_fill_a_session_is_kept_without_them() -> None:
    model = Model(called(("stock", {})), said("הרבה"), said("כן"))
    agent = model.agent()
    give(agent, "stock", lambda: "א" * (MAX_CHARACTERS + 1))
    provider = PydanticAIProvider(agent)
    first = ask_now(provider, "מה יש?")
    ask_now(provider, "בטוח?", session=first.session)

    assert [content for _, content in model.sent()] == ["מה יש?", "הרבה", "בטוח?"]


def test_the_oldest_exchanges_are_dropped() -> None:
    count = MAX_EXCHANGES + 3
    provider, session = PydanticAIProvider(Model(*[said("כן")] * count).agent()), None
    for number in range(count):
        session = ask_now(provider, f"שאלה {number}", session=session).session

    prompts = [message["parts"][0]["content"] for message in messages_of(session)[::2]]
    assert prompts == [f"שאלה {number}" for number in range(3, count)]


def test_a_conversation_is_rebuilt_from_what_was_said() -> None:
    model = Model(said("דוד"), said("כן"))
    provider = PydanticAIProvider(model.agent())
    first = ask_now(provider, "איך קוראים לי?", history=[Exchange("שמי דוד", "נעים מאוד")])
    ask_now(provider, "בטוח?", session=first.session)

    words = ["שמי דוד", "נעים מאוד", "איך קוראים לי?", "דוד", "בטוח?"]
    assert [content for _, content in model.sent()] == words


def test_a_session_has_no_instructions() -> None:
    provider = PydanticAIProvider(Model(said("כן")).agent(instructions="אתה מוקדן"))
    asked = ask_now(provider, "יש?", instructions="ענה בקצרה")

    assert "מוקדן" not in json.dumps(asked.session, ensure_ascii=False)


def test_a_lone_surrogate_of_a_tool_reaches_no_store() -> None:
    agent = Model(called(("stock", {})), said("כן \ud83d")).agent()
    give(agent, "stock", lambda: "לפני \ud83d אחרי")
    asked = ask_now(PydanticAIProvider(agent), "יש? \udc80")

    json.dumps(asked.session, ensure_ascii=False).encode()
    asked.reply.text.encode()


@pytest.mark.parametrize(
    "session",
    [
        {"history": [["שלום", "היי"]]},
        {"messages": "x"},
        {"messages": [{"kind": "request"}]},
        {"messages": [1]},
        "resp_1",
        17,
        {},
    ],
    ids=["history", "text", "no-parts", "number-in-list", "id", "number", "empty"],
)
def test_a_foreign_session_is_lost(session: JSON) -> None:
    with pytest.raises(SessionLostError, match="no session of pydantic_ai's"):
        ask_now(PydanticAIProvider(Model().agent()), "יש?", session=session)


def messages_of(session: JSON) -> list[dict[str, list[dict[str, str]]]]:
    assert isinstance(session, dict)
    messages: list[dict[str, list[dict[str, str]]]] = session["messages"]
    return messages
