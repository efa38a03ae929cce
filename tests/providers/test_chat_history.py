from __future__ import annotations

import json

import pytest

from yemot_ai.errors import SessionLostError
from yemot_ai.providers import JSON, Exchange
from yemot_ai.providers.chat_history import MAX_CHARACTERS, MAX_EXCHANGES, ChatHistory


def exchanges(count: int, size: int = 1) -> list[Exchange]:
    return [Exchange(f"שאלה {number}", "כ" * size) for number in range(count)]


def test_it_survives_json() -> None:
    history = ChatHistory.from_exchanges(exchanges(3))

    assert (
        ChatHistory.from_session({"history": json.loads(json.dumps(history.to_json()))}, provider="p")
        == history
    )


def test_the_oldest_exchanges_are_dropped_first() -> None:
    history = ChatHistory.from_exchanges(exchanges(MAX_EXCHANGES + 2))

    assert len(history.exchanges) == MAX_EXCHANGES
    assert history.exchanges[0].prompt == "שאלה 2"
    assert history.exchanges[-1].prompt == f"שאלה {MAX_EXCHANGES + 1}"


def test_long_exchanges_are_limited_by_their_characters() -> None:
    history = ChatHistory.from_exchanges(exchanges(10, MAX_CHARACTERS // 4))

    assert [exchange.prompt for exchange in history.exchanges] == ["שאלה 7", "שאלה 8", "שאלה 9"]


def test_a_session_stays_bounded_however_long_the_call_is() -> None:
    history = ChatHistory()
    for number in range(300):
        history = history.with_exchange(f"שאלה {number}", "תשובה " * 50)

    assert len(json.dumps(history.to_json(), ensure_ascii=False)) < MAX_CHARACTERS + 1000


def test_an_exchange_with_an_empty_side_is_dropped() -> None:
    history = ChatHistory.from_exchanges([Exchange("יש?", " "), Exchange("", "כן"), Exchange("א", "ב")])

    assert history.exchanges == (Exchange("א", "ב"),)


@pytest.mark.parametrize(
    "session",
    [None, "x", {"response_id": "r"}, {"history": "אב"}, {"history": [["א"]]}, {"history": [["א", 1]]}],
    ids=["none", "text", "another", "no-list", "half", "number"],
)
def test_a_session_without_a_valid_history_is_lost(session: JSON) -> None:
    with pytest.raises(SessionLostError):
        ChatHistory.from_session(session, provider="openai")
