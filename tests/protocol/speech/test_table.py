from __future__ import annotations

import pytest

from tests.docs.generated_section import Section
from tests.protocol.speech.answers import ANSWERS
from tests.protocol.speech.table import PAGES, examples


@pytest.mark.parametrize(("section", "words"), PAGES, ids=["English", "Hebrew"])
def test_each_page_has_every_example(section: Section, words: dict[str, str]) -> None:
    assert section.read() == examples(words), f"docs/{section.page} is out of date; run: {section.command}"


def test_the_page_has_more_than_a_hundred_examples() -> None:
    assert sum(map(len, ANSWERS.values())) > 100
