from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocol.protocol_strategies import responses
from yemot_ai.protocol import Problem, Response, lint
from yemot_ai.protocol.rules import RULES

ANSWERS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "answers.jsonl").read_text("utf-8").splitlines()
]
PIECES = [
    "id_list_message=", "read=", "go_to_folder=", "noop", "api_log_no", "&", "=", ".", ",", "-", "t-", "f-",
    "g-hangup", "date-28/07/2022", "voice", "record", "no", "yes", "Ok", "1", "*", "שלום", "/1", "OK", "\n",
    "Api", "hangup", ":",
]  # fmt: skip


texts = st.text(st.characters(exclude_categories=())) | st.lists(st.sampled_from(PIECES), max_size=12).map(
    "".join
)


def errors(text: str) -> list[Problem]:
    return [one for one in lint(text) if one.level == "error"]


def codes(text: str, known_names: tuple[str, ...] = ()) -> list[str]:
    return [one.code for one in lint(text, known_names)]


@pytest.mark.parametrize("row", ANSWERS)
def test_every_known_answer_is_judged_as_it_is_known(row: dict[str, Any]) -> None:
    assert (not errors(row["text"])) is row["valid"]


@settings(deadline=None)  # a busy machine is no fault
@given(texts)
def test_a_text_without_errors_parses(text: str) -> None:
    if not errors(text):
        Response.parse(text)


@settings(deadline=None)  # a busy machine is no fault
@given(texts)
def test_every_problem_has_a_known_rule_and_a_place_in_the_text(text: str) -> None:
    for problem in lint(text):
        rule = RULES[problem.code]
        assert (problem.level, problem.source) == (rule.level, rule.source)
        assert problem.message.endswith(rule.way_out)
        assert 0 <= problem.position <= len(text)


@settings(deadline=None)  # a busy machine is no fault
@given(responses)
def test_whatever_can_be_built_has_no_error(response: Response) -> None:
    assert errors(str(response)) == []


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("", "empty-answer", 0),
        (" \n", "empty-answer", 0),
        ("api_log_no", "empty-answer", 10),
        ("api_log_no&", "empty-answer", 11),
        ("<html>", "not-plain-text", 0),
        ('{"a": 1}', "not-plain-text", 0),
        ("\ufeffgo_to_folder=1", "not-plain-text", 0),
        ("hello world", "unknown-action", 0),
        ("go_to_folder=1\n", "target", 13),
        ("noop=x&hangup=yes", "unknown-action", 7),
        ("say_text=שלום", "unknown-action", 0),
        ("id_list_message", "simple-answer", 0),
        ("id_list_message=t-a&&go_to_folder=1", "empty-action", 20),
        ("id_list_message=t-a&OK", "simple-answer", 20),
        ("go_to_folder=1&go_to_folder=2", "after-terminal", 15),
        ("routing_yemot=077&id_list_message=t-a", "after-terminal", 18),
        ("credit_card=p,1&noop=x", "after-terminal", 16),
        ("read=t-a=x&go_to_folder=1", "after-read", 11),
        ("read=t-a", "read-shape", 5),
        ("read=t-a=b=x", "read-shape", 5),
        ("read==x", "empty-messages", 5),
        ("id_list_message=", "empty-messages", 16),
        ("id_list_message=hello", "message-type", 16),
        ("id_list_message=t-a.b", "message-type", 20),
        ("id_list_message=q-a", "message-type", 16),
        ("id_list_message=t-a.", "message-type", 20),
        ("id_list_message=g-/1.t-a", "go-to-not-last", 16),
        ("id_list_message=t-", "empty-value", 18),
        ("id_list_message=t-a-b", "text-character", 19),
        ('id_list_message=t-צה"ל', "text-character", 20),
        ("id_list_message=t-ג'ירפה", "text-character", 19),
        ("id_list_message=t-a|b", "text-character", 19),
        ("id_list_message=t-a\nb", "text-character", 19),
        ("id_list_message=t-\ud800", "text-character", 18),
        ("id_list_message=f-a=b", "character", 19),
        ("id_list_message=d-1a", "format", 18),
        ("id_list_message=n--5", "number", 18),
        ("id_list_message=n-", "number", 18),
        ("id_list_message=a-שלום", "format", 18),
        ("id_list_message=m-M1005", "format", 18),
        ("id_list_message=date-31/02/2022", "format", 21),
        ("id_list_message=dateH-1/2/2022", "format", 22),
        ("id_list_message=z-sunset,IL/Eilat,x", "choice", 34),
        ("id_list_message=z-sunset,,+,1D", "format", 28),
        ("id_list_message=h-a,b", "number", 20),
        ("id_list_message=z-a,b,+,D1,x", "too-many-fields", 27),
        ("read=t-a=", "name", 9),
        ("read=t-a=ApiX", "name", 9),
        ("read=t-a=hangup", "name", 9),
        ("read=t-a=a.b", "name", 9),
        ("read=t-a=x,maybe", "choice", 11),
        ("read=t-a=x,,abc", "number", 12),
        ("read=t-a=x,,0", "number", 12),
        ("read=t-a=x,,2,3", "min-above-max", 9),
        ("read=t-a=x,,1,1,7,Nothing", "choice", 18),
        ("read=t-a=x,,1,1,7,No,maybe", "choice", 21),
        ("read=t-a=x,,1,1,7,No,,maybe", "choice", 22),
        ("read=t-a=x,,1,1,7,No,,,*", "format", 23),
        ("read=t-a=x,,1,1,7,No,,,,1a", "format", 24),
        ("read=t-a=x,,1,1,7,No,,,,,,yes", "choice", 26),
        ("read=t-a=x,,1,1,7,No,,,,,,,,yes", "choice", 28),
        ("read=t-a=x,,1,1,7,No,,,,,,,,,yes", "choice", 29),
        ("read=t-a=x" + "," * 15, "too-many-fields", 25),
        ("read=t-a=x,,voice,,yes", "choice", 19),
        ("read=t-a=x,,voice,,,,no", "choice", 21),
        ("read=t-a=x,,voice,,,,,,,", "too-many-fields", 24),
        ("read=t-a=x,,record,1/2", "record-folder", 19),
        ("read=t-a=x,,record,/1/", "record-folder", 19),
        ("read=t-a=x,,record,,,yes", "choice", 21),
        ("read=t-a=x,,record,,,,,,5,2", "min-above-max", 9),
        ("read=t-a=x,,record,,,,,,,,", "too-many-fields", 26),
        ("go_to_folder=", "target", 13),
        ("go_to_folder=/..", "target", 13),
        ("music_on_hold=", "empty-value", 14),
        ("routing=", "empty-value", 8),
        ("routing=05a", "format", 8),
        ("routing=05,,x", "choice", 12),
        ("credit_card=p,a lot", "format", 14),
        ("id_list_message=t-" + "א " * 151, "too-many-words", 0),
    ],
)
def test_an_error_has_its_code_and_its_place(text: str, code: str, position: int) -> None:
    assert (code, position) in [(one.code, one.position) for one in errors(text)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("read=t-a=x,yes,voice", "reuse"),
        ("read=t-a=x,no,*,,,,,,,,,,,,no", "star-for-unlimited"),
        ("read=t-a=x,no,1,1,7,No,,,,,,no,,,no", "undocumented-value"),
        ("read=t-a=x,no,1,1,7,no", "letter-case"),
        ("read=t-a=x,no,1,1,7,Digits", "confirmation"),
        ("read=t-a=x,no,voice,he-IL", "language-he-il"),
        ("read=t-a=x,no,voice,,,,,6", "without-record-engine"),
        ("read=t-a=x,no,record,/1,a.wav", "file-extension"),
        ("read=t-a: b=x,no,voice", "colon"),
        ("read=t-12:30:15=x,no,voice", "colon"),
        ("read=f-a-b=x,no,voice", "unconfirmed-character"),
        ("read=t-a.g-/1=x,no,voice", "unreachable"),
        ("id_list_message=t-a.g-/1&noop=x", "unreachable"),
        ("id_list_message=h-music,10&go_to_folder=1", "music-message"),
        ("id_list_message=t-a", "play-leaves"),
        ("id_list_message=t-a&id_list_message=t-b&go_to_folder=1", "two-plays"),
        ("noop", "bare-noop"),
        ("id_list_message=t-" + "אבגדה, " * 130 + "&go_to_folder=1", "long-text"),
        ("id_list_message=t-" + "א" * 301 + "&go_to_folder=1", "long-word"),
    ],
)
def test_what_is_valid_and_may_surprise_is_one_warning(text: str, code: str) -> None:
    assert [(one.code, one.level) for one in lint(text)] == [(code, "warning")]


@pytest.mark.parametrize(
    "text",
    [
        "id_list_message=t-בשעה 12:30, בערב?&go_to_folder=hangup",
        "id_list_message=t-a.g-hangup",
        "read=t-רק רגע=ai_3w1,no,1,1,1,No,,,,,1,Ok,None,,no",
        "read=t-דברו=ai_1,no,voice",
        "OK",
    ],
)
def test_a_good_answer_has_no_problem(text: str) -> None:
    assert lint(text) == []


def test_a_name_that_the_call_knows_is_a_warning() -> None:
    assert codes("read=t-a=x,no,voice", ("x",)) == ["name-reused"]


def test_all_mistakes_are_told_at_once_in_order() -> None:
    assert codes("hangup=yes&read=t-a-b=Api,,voice,,yes") == [
        "unknown-action",
        "text-character",
        "name",
        "choice",
    ]


def test_a_message_says_what_is_wrong_and_the_way_out() -> None:
    (problem,) = lint("id_list_message=t-a-b")
    assert problem.message == "text: '-' may not stand here; pass the text through speakable()"


def test_codes_are_kebab_case_and_what_is_not_confirmed_is_no_error() -> None:
    for code, rule in RULES.items():
        assert code == code.lower().replace("_", "-")
        assert rule.level == "warning" or rule.source == "[OFF]"
