"""No word and no number is lost, and none is invented: read by a reader without the normalizer's tables."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from yemot_ai.protocol import Digits, speakable

WORDS = ("שלום", "כלב", "ירוק", "אני", "הולך", "הביתה", "גדול", "חתול", "שולחן", "מחר")

Item = tuple[str, list[str]]
"""A text, and the words and numbers that are heard of it, without the names of signs."""

NAMES = {
    "עד", "מינוס", "פלוס", "נקודה", "אחוז", "שקלים", "שקל", "אגורות", "דולר", "סנט", "מעלות", "ו", "ב",
    "בריבוע",
    "כפול", "כוכבית", "שווה", "קילוגרם", "וחצי",
}  # fmt: skip


def heard(text: str) -> list[str]:
    """Return the words and numbers that are heard, without the names of signs and units."""
    messages = (message.value if isinstance(message, Digits) else message.text for message in speakable(text))
    tokens = re.findall(r"[^\W\d]+|\d+(?:,\d{3})*(?::\d\d)?", " ".join(messages))
    return [token.replace(",", "") for token in tokens if token not in NAMES]


def word(text: str) -> Item:
    return text, [text]


number = st.integers(2, 99)
amount = st.integers(1_000, 9_999)
local = st.integers(2_000_000, 9_999_999).map(str)


def ascending(values: list[int]) -> list[int]:
    return sorted(set(values))


pair = st.lists(number, min_size=2, max_size=2, unique=True).map(sorted)
day, month = st.integers(1, 28), st.integers(9, 12)

items: st.SearchStrategy[Item] = st.one_of(
    st.sampled_from(WORDS).map(word),
    number.map(lambda n: (f"{n}%", [f"{n}"])),
    number.map(lambda n: (f"-{n}°", [f"{n}"])),
    number.map(lambda n: (f"ב-{n}", [f"{n}"])),
    number.map(lambda n: (f"{n}²", [f"{n}"])),
    number.map(lambda n: (f"{n}½", [f"{n}"])),
    number.map(lambda n: (f"~{n}", ["בערך", f"{n}"])),
    number.map(lambda n: (f'{n} ק"ג', [f"{n}"])),
    number.map(lambda n: (f"**{n}** ₪", [f"{n}"])),
    amount.map(lambda n: (f"{n:,} ₪", [f"{n}"])),
    st.tuples(number, st.integers(10, 99)).map(lambda n: (f"{n[0]}.{n[1]} ₪", [f"{n[0]}", f"{n[1]}"])),
    st.tuples(number, st.integers(10, 99)).map(lambda n: (f"${n[0]}.{n[1]}", [f"{n[0]}", f"{n[1]}"])),
    pair.map(lambda n: (f"{n[0]}-{n[1]}", [f"{n[0]}", f"{n[1]}"])),
    pair.map(lambda n: (f"{n[0]}%–{n[1]}%", [f"{n[0]}", f"{n[1]}"])),
    pair.map(lambda n: (f"{n[1]}-{n[0]}={n[1] - n[0]}", [f"{n[1]}", f"{n[0]}", f"{n[1] - n[0]}"])),
    pair.map(lambda n: (f"{n[0]} x {n[1]}", [f"{n[0]}", f"{n[1]}"])),
    st.tuples(day, month).map(lambda n: (f"{n[0]}/{n[1]}", [f"{n[0]}", f"{n[1]}"])),
    st.tuples(day, month).map(lambda n: (f"{n[0]}.{n[1]}.2026", [f"{n[0]}", f"{n[1]}", "2026"])),
    st.tuples(st.integers(10, 23), st.integers(10, 59)).map(lambda n: (f"{n[0]}:{n[1]}", [f"{n[0]}:{n[1]}"])),
    local.map(lambda n: (f"03-{n}", [f"03{n}"])),
    local.map(lambda n: (f"טל:054-{n[:3]}-{n[3:]}", ["טלפון", f"054{n}"])),
    local.map(lambda n: (f"+972-52-{n}", [f"97252{n}"])),
    number.map(lambda n: (f"*24{n:02}", [f"24{n:02}"])),
    number.map(lambda n: (f"$x + {n} = y$", ["x", f"{n}", "y"])),
    st.sampled_from(WORDS).map(lambda text: (f"**{text}**[1]", [text])),
    st.sampled_from(WORDS).map(lambda text: (f"[{text}](https://example.com/{text}?a=1)", [text])),
)
separators = st.sampled_from([", ", ". ", "\n", "! ", "; ", " (", "\n- ", "\n\n## "])


@settings(deadline=None)  # slow machines must not fail it
@given(st.lists(st.tuples(items, separators), min_size=1, max_size=12))
@example([(("7-3=4", ["7", "3", "4"]), ", "), (("1/12", ["1", "12"]), ". ")])
def test_every_word_and_number_is_heard_once_and_in_order(parts: list[tuple[Item, str]]) -> None:
    text = "".join(f"{written}{separator}" for (written, _), separator in parts)
    assert heard(text) == [token for (_, tokens), _ in parts for token in tokens], (text, speakable(text))
