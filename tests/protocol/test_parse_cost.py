"""How much the responses cost that agents send most: the functions that are called to parse one."""

from __future__ import annotations

import cProfile
import pstats

import pytest

from yemot_ai.protocol.grammar import parse_response


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("read=f-wait=w_3,no,1,1,1,No,,,,,1,Ok,None,,no", 400),
        ("id_list_message=t-שלום לך&read=t-מה תרצו=ai_1,no,voice", 345),
        ("id_list_message=t-שלום לך&read=t-הקישו=menu,no,1,1,7,No,,,,,,,None,,no", 475),
    ],
    ids=["a poll", "a question to speak", "a menu"],
)
def test_an_ordinary_response_calls_few_functions(text: str, most: int) -> None:
    parse_response(text)
    with cProfile.Profile() as profile:
        parse_response(text)

    assert pstats.Stats(profile).total_calls <= most  # type: ignore[attr-defined]  # typeshed lacks it
