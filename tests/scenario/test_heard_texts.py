"""What the caller heard is compared with ``contains``, ``excludes``, ``equals`` and ``matches``."""

from __future__ import annotations

import pytest

from tests.support.scenario_calls import answering, failure_of, play_turns

ASK = "read=t-צה״ל, שלום־רב: שָׁלוֹם! 10,5=q,no,voice"


def passes(expectation: str, response: str = ASK) -> bool:
    result = play_turns(f"[{{hears: {{{expectation}}}}}]", answering(response))
    return result.failure is None


@pytest.mark.parametrize("key", ["contains", "excludes"])
@pytest.mark.parametrize(
    ("sign", "is_heard"),
    [
        *((sign, False) for sign in (".", "...", "-", '"', ";", "׳", "…")),
        *((sign, True) for sign in (",", "״", "־", ":", "!", "ָ")),
    ],
)
def test_a_text_of_signs_only_is_compared_as_it_is_written(
    key: str,
    sign: str,
    is_heard: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert passes(f"{key}: '{sign}'") is (is_heard is (key == "contains"))


@pytest.mark.parametrize("sign", [".", ",", "-", "״"])
def test_a_sign_is_not_the_whole_text_of_a_silent_answer(sign: str) -> None:
    assert not passes(f"equals: '{sign}'", "go_to_folder=hangup")
    assert passes("equals: ''", "go_to_folder=hangup")


@pytest.mark.parametrize(
    ("expectation", "key"),
    [
        ("contains: ''", "contains"),
        ("contains: [שלום, ' ']", "contains"),
        ("excludes: ''", "excludes"),
        ('excludes: [להתראות, "\\u200f"]', "excludes"),
    ],
)
def test_an_empty_text_is_a_mistake_and_no_comparison(expectation: str, key: str) -> None:
    kind, messages = failure_of(play_turns(f"[{{hears: {{{expectation}}}}}]", answering(ASK)))
    assert kind == "heard"
    assert messages == (
        f"{key} has an empty text, which is in every other: leave it out, or write equals: ''",
    )


def test_a_sign_beside_a_word_is_still_not_compared() -> None:
    assert passes("contains: ['שלום רב.', 'צה\"ל']")
    assert not passes("excludes: 'שלום, רב.'")


@pytest.mark.parametrize(
    "pattern",
    ["^צה״ל, שלום", "^צהל שלום", "שלום־רב", "שלום רב", "רב: שָׁלוֹם!", "רב: שלום!", "10,5$", ",.*,", "^[^.]*$"],
)
def test_a_regular_expression_matches_what_was_heard_with_its_signs_or_without(pattern: str) -> None:
    assert passes(f"matches: '{pattern}'")


@pytest.mark.parametrize("pattern", ["^שלום", "רב\\.", "10\\.5"])
def test_a_regular_expression_that_neither_has_fails(pattern: str) -> None:
    result = play_turns(f"[{{hears: {{matches: '{pattern}'}}}}]", answering(ASK))
    assert failure_of(result) == ("heard", (f"heard nothing that matches {pattern!r}",))
