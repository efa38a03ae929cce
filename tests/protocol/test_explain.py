from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocol.test_lint import texts
from yemot_ai.protocol import Response, lint
from yemot_ai.protocol.actions import ACTIONS, SimpleAnswer
from yemot_ai.protocol.explain import ExplainedPart, explain, printable
from yemot_ai.protocol.messages import MESSAGE_TYPES
from yemot_ai.protocol.read_modes import READ_RECORD, READ_TAP, READ_VOICE
from yemot_ai_testing.property import responses


def all_parts(parts: tuple[ExplainedPart, ...]) -> Iterator[ExplainedPart]:
    for part in parts:
        yield part
        yield from all_parts(part.parts)


@pytest.mark.slow
@settings(deadline=None)  # slow machines must not fail it
@given(responses())
def test_every_part_of_a_valid_response_has_a_value_and_a_title(response: Response) -> None:
    explanation = explain(str(response))
    assert explanation.valid
    for part in all_parts(explanation.actions):
        assert part.value is not None
        assert part.title
        assert str(response).startswith(part.text, part.position)


@settings(deadline=None)  # slow machines must not fail it
@given(texts)
def test_every_problem_of_any_text_is_listed_exactly_once(text: str) -> None:
    explanation = explain(text)
    listed = [problem for part in all_parts(explanation.actions) for problem in part.problems]
    assert sorted([*listed, *explanation.other_problems], key=repr) == sorted(lint(text), key=repr)


@pytest.mark.parametrize("layout", [READ_TAP, READ_VOICE, READ_RECORD])
def test_the_fields_of_each_mode_are_numbered_as_in_the_official_table(layout: object) -> None:
    counts = {id(READ_TAP): 15, id(READ_VOICE): 9, id(READ_RECORD): 10}
    third = {id(READ_TAP): "", id(READ_VOICE): "voice", id(READ_RECORD): "record"}[id(layout)]
    (action,) = explain(f"read=t-a=x,no,{third}").actions
    numbers = [part.number for part in action.parts if part.kind == "field"]
    assert numbers == list(range(1, counts[id(layout)] + 1))


@pytest.mark.parametrize(
    ("fields", "number", "line"),
    [
        ("x,no,10,9,7,Phone,no,no,,,,,,,no,no", 16, "field 16, mentioned but not described: no"),
        ("x,no,1,1,7,No,,,,,,,,,no,,", 16, "field 16, not a known field: ,"),
        ("MOP,,4,4,Digits,yes", 5, "field 5, seconds to wait: 7 (default)"),
        ("MOP,,4,4,Digits,yes", 7, "field 7, * is refused: yes"),
        ("x, no", 2, "field 2, uses a value that the call has already: no"),
    ],
)
def test_a_doubtful_field_is_explained_by_what_it_is_taken_for(fields: str, number: int, line: str) -> None:
    (action,) = explain(f"read=t-a={fields}").actions
    headings = [part.heading for part in action.parts if part.kind == "field" and part.number == number]
    assert headings == [line]


def test_a_number_is_explained_with_its_leading_zeros() -> None:
    (action,) = explain("id_list_message=n-0501234567").actions
    assert [part.heading for part in action.parts] == ["message 1, a number: 0501234567"]


def test_titles_belong_to_fields_of_their_layout() -> None:
    known = [*ACTIONS.values(), *MESSAGE_TYPES.values(), SimpleAnswer]
    for layout in [READ_TAP, READ_VOICE, READ_RECORD, *(cls.LAYOUT for cls in known)]:
        assert layout.titles.keys() == layout.codecs.keys()


@given(st.text(st.characters(exclude_categories=())))
def test_printable_text_is_one_printable_line(text: str) -> None:
    assert printable(text).isprintable()
    assert len(printable("x" * 1000)) == 120
