from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from yemot_ai.protocol import CreditCard, Read, Response, Tap, Text, Voice
from yemot_ai_testing.property import responses
from yemot_ai_testing.response_diff import compare


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("read=t-a=x,no,2", "read=t-a=x,no,1", ["read.max_digits: 2 → 1"]),
        (
            "read=t-a=x,no,2,,,Digits",
            "read=t-a=x,no,,,,No",
            ["read.max_digits: 2 → None", "read.keyboard: Digits → No"],
        ),
        ("read=t-a=x,no", "read=t-a=y,yes", ["read.name: x → y", "read.reuse: False → True"]),
        ("read=t-a=x,,,,,,,,,1.2", "read=t-a=x,,,,,,,,,123", ["read.allowed: 1, 2 → 1, 2, 3"]),
        ("read=t-a=x,,voice", "read=t-a=x,,record", ["read.mode: Voice (x,no,voice) → Record (x,no,record)"]),
        ("read=t-a=x,,voice", "read=t-b=x,,voice", ["read.messages[1].text: a → b"]),
        ("read=t-=x,,voice", "read=t-b=x,,voice", ["read.messages[1].text: '' → b"]),
        ("read=t-a=x,,voice", "read=f-1=x,,voice", ["read.messages[1]: t-a → f-1"]),
        ("read=t-a.t-b=x,,voice", "read=t-b=x,,voice", ["read.messages[1]: t-a → (nothing)"]),
        ("id_list_message=t-a", "id_list_message=t-a.n-5", ["id_list_message.messages[2]: (nothing) → n-5"]),
        ("noop=x", "api_log_no&noop=x", ["log: True → False"]),
        ("OK", "ERROR", ["simple answer.word: OK → ERROR"]),
        ("OK", "go_to_folder=/", ["go_to_folder: OK → go_to_folder=/"]),
        (
            "id_list_message=t-a&read=t-b=x",
            "read=t-b=x",
            ["id_list_message: id_list_message=t-a → (nothing)"],
        ),
        (
            "id_list_message=t-a",
            "id_list_message=t-a&go_to_folder=hangup",
            ["go_to_folder: (nothing) → go_to_folder=hangup"],
        ),
        (
            "id_list_message=t-a&id_list_message=t-b&noop=x",
            "id_list_message=t-a&id_list_message=t-c&noop=x",
            ["id_list_message[2].messages[1].text: b → c"],
        ),
        (
            "id_list_message=t-" + "א" * 100 + "ב",
            "id_list_message=t-" + "א" * 100 + "ג",
            [f"id_list_message.messages[1].text: …{'א' * 20}ב → …{'א' * 20}ג (from character 100)"],
        ),
        ("noop=x", "noop=x&", ["same meaning, written differently: noop=x → noop=x&"]),
        (
            "hangup=yes",
            "noop=x",
            [
                (
                    "the first is not a response: there is no such action: go_to_folder=hangup ends the "
                    "call; use one of the documented actions (at character 0)"
                ),
                "hangup=yes → noop=x",
            ],
        ),
    ],
)
def test_differences_are_shown_by_field(before: str, after: str, lines: list[str]) -> None:
    assert compare(before, after) == lines


def test_a_password_is_not_shown() -> None:
    before, after = (Response([CreditCard("p", password=word)]) for word in ("secret", "hidden"))
    assert compare(before, after) == ["credit_card.password: changed"]


@pytest.mark.slow
@settings(deadline=None)  # slow machines
@given(responses())
def test_a_response_does_not_differ_from_itself(response: Response) -> None:
    assert compare(response, str(response)) == []


@settings(deadline=None)  # slow machines
@given(responses(), responses())
@example(Response([Read([Text("א")], "a", Tap())]), Response([Read([Text("א")], "\ud7fc", Voice())]))
def test_different_responses_have_a_printable_difference(before: Response, after: Response) -> None:
    lines = compare(before, after)
    assert bool(lines) is (str(before) != str(after))
    assert all(line.isprintable() for line in lines)


@settings(deadline=None)  # slow machines
@given(st.text(st.characters(exclude_categories=())), st.text())
def test_any_two_texts_can_be_compared(before: str, after: str) -> None:
    assert bool(compare(before, after)) is (before != after)
