from __future__ import annotations

from tests.protocol.speech.answers import ANSWERS
from tests.protocol.speech.table import SECTION, examples


def test_the_page_has_every_example() -> None:
    assert SECTION.read() == examples(), f"docs/{SECTION.page} is out of date; run: {SECTION.command}"


def test_the_page_has_more_than_a_hundred_examples() -> None:
    assert sum(map(len, ANSWERS.values())) > 100
