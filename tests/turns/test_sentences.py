from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yemot_ai._turns.sentences import SentenceSplitter, keep_whole_words, split_sentences

WRITTEN = st.text(st.sampled_from("אבג ד.!?…\n\"*)'12:/Dr_\u05f4,"), max_size=80) | st.text(max_size=80)


@given(text=WRITTEN, cuts=st.lists(st.integers(0, 80)))
def test_the_sentences_do_not_depend_on_the_parts_of_the_text(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    splitter = SentenceSplitter()
    sentences = [sentence for a, b in itertools.pairwise(places) for sentence in splitter.feed(text[a:b])]

    assert [*sentences, *splitter.flush()] == split_sentences(text)


@given(text=WRITTEN)
def test_nothing_is_lost_and_nothing_is_said_twice(text: str) -> None:
    assert "".join(split_sentences(text)).rstrip() == text.rstrip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("שלום. מה שלומך? טוב! סוף", ["שלום.", " מה שלומך?", " טוב!", " סוף"]),
        ("זה 3.5 שקלים, ב-12:30. תודה", ["זה 3.5 שקלים, ב-12:30.", " תודה"]),
        ("לחם, חלב וכו'. עוד?", ["לחם, חלב וכו'.", " עוד?"]),
        ("חברה ב.מ. גדולה. כן", ["חברה ב.מ. גדולה.", " כן"]),
        ("י. ל. פרץ כתב. כן", ["י. ל. פרץ כתב.", " כן"]),
        ("Dr. No, e.g. here. Yes", ["Dr. No, e.g. here.", " Yes"]),
        ("1. ראשון\n2. שני", ["1. ראשון\n", "2. שני"]),
        ("- 3. חלב. כן", ["- 3. חלב.", " כן"]),
        ("ראו https://a.il/b?c=d. כן", ["ראו https://a.il/b?c=d.", " כן"]),
        ("רגע... כן… טוב", ["רגע...", " כן…", " טוב"]),
        ('אמר: "כן." והלך', ['אמר: "כן."', " והלך"]),
        ("**חשוב.** כן", ["**חשוב.**", " כן"]),
        ("בשעה 12. מחר", ["בשעה 12.", " מחר"]),
        ("\n\nשלום\n\nכן", ["\n\nשלום\n", "\nכן"]),
        ("שלום", ["שלום"]),
        (" \n ", []),
    ],
)
def test_a_sentence_ends_where_it_is_said_to_end(text: str, expected: list[str]) -> None:
    assert split_sentences(text) == expected


def test_a_sentence_is_returned_as_soon_as_it_is_known_to_be_complete() -> None:
    splitter = SentenceSplitter()

    assert splitter.feed("המחיר 3.") == []
    assert splitter.feed("5 שקלים.") == []
    assert splitter.feed(" ועוד") == ["המחיר 3.5 שקלים."]
    assert splitter.flush() == [" ועוד"]


SLOW_TEXTS = {
    "dot leaders": ".",
    "exclamation marks": "!",
    "ellipses": "…",
    "marks and quotes": '."',
    "line breaks": "\n",
    "spaces": " ",
    "initials": "א. ",
    "list marks": "- ",
    "words without an end": "מילה ",
    "one word": "א",
    "emphasis": "*",
}


@pytest.mark.parametrize("part", SLOW_TEXTS.values(), ids=SLOW_TEXTS)
def test_the_time_for_a_text_grows_linearly_with_it(part: str) -> None:
    def seconds(count: int) -> float:
        start = time.process_time()
        splitter = SentenceSplitter()
        for _ in range(count):
            splitter.feed(part)
        for rest in splitter.flush():
            keep_whole_words(f"{rest}א", is_first=True)
        return time.process_time() - start

    assert seconds(20_000) < 25 * max(seconds(2_000), 0.002)


@pytest.mark.parametrize(
    ("sentence", "spoken"),
    [
        ("סוף.", "סוף."),
        ("סוף.'\"  ", "סוף.'\"  "),
        ("סוף\n ", "סוף\n "),
        ("סוף\n**", "סוף\n**"),
        ("עולה 3.", "עולה"),
        ("סוף", ""),
        (" ", ""),
        ("", ""),
    ],
)
def test_of_a_sentence_without_its_end_the_last_word_is_dropped(sentence: str, spoken: str) -> None:
    assert keep_whole_words(sentence, is_first=True) == spoken
