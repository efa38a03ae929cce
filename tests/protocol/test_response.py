from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocol.spellings import spelled_responses
from yemot_ai.errors import InvalidValueError, ResponseSyntaxError
from yemot_ai.protocol import (
    Action,
    CreditCard,
    GoTo,
    GoToFolder,
    MusicOnHold,
    Noop,
    Number,
    Play,
    Read,
    Record,
    Response,
    RoutingYemot,
    SimpleAnswer,
    Tap,
    Text,
    Voice,
    lint,
)
from yemot_ai_testing.property import responses

ANSWERS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "answers.jsonl").read_text("utf-8").splitlines()
]
HELLO = Play([Text("שלום")])
ASK = Read([Text("מה")], "wish")


def fields_of(mode: Tap | Voice | Record, *, reuse: bool = False) -> str:
    return Read([Text("q")], "x", mode, reuse=reuse).fields()


@pytest.mark.slow
@settings(deadline=None)  # slow machines must not fail it
@given(responses())
def test_parsing_is_the_inverse_of_rendering(response: Response) -> None:
    assert Response.parse(str(response)) == response


@settings(deadline=None)  # slow machines must not fail it
@given(responses())
def test_a_rendered_response_is_canonical(response: Response) -> None:
    assert str(Response.parse(str(response) + "&")) == str(response)


@pytest.mark.slow
@settings(deadline=None, max_examples=400)
@given(spelled_responses())
def test_all_spellings_of_a_response_parse_and_render_the_same(
    spelling: tuple[Response, str],
) -> None:
    response, text = spelling
    assert Response.parse(text) == response
    assert str(Response.parse(text)) == str(response)
    assert [problem for problem in lint(text) if problem.level == "error"] == []


@pytest.mark.parametrize("row", [row for row in ANSWERS if row["valid"]])
def test_a_known_valid_response_parses_into_its_canonical_form(row: dict[str, Any]) -> None:
    parsed = Response.parse(row["text"])
    assert Response.parse(str(parsed)) == parsed


@pytest.mark.parametrize("row", [row for row in ANSWERS if not row["valid"]])
def test_a_known_invalid_response_is_refused_with_its_position(row: dict[str, Any]) -> None:
    with pytest.raises(ResponseSyntaxError) as caught:
        Response.parse(row["text"])
    assert 0 <= caught.value.position < len(row["text"])


@settings(deadline=None)  # slow machines must not fail it
@given(st.text() | st.text("id_list_message=read&t-,.=yesno voice\n", max_size=60))
def test_parsing_any_text_raises_nothing_but_a_syntax_error(text: str) -> None:
    try:
        parsed = Response.parse(text)
    except ResponseSyntaxError:
        return
    assert Response.parse(str(parsed)) == parsed


def test_a_poll_is_a_tap_that_accepts_no_key() -> None:
    poll = Read([Text("רק רגע")], "ai_3w1", Tap(max_digits=1, seconds=1, attempts=1, accept_empty=True))
    assert str(poll) == "read=t-רק רגע=ai_3w1,no,1,1,1,No,,,,,1,Ok,None,,no"


@pytest.mark.parametrize(
    ("mode", "fields"),
    [
        (Tap(), "x,no,,1,7,No,,,,,,,None,,no"),
        (Tap(confirm=True), "x,no,,1,7,No,,,,,,,None"),
        (Tap(max_digits=4, min_digits=2, seconds=5, keyboard="Digits"), "x,no,4,2,5,Digits,,,,,,,None,,no"),
        (Tap(block_star=True, block_zero=True), "x,no,,1,7,No,yes,yes,,,,,None,,no"),
        (Tap(replace="*/", allowed=("1", "2", "#")), "x,no,,1,7,No,,,*/,12#,,,None,,no"),
        (Tap(keyboard="File", allowed=("from_folder",)), "x,no,,1,7,File,,,,from_folder,,,None,,no"),
        (Tap(allowed=("11", "2")), "x,no,,1,7,No,,,,11.2,,,None,,no"),
        (Tap(accept_empty=True, empty_value="null"), "x,no,,1,7,No,,,,,,Ok,null,,no"),
        (Tap(lock_keyboard=True), "x,no,,1,7,No,,,,,,,None,InsertLettersTypeChangeNo,no"),
        (Voice(), "x,no,voice"),
        (Voice(language="en-US", block_keys=True), "x,no,voice,en-US,no"),
        (Voice(record_engine=True, silence_seconds=6, max_seconds=9), "x,no,voice,,,,record,6,9"),
        (Record(), "x,no,record"),
        (Record("/1/2", "000", confirm=False), "x,no,record,/1/2,000,no"),
        (
            Record(keep_on_hangup=True, append=True, min_seconds=2, max_seconds=20),
            "x,no,record,,,,yes,yes,2,20",
        ),
    ],
)
def test_each_field_is_at_its_official_position(mode: Tap | Voice | Record, fields: str) -> None:
    assert fields_of(mode) == fields


def test_reuse_is_the_second_field() -> None:
    assert fields_of(Voice(), reuse=True) == "x,yes,voice"


@pytest.mark.parametrize(
    ("fields", "mode"),
    [
        ("x", Tap(confirm=True)),
        ("x,,*,,,NO,no,no,,1.2.3,,no,,no,no", Tap(allowed=("1", "2", "3"))),
        ("x,no,2,2,7,No,no,no,,10,,,None,", Tap(2, 2, allowed=("1", "0"), confirm=True)),
        ("x,,05", Tap(5, confirm=True)),
        ("x,,,,,number,,,,,,ok,,,NO", Tap(keyboard="Number", accept_empty=True)),
        ("x,,voice,,,*", Voice()),
        ("x,no,record,,,no,no,no,,120", Record(confirm=False, max_seconds=120)),
    ],
)
def test_alternative_spellings_parse_the_same(fields: str, mode: Tap | Voice | Record) -> None:
    assert Response.parse(f"read=t-q=x{fields[1:]}") == Response([Read([Text("q")], "x", mode)])


def test_a_bare_noop_and_a_trailing_ampersand_are_parsed() -> None:
    assert Response.parse("noop&") == Response([Noop()])


def test_a_response_without_logging_keeps_its_prefix() -> None:
    unlogged = Response([HELLO, GoToFolder("hangup")], log=False)
    assert str(unlogged) == "api_log_no&id_list_message=t-שלום&go_to_folder=hangup"
    assert Response.parse(str(unlogged)) == unlogged


@pytest.mark.parametrize(
    ("actions", "leaves"),
    [
        ([HELLO], True),
        ([HELLO, ASK], False),
        ([Read([Text("a"), GoTo("/1")], "x")], True),
        ([CreditCard("pelecard", "100")], False),
        ([GoToFolder(".")], True),
        ([SimpleAnswer("OK")], True),
    ],
)
def test_only_a_read_or_a_payment_keeps_the_caller_here(actions: list[Action], leaves: bool) -> None:  # noqa: FBT001 - a column of the table
    assert Response(actions).leaves is leaves


@pytest.mark.parametrize(
    ("actions", "code"),
    [
        ([], "empty-answer"),
        ([ASK, HELLO], "after-read"),
        ([GoToFolder("1"), HELLO], "after-terminal"),
        ([RoutingYemot("077"), ASK], "after-terminal"),
        ([SimpleAnswer("OK"), HELLO], "simple-answer"),
        ([MusicOnHold("x"), SimpleAnswer("OK")], "simple-answer"),
        (["go_to_folder=1"], "unknown-action"),
    ],
)
def test_an_invalid_response_cannot_be_constructed(actions: list[Action], code: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Response(actions)
    assert caught.value.code == code


def test_a_response_iterates_over_its_actions() -> None:
    assert list(Response([HELLO, ASK])) == [HELLO, ASK]


def test_a_password_is_not_shown() -> None:
    assert "hidden" not in repr(CreditCard("pelecard", "100", password="hidden"))  # noqa: S106 - that it is not shown is tested


def test_a_syntax_error_has_the_hint_and_the_position() -> None:
    with pytest.raises(ResponseSyntaxError, match=r"go_to_folder=hangup ends the call.*at character 0"):
        Response.parse("hangup=yes")


@pytest.mark.parametrize("text", ["id_list_message=t-א\n&", "id_list_message=t-א \n.f-1", "read=t-א\n=x"])
def test_a_line_end_at_the_end_of_a_text_is_dropped(text: str) -> None:
    parsed = Response.parse(text)
    assert parsed == Response.parse(text.replace(" ", "").replace("\n", ""))
    assert Response.parse(str(parsed)) == parsed


def test_the_leading_zeros_of_a_number_message_are_kept() -> None:
    parsed = Response.parse("id_list_message=n-005")
    assert parsed == Response([Play([Number("005")])])
    assert str(parsed) == "id_list_message=n-005"
