from __future__ import annotations

import json

import pytest

from yemot_ai.errors import SessionLostError
from yemot_ai.providers import JSON, Exchange
from yemot_ai.providers.chat_history import MOST_CHARACTERS, MOST_EXCHANGES, Transcript


def exchanges(count: int, size: int = 1) -> list[Exchange]:
    return [Exchange(f"שאלה {number}", "כ" * size) for number in range(count)]


def test_it_survives_json() -> None:
    said = Transcript.of(exchanges(3))

    assert Transcript.read({"history": json.loads(json.dumps(said.json()))}, provider="p") == said


def test_the_oldest_exchanges_are_forgotten_first() -> None:
    said = Transcript.of(exchanges(MOST_EXCHANGES + 2))

    assert len(said.exchanges) == MOST_EXCHANGES
    assert said.exchanges[0].prompt == "שאלה 2"
    assert said.exchanges[-1].prompt == f"שאלה {MOST_EXCHANGES + 1}"


def test_long_exchanges_leave_room_for_fewer() -> None:
    said = Transcript.of(exchanges(10, MOST_CHARACTERS // 4))

    assert [exchange.prompt for exchange in said.exchanges] == ["שאלה 7", "שאלה 8", "שאלה 9"]


def test_a_session_stays_bounded_however_long_the_call_is() -> None:
    said = Transcript()
    for number in range(300):
        said = said.and_then(f"שאלה {number}", "תשובה " * 50)

    assert len(json.dumps(said.json(), ensure_ascii=False)) < MOST_CHARACTERS + 1000


def test_an_exchange_with_a_side_without_words_is_left_out() -> None:
    said = Transcript.of([Exchange("יש?", " "), Exchange("", "כן"), Exchange("א", "ב")])

    assert said.exchanges == (Exchange("א", "ב"),)


@pytest.mark.parametrize(
    "session",
    [None, "x", {"response_id": "r"}, {"history": "אב"}, {"history": [["א"]]}, {"history": [["א", 1]]}],
    ids=["none", "text", "another", "no-list", "half", "number"],
)
def test_what_is_no_transcript_is_a_lost_session(session: JSON) -> None:
    with pytest.raises(SessionLostError):
        Transcript.read(session, provider="openai")
