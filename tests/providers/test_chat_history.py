from __future__ import annotations

import json

import pytest

from yemot_ai.errors import SessionLostError
from yemot_ai.providers import JSON, Exchange
from yemot_ai.providers.chat_history import MAX_CHARACTERS, MAX_EXCHANGES, ChatHistory


def exchanges(count: int, size: int = 1) -> list[Exchange]:
    return [Exchange(f"שאלה {number}", "כ" * size) for number in range(count)]


def test_it_survives_json() -> None:
    said = ChatHistory.from_exchanges(exchanges(3))

    assert ChatHistory.from_session({"history": json.loads(json.dumps(said.to_json()))}, provider="p") == said


def test_the_oldest_exchanges_are_forgotten_first() -> None:
    said = ChatHistory.from_exchanges(exchanges(MAX_EXCHANGES + 2))

    assert len(said.exchanges) == MAX_EXCHANGES
    assert said.exchanges[0].prompt == "שאלה 2"
    assert said.exchanges[-1].prompt == f"שאלה {MAX_EXCHANGES + 1}"


def test_long_exchanges_leave_room_for_fewer() -> None:
    said = ChatHistory.from_exchanges(exchanges(10, MAX_CHARACTERS // 4))

    assert [exchange.prompt for exchange in said.exchanges] == ["שאלה 7", "שאלה 8", "שאלה 9"]


def test_a_session_stays_bounded_however_long_the_call_is() -> None:
    said = ChatHistory()
    for number in range(300):
        said = said.with_exchange(f"שאלה {number}", "תשובה " * 50)

    assert len(json.dumps(said.to_json(), ensure_ascii=False)) < MAX_CHARACTERS + 1000


def test_an_exchange_with_a_side_without_words_is_left_out() -> None:
    said = ChatHistory.from_exchanges([Exchange("יש?", " "), Exchange("", "כן"), Exchange("א", "ב")])

    assert said.exchanges == (Exchange("א", "ב"),)


@pytest.mark.parametrize(
    "session",
    [None, "x", {"response_id": "r"}, {"history": "אב"}, {"history": [["א"]]}, {"history": [["א", 1]]}],
    ids=["none", "text", "another", "no-list", "half", "number"],
)
def test_what_is_no_transcript_is_a_lost_session(session: JSON) -> None:
    with pytest.raises(SessionLostError):
        ChatHistory.from_session(session, provider="openai")
