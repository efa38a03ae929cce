"""What old lines send is understood leniently: what is wrong with optional fields is a warning [?]."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.protocol.lint_examples import ERRORS, MARK
from tests.protocol.spellings import spelled_responses
from tests.protocol.test_lint import texts
from yemot_ai.errors import ResponseSyntaxError
from yemot_ai.protocol import (
    Action,
    CreditCard,
    MusicOnHold,
    Problem,
    Read,
    Record,
    Response,
    Routing,
    Tap,
    Text,
    Voice,
    explain,
    lint,
)
from yemot_ai.protocol.grammar import parse_response
from yemot_ai_testing.property import response_texts


def findings(text: str, *, lenient: bool = True) -> list[tuple[str, str]]:
    return [(problem.level, problem.code) for problem in lint(text, lenient=lenient)]


def errors(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in problems if problem.level == "error"]


def taken(fields: str) -> Read:
    (read,) = Response.parse(f"read=t-q={fields}", lenient=True)
    assert isinstance(read, Read)
    return read


@pytest.mark.parametrize(
    ("fields", "read"),
    [
        ("x,no,1,1,7,No,no,no,,,,Ok,True,True", Tap(1, accept_empty=True, empty_value="True", confirm=True)),
        ("x,maybe,abc,abc,abc,Nothing,maybe,maybe,*,x,0,yes", Tap(confirm=True)),
        ("x,no,voice,he_IL,0,abc,3,x,20", Voice(max_seconds=20)),
        ("x,no,record,1/2,a/b,x,x,x,x,x", Record()),
        ("x,no,2,3,7,No,,,,,,,,,no", Tap(2)),
        ("x,no,record,,,,,,5,2", Record(max_seconds=2)),
        ("x,no,record,,,,,,,,more,yet", Record()),
        ("x,no,vioce,he-IL,3,2,record,3,20", Tap(confirm=True)),
        ("x,voice,2,3,5,Digits", Tap(confirm=True)),
    ],
)
def test_a_field_that_is_not_understood_counts_as_its_default(
    fields: str, read: Tap | Voice | Record
) -> None:
    assert taken(fields) == Read([Text("q")], "x", read)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("music_on_hold=x,30,return", MusicOnHold("x", 30)),
        ("credit_card=p,a lot,,x,3", CreditCard("p")),
        ("routing=05,,x,maybe,..", Routing(("05",))),
    ],
)
def test_the_fields_of_other_actions_are_understood_leniently_too(text: str, action: Action) -> None:
    assert Response.parse(text, lenient=True) == Response([action])


def test_the_same_code_is_a_warning_at_the_same_place_that_says_what_is_done() -> None:
    text = "read=t-q=x,maybe,1,1,7,No,,,,,,,,,no"
    (strict,), (lenient,) = lint(text), lint(text, lenient=True)
    assert (strict.level, lenient.level) == ("error", "warning")
    assert (strict.code, strict.position) == (lenient.code, lenient.position)
    assert ": ignored; " in lenient.message
    assert (strict.source, lenient.source) == ("[OFF]", "[?]")


@pytest.mark.parametrize(
    "text",
    [
        "hangup=yes",
        "read=t-q=,,voice",
        "read=t-q=Api,maybe",
        "read=q=x,no,1",
        "read=t-a-b=x,maybe",
        "go_to_folder=/..",
        "music_on_hold=,abc",
        "routing=",
        "<html>",
        "id_list_message=n-abc",
        "read=t-q=x&go_to_folder=/1",
    ],
)
def test_the_structure_is_checked_as_strictly(text: str) -> None:
    assert errors(lint(text, lenient=True))
    with pytest.raises(ResponseSyntaxError):
        Response.parse(text, lenient=True)


@settings(deadline=None)  # slow machines must not fail it
@given(spelled_responses())
def test_what_the_strict_parser_accepts_means_the_same_to_the_lenient_one(
    spelling: tuple[Response, str],
) -> None:
    response, text = spelling
    assert Response.parse(text, lenient=True) == response
    assert lint(text, lenient=True) == lint(text)


@settings(deadline=None)  # slow machines must not fail it
@given(texts)
def test_the_lenient_parser_reports_what_the_strict_one_does(text: str) -> None:
    strict, lenient = parse_response(text).problems, parse_response(text, lenient=True).problems
    assert [(problem.code, problem.position) for problem in strict if problem.level == "error"] == [
        (problem.code, problem.position)
        for problem in lenient
        if problem.level == "error" or ": ignored; " in problem.message
    ]


@settings(deadline=None)  # slow machines must not fail it
@given(texts | response_texts())
def test_what_is_parsed_leniently_is_written_so_that_the_strict_parser_accepts_it(text: str) -> None:
    if errors(lint(text, lenient=True)):
        with pytest.raises(ResponseSyntaxError):
            Response.parse(text, lenient=True)
        return
    parsed = Response.parse(text, lenient=True)
    assert Response.parse(str(parsed)) == parsed


@pytest.mark.parametrize("marked", [marked for marked, _ in ERRORS])
def test_a_text_without_lenient_errors_parses(marked: str) -> None:
    text = marked.replace(MARK, "")
    if not errors(lint(text, lenient=True)):
        Response.parse(text, lenient=True)


def test_a_surplus_field_is_explained_as_not_known() -> None:
    (read,) = explain("read=t-q=x,no,record,,,,,,,,more,yet", lenient=True).actions
    assert (read.parts[-1].title, read.parts[-1].value) == ("not a known field", "more,yet")
