from __future__ import annotations

import pytest

from tests.protocol.speech.answers import ANSWERS
from yemot_ai.protocol import Play, Response, lint, speakable

PAIRS = [
    pytest.param(*pair, id=f"{kind} {number}")
    for kind in ANSWERS
    for number, pair in enumerate(ANSWERS[kind])
]


@pytest.mark.parametrize(("written", "heard"), PAIRS)
def test_a_text_is_heard_by_its_meaning(written: str, heard: str) -> None:
    assert " / ".join(str(message).removeprefix("t-") for message in speakable(written)) == heard


@pytest.mark.parametrize(("written", "heard"), PAIRS)
def test_what_is_heard_is_a_response_that_the_line_can_play(written: str, heard: str) -> None:
    played = Play(speakable(written))
    assert Response.parse(str(played)) == Response([played])
    assert [problem.code for problem in lint(str(played))] == ["play-leaves"]
    assert len(heard.split(" / ")) == len(played.messages)


@pytest.mark.parametrize(
    ("quote", "mark"), [('"', "'"), ("״", "׳"), ("”", "’"), ("“", "‘"), ("''", "´"), ("″", "′")]
)
def test_an_abbreviation_is_known_by_every_kind_of_mark(quote: str, mark: str) -> None:
    (message,) = speakable(f"עו{quote}ד כהן, רח{mark} הרצל, 5 ק{quote}ג, 10 דק{mark}")
    assert str(message) == "t-עורך דין כהן, רחוב הרצל, 5 קילוגרם, 10 דקות"


@pytest.mark.parametrize(
    "written", ["[חייגו](tel:+97231234567)", "ח\u202d03-1234567\u202c", "**03**-1234567"]
)
def test_a_telephone_number_in_markup_is_spoken_digit_by_digit(written: str) -> None:
    assert [str(message) for message in speakable(written)][-1].startswith("d-")


def test_long_digits_are_cut_into_messages_without_loss() -> None:
    messages = speakable("7" * 1_000)
    assert {len(str(message)) for message in messages} == {152, 102}
    assert sum(str(message).count("7") for message in messages) == 1_000
