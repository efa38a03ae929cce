from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz.budget import FUZZ
from yemot_ai.errors import ResponseSyntaxError
from yemot_ai.protocol import (
    File,
    GoToFolder,
    Number,
    Play,
    Read,
    Request,
    Response,
    Tap,
    Voice,
    lint,
    speakable,
)
from yemot_ai.protocol.explain import explain
from yemot_ai_testing.property import model_texts, requests, response_texts
from yemot_ai_testing.property.strategies import RawRequest
from yemot_ai_testing.property.strategies.texts import TEXT_KINDS
from yemot_ai_testing.property.strategies.words import (
    EMOJI,
    INJECTIONS,
    INVISIBLE,
    NIQQUD_WORDS,
    ODD_TEXTS,
    STRUCTURE,
    any_text,
)

SEEDS = [*STRUCTURE, *INJECTIONS, *ODD_TEXTS, *EMOJI, *INVISIBLE, *NIQQUD_WORDS]
short_texts = model_texts(*[kind for kind in TEXT_KINDS if kind != "long"])

HUGE = [
    seed * (50_000 // len(seed)) for seed in ("&go_to_folder=hangup", "t-.", "א", "a.", '"', "\ud800", " -")
]


def errors(answer: str) -> list[str]:
    return [problem.code for problem in lint(answer) if problem.level == "error"]


def assert_spoken_only(text: str) -> None:
    """Check that a text among other messages and actions does not change the structure of the response."""
    said = speakable(text)
    asked = Read([File("q"), *said], "wish", Tap(max_digits=1))
    built = Response([Play([Number(1), *said, File("x")]), asked])
    answer = str(built)
    parsed = Response.parse(answer)
    assert parsed == built
    assert errors(answer) == []
    assert (answer.count("&"), answer.count("=")) == (1, 3)
    play, read = parsed
    assert isinstance(play, Play)
    assert isinstance(read, Read)
    assert play.messages == (Number(1), *said, File("x"))
    assert (read.name, read.fields()) == ("wish", "wish,no,1,1,7,No,,,,,,,None,,no")


@FUZZ
@given(short_texts)
@example("&go_to_folder=hangup")
def test_no_text_of_a_model_changes_the_structure_of_an_answer(text: str) -> None:
    assert_spoken_only(text)


@pytest.mark.parametrize("text", [*SEEDS, *HUGE])
def test_no_hostile_text_changes_the_structure_of_an_answer(text: str) -> None:
    assert_spoken_only(text)
    assert_spoken_only(f"שלום {text} עולם")


@FUZZ
@given(response_texts())
def test_a_text_is_read_and_survives_a_round_trip_or_raises_a_syntax_error(text: str) -> None:
    with suppress(ResponseSyntaxError):
        parsed = Response.parse(text)
        assert Response.parse(str(parsed)) == parsed
        assert str(Response.parse(str(parsed))) == str(parsed)
    assert explain(text).text == text


@FUZZ
@given(response_texts())
def test_lint_reports_an_error_if_parsing_fails(text: str) -> None:
    if not errors(text):
        Response.parse(text)
        return
    assert all(0 <= problem.position <= len(text) for problem in lint(text))


@FUZZ
@given(short_texts)
def test_an_unescaped_text_cannot_hide_its_actions(text: str) -> None:
    answer = f"id_list_message=t-{text}&go_to_folder=/1"
    if errors(answer):
        return
    *_, last = Response.parse(answer)
    assert last == GoToFolder("/1")


@FUZZ
@given(requests() | st.binary(max_size=60))
def test_any_raw_request_is_read(raw: RawRequest | bytes) -> None:
    request = Request.parse(raw)  # type: ignore[arg-type]  # servers hand over bytes, too
    assert all(isinstance(part, str) for pair in request.pairs for part in pair)
    assert request.hangup in {True, False}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=4,
)


@FUZZ
@given(
    st.lists(st.tuples(any_text, short_texts), max_size=4)
    | st.dictionaries(any_text, short_texts | st.lists(any_text, max_size=3), max_size=4)
    | st.dictionaries(any_text, anything, max_size=3)
    | anything
)
def test_any_request_of_any_framework_is_read(params: object) -> None:
    request = Request.parse(params)  # type: ignore[arg-type]  # junk is the point
    assert request.time is None or request.time >= 0
    assert not request.extension.startswith("/")


def test_a_voice_question_keeps_its_name_beside_a_hostile_text() -> None:
    asked = Read(speakable("=x,no,1&read=t-y=z"), "wish", Voice())
    (read,) = Response.parse(str(Response([asked])))
    assert read == asked
