"""A Hebrew page cannot fall behind its English page unnoticed, and is shown from right to left."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.docs.hebrew_pages import BLOCK, COMMAND, DOCS, TRANSLATIONS, Translation, with_blocks
from tests.docs.test_examples import FENCED, anchors_of_headings

each_translation = pytest.mark.parametrize("page", TRANSLATIONS, ids=lambda page: page.name)
each_hebrew_page = pytest.mark.parametrize(
    "page", sorted((DOCS / "he").glob("*.md")), ids=lambda page: str(page.name)
)
SECTION: Final = re.compile(r"^## ", re.MULTILINE)
ANCHOR: Final = re.compile(r'^<a id="([^"]+)"></a>\n\n##+ ', re.MULTILINE)
GENERATED: Final = re.compile(r"^<!-- generated .*?^<!-- end .*?-->$", re.MULTILINE | re.DOTALL)
LIST_MARK: Final = re.compile(r"^(?:#+|[*-]|\d+\.) +")
LEFT_TO_RIGHT, RIGHT_TO_LEFT = "\N{LEFT-TO-RIGHT MARK}", "\N{RIGHT-TO-LEFT MARK}"
CODE: Final = re.compile(rf"(?P<before>.?)`(?P<code>[^`\n]+)`(?P<after>{LEFT_TO_RIGHT}?)")


def prose_lines(page: Path) -> Iterator[str]:
    """Yield the lines of a page's text that have Hebrew, without examples and generated tables."""
    text = GENERATED.sub("", FENCED.sub("", page.read_text(encoding="utf-8")))
    for line in text.splitlines():
        if re.search("[א-ת]", line) and not line.startswith(("# ", "<!--")):
            yield line


def first_direction(text: str) -> str:
    """Return the direction of the first letter or mark: ``"L"`` or ``"R"``."""
    return next((kind for kind in map(unicodedata.bidirectional, text) if kind in {"L", "R"}), "")


def is_ordered(code: str, *, marked_before: bool, marked_after: bool) -> bool:
    """Return whether a browser shows the first and the last character of the code where they belong."""
    starts = code[0].isalnum() or marked_before
    ends = code[-1].isalnum() or marked_after
    return starts and ends


@each_translation
def test_a_hebrew_page_has_as_many_sections_as_the_english_one(page: Translation) -> None:
    hebrew, english = (SECTION.findall(FENCED.sub("", text)) for text in page.texts)

    assert len(hebrew) == len(english)


@each_translation
def test_a_hebrew_page_has_the_anchors_of_the_english_one_in_their_order(page: Translation) -> None:
    _title, *anchors = anchors_of_headings(page.english)

    assert ANCHOR.findall(page.hebrew.read_text(encoding="utf-8")) == anchors


@each_translation
def test_a_hebrew_page_has_the_examples_of_the_english_one(page: Translation) -> None:
    hebrew, english = (BLOCK.findall(text) for text in page.texts)

    assert hebrew == english, f"translate what is new, and run {COMMAND}"


@each_translation
def test_a_hebrew_page_names_all_that_the_english_one_names(page: Translation) -> None:
    """What stands as code in the English text: options, settings, names of errors, words of the log."""
    hebrew, english = (
        [found["code"] for found in CODE.finditer(FENCED.sub("", text))] for text in page.texts
    )

    assert [code for code in english if code not in hebrew] == [], "translate what is new"


def test_the_command_copies_the_examples_into_their_places() -> None:
    english = "Run\n\n<!-- file: a.py -->\n```python\nnew\n```\n\nand\n\n```yaml\nb\n```\n"
    hebrew = "הריצו\n\n```python\nold\n```\n\nואת\n\n```yaml\nb\n```\n"

    copied = with_blocks(hebrew, english)

    assert BLOCK.findall(copied) == BLOCK.findall(english)
    assert BLOCK.sub("", copied) == BLOCK.sub("", hebrew)
    with pytest.raises(ValueError, match="2 examples in Hebrew, 1 in English"):
        with_blocks(hebrew, english.partition("and")[0])


@each_hebrew_page
def test_each_paragraph_of_a_hebrew_page_begins_from_the_right(page: Path) -> None:
    """GitHub gives a paragraph the direction of its first letter: before a Latin one stands a mark."""
    paragraphs = [LIST_MARK.sub("", line) for line in prose_lines(page) if line[0] != "|"]
    wrong = [paragraph for paragraph in paragraphs if first_direction(paragraph) != "R"]

    assert wrong == [], "put U+200F (RIGHT-TO-LEFT MARK) before the first letter"


@each_hebrew_page
def test_the_signs_at_the_ends_of_code_stay_at_their_ends(page: Path) -> None:
    """In a line from right to left, ``run()`` before Hebrew is shown as ``()run`` without a mark."""
    wrong = [
        found[0]
        for line in prose_lines(page)
        for found in CODE.finditer(line)
        if not re.search("[א-ת]", found["code"])
        and not is_ordered(
            found["code"],
            marked_before=found["before"] == LEFT_TO_RIGHT,
            marked_after=found["after"] == LEFT_TO_RIGHT,
        )
    ]

    assert wrong == [], "put U+200E (LEFT-TO-RIGHT MARK) before and after the code"
