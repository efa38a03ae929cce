"""Which lines have a request of the line, and what is read from them."""

from __future__ import annotations

import base64
import json

import pytest

from yemot_ai_testing.from_log.entries import LogExchange, LogTurn
from yemot_ai_testing.from_log.formats import parse_har_entry, parse_line

ACCESS = '203.0.113.9 - - [30/Nov/2026:11:30:05 +0200] "{} HTTP/1.1" 200 512 "-" "yemot-core-api/1.0"'


def parse(line: str) -> LogExchange:
    found = parse_line(line)
    assert isinstance(found, LogExchange)
    return found


@pytest.mark.parametrize(
    "line",
    [
        ACCESS.format("GET /ivr?ApiCallId=c1&x=%D7%90+%D7%91"),
        'INFO:     127.0.0.1:5000 - "GET /?ApiCallId=c1&x=א%20ב HTTP/1.1" 200 OK',
        "2026-11-30T09:30:05Z request /ivr?secret=s?ApiCallId=c1&x=%D7%90%20%D7%91",
        "POST body: ApiCallId=c1&x=%D7%90%20%D7%91",
        '{"url": "https://x/ivr?ApiCallId=c1&x=%D7%90%20%D7%91"}',
        '{"params": {"ApiCallId": "c1", "x": "א ב"}}',
        '{"params": {"ApiCallId": ["c1"], "x": ["1", "א ב"]}}',
        '{"data": {"pairs": [["ApiCallId", "c1"], ["x", "א ב"]]}}',
        '{"ApiCallId": "c1", "x": "א ב"}',
        "Folder#1%ApiSend#https://x/ivr?ApiCallId^c1*ApiDID^077*x^א ב%ApiAnswer#go_to_folder=..%Time#1",
    ],
)
def test_a_request_is_found_wherever_it_is(line: str) -> None:
    found = parse(line)
    assert (found.request.call_id, found.request.newest("x")) == ("c1", "א ב")


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ('{"url": "/?ApiCallId=c1", "answer": "read=t-מה=x,no,voice"}', "read=t-מה=x,no,voice"),
        ('{"request": {"ApiCallId": "c1"}, "response": {"body": "noop=x"}}', "noop=x"),
        ('{"url": "/?ApiCallId=c1&go_to_folder=/1"}', None),
        ("ApiSend#https://x?ApiCallId^c1%ApiAnswer#read=t-מה=x^no^voice", "read=t-מה=x,no,voice"),
        ("/ivr?ApiCallId=c1 -> go_to_folder=hangup", "go_to_folder=hangup"),
        (ACCESS.format("GET /ivr?ApiCallId=c1"), None),
    ],
)
def test_the_response_is_found_beside_it(line: str, body: str | None) -> None:
    assert parse(line).body == body


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (ACCESS.format("GET /ivr?ApiCallId=c1&ApiTime=7"), 1_796_031_005.0),
        ('{"time": 1796031005.5, "url": "/?ApiCallId=c1"}', 1_796_031_005.5),
        ('{"ts": 1796031005500, "url": "/?ApiCallId=c1"}', 1_796_031_005.5),
        ('{"timestamp": "2026-11-30T09:30:05.500Z", "url": "/?ApiCallId=c1"}', 1_796_031_005.5),
        ("2026-11-30 09:30:05.5+00:00 /?ApiCallId=c1", 1_796_031_005.5),
        ("/?ApiCallId=c1&ApiTime=1796031005", 1_796_031_005.0),
        ('{"time": 1e300, "url": "/?ApiCallId=c1"}', None),
        ("/?ApiCallId=c1", None),
    ],
)
def test_the_time_is_that_of_the_log_or_of_the_line(line: str, seconds: float | None) -> None:
    assert parse(line).time == seconds


def test_the_status_and_the_method_of_an_access_log() -> None:
    found = parse(ACCESS.format("POST /ivr?ApiCallId=c1").replace(" 200 ", " 500 "))
    assert (found.status, found.method, found.is_failed) == (500, "POST", True)


def test_a_key_that_the_line_shows_as_a_separator_stays_in_its_value() -> None:
    found = parse("ApiSend#https://x?ApiCallId^c1*price^12*5*size^2%ApiAnswer#noop=x")
    assert found.values == (("price", "12*5"), ("size", "2"))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        "[1, 2]",
        "[" * 100_000,
        ACCESS.format("GET /favicon.ico"),
        ACCESS.format("POST /ivr"),
        "the ApiCallId is missing",
        '{"text": "ApiCallId"}',
    ],
)
def test_other_lines_have_none(line: str) -> None:
    assert parse_line(line) is None


@pytest.mark.parametrize(
    "line",
    [
        '{"url": "/?ApiCallId=c1", "ans',
        '{"a":' * 100_000,
        '{"yemot_record": 1}',
        '{"yemot_record": 1, "kind": "turn", "at": "x"}',
        '{"yemot_record": 1, "kind": "exchange", "pairs": [[1]]}',
    ],
)
def test_a_line_that_is_cut_off_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_line(line)


def test_a_record_has_the_models_answers() -> None:
    turn = {
        "yemot_record": 1,
        "kind": "turn",
        "at": 5,
        "seconds": 2,
        "call": "c1",
        "text": "מתי",
        "answer": "בשמונה",
    }
    found = parse_line(json.dumps(turn | {"failure": None, "interrupted": False}))
    assert isinstance(found, LogTurn)
    assert (found.started, found.text, found.answer, found.failure) == (3, "מתי", "בשמונה", "")


@pytest.mark.parametrize("encoding", ["base64", ""])
def test_an_entry_of_a_har_file(encoding: str) -> None:
    text = "read=t-מה=x,no,voice"
    content = {"text": base64.b64encode(text.encode()).decode() if encoding else text, "encoding": encoding}
    found = parse_har_entry(
        {
            "startedDateTime": "2026-11-30T11:30:05.000+02:00",
            "time": 1500,
            "request": {
                "method": "POST",
                "url": "https://x/ivr?secret=s",
                "postData": {"params": [{"name": "ApiCallId", "value": "c1"}]},
            },
            "response": {"status": 200, "content": content},
        }
    )
    assert found is not None
    assert (found.request.call_id, found.body, found.at, found.seconds) == ("c1", text, 1_796_031_005.0, 1.5)


@pytest.mark.parametrize(
    "entry", [{}, {"request": {}, "response": {}}, {"request": "x", "response": 1}, {"request": {"url": 1}}]
)
def test_an_entry_of_another_form_is_an_error(entry: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no entry of a HAR file"):
        parse_har_entry(entry)
