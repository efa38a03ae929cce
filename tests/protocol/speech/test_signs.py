"""Signs between numbers and words: each minus is heard, "until" between two ends only, no digit is lost."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from yemot_ai.protocol import Digits, speakable


def heard(text: str) -> str:
    return " ".join(
        message.value if isinstance(message, Digits) else message.text for message in speakable(text)
    )


def digits(text: str) -> str:
    return "".join(re.findall(r"\d", text))


small = st.integers(1, 99).map(str)
positive = st.one_of(small, st.sampled_from("xyn"), small.map(lambda n: f"{n}x"))
negative = positive.map(lambda term: f"(-{term})")
operator = st.sampled_from(["-", " - ", "+", " + ", "*", " × "])


def joined(parts: list[tuple[str, str]]) -> str:
    return "".join(f"{term}{sign}" for term, sign in parts[:-1]) + parts[-1][0]


terms = st.lists(st.tuples(st.one_of(positive, negative), operator), min_size=2, max_size=4).map(joined)
groups = st.tuples(terms, st.sampled_from(["-", " - ", "+", "*"]), terms).map(
    lambda parts: f"{parts[0]}{parts[1]}({parts[2]})"
)
formulas = st.tuples(st.one_of(terms, groups), small).map(lambda parts: f"{parts[0]} = {parts[1]}")


@settings(deadline=None)  # slow machines must not fail it
@given(formulas)
@example("3-(-2) = 5")
@example("5-(3-2) = 4")
@example("(-1)-(-1) = 0")
@example("2x - (-y) = 7")
def test_each_minus_of_a_formula_is_heard_and_each_number(formula: str) -> None:
    words = heard(f"{formula}.")
    assert re.findall(r"\w+", words).count("מינוס") == formula.count("-"), (formula, words)
    assert digits(words) == digits(formula), (formula, words)
    assert "עד" not in words, (formula, words)


HEBREW_DAYS = ("ראשון", "שני", "שלישי", "רביעי", "חמישי", "שישי", "שבת")
DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Monday", "Friday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec", "June")
HEBREW_MONTHS = ("ינואר", "מרץ", "מאי", "יולי", "ספטמבר", "תשרי", "ניסן", "אלול")
SIZES = ("XS", "S", "M", "L", "XL", "XXL")
THINGS = (" ימים", " דקות", " חדרים", "GB", "min", "°", "%", " ₪", ' ק"ג')
hour = st.integers(1, 12)
number = st.integers(2, 99)


def two_of(names: tuple[str, ...]) -> st.SearchStrategy[tuple[str, str]]:
    return st.lists(st.sampled_from(names), min_size=2, max_size=2, unique=True).map(
        lambda two: (two[0], two[1])
    )


rising = st.lists(number, min_size=2, max_size=2, unique=True).map(sorted)
ends = st.one_of(
    *map(two_of, (HEBREW_DAYS, DAYS, MONTHS, HEBREW_MONTHS, SIZES)),
    st.tuples(hour.map(lambda n: f"{n}am"), hour.map(lambda n: f"{n}pm")),
    st.tuples(hour.map(lambda n: f"{n}:30 AM"), hour.map(lambda n: f"{n} PM")),
    st.tuples(hour.map(lambda n: f"{n} a.m."), hour.map(lambda n: f"{n} p.m.")),
    st.tuples(rising, st.sampled_from("QHTv")).map(lambda two: tuple(f"{two[1]}{end}" for end in two[0])),
    st.tuples(rising, st.sampled_from(THINGS)).map(lambda two: tuple(f"{end}{two[1]}" for end in two[0])),
    st.tuples(hour, two_of(MONTHS)).map(lambda two: (f"{two[0]} {two[1][0]}", f"7 {two[1][1]}")),
    st.tuples(hour, two_of(DAYS)).map(lambda two: (f"{two[1][0]} {two[0]}:00", f"{two[1][1]} 17:00")),
)  # fmt: skip


@settings(deadline=None)  # slow machines must not fail it
@given(ends, st.sampled_from(["-", "–", " - ", " – ", "־"]))
def test_until_is_heard_between_two_things_of_one_kind(two: tuple[str, str], joint: str) -> None:
    words = heard(f"פתוח {joint.join(two)}, תודה")
    first, _, last = words.partition(" עד ")
    assert words.split().count("עד") == 1, (two, joint, words)
    assert (digits(first), digits(last)) == (digits(two[0]), digits(two[1])), (two, joint, words)


letters = st.text("ABCDEFGHKLM", min_size=1, max_size=3)
group = st.integers(0, 999).map(str)
serials = st.one_of(
    st.tuples(letters, group, group).map("-".join),
    st.tuples(letters, group, letters, group).map("-".join),
    st.tuples(group, letters, group).map("-".join),
    st.uuids().map(str),
    st.binary(min_size=6, max_size=6).map(lambda octets: octets.hex(":").upper()),
    st.integers(10**18, 10**19 - 1).map(lambda n: f"IL62 {n}"),
    st.integers(2_000_000, 9_999_999).map(lambda n: f"*{n // 1000}"),
    st.integers(100, 99_999).map(lambda n: f"*{str(n)[0]}-{str(n)[1:]}"),
    st.integers(1_000, 9_999).map(lambda n: f"555-{n}" if n % 10 else "555-1234"),
    st.tuples(st.integers(2020, 2030), st.integers(1, 9_999)).map(lambda n: f"{n[0]}-{n[1]:05}"),
)


@settings(deadline=None)  # slow machines must not fail it
@given(serials)
def test_a_serial_number_is_no_range_and_keeps_its_digits(serial: str) -> None:
    words = heard(f"מספר {serial}.")
    assert digits(words) == digits(serial), (serial, words)
    assert not {"עד", "מינוס", "כפול"} & set(words.split()), (serial, words)


def grouped(value: int, mark: str) -> str:
    return f"{value:,}".replace(",", mark)


marks = st.sampled_from([",", "'", "’", "_", "\u00a0", "\u2009", "\u202f"])


@settings(deadline=None)  # slow machines must not fail it
@given(st.integers(1_000, 10**9), marks)
def test_a_number_in_groups_is_one_number(value: int, mark: str) -> None:
    assert heard(f"שילמנו {grouped(value, mark)} בלבד") == f"שילמנו {value:,} בלבד"


@settings(deadline=None)  # slow machines must not fail it
@given(st.integers(1_000, 10**9), st.integers(1, 99), st.sampled_from(["., ", ",. ", " , ", "'. "]))
def test_an_amount_in_groups_is_an_amount_of_money(value: int, cents: int, signs: str) -> None:
    mark, point = signs[0], signs[1]
    assert heard(f"€{grouped(value, mark)}{point}{cents:02}") == f"{value:,} אירו ו {cents} סנט"


@settings(deadline=None)  # slow machines must not fail it
@given(st.sampled_from(["ליברפול", "מכבי חיפה", "ניצחנו", "תוצאה:"]), number, number)
def test_a_score_is_no_range(team: str, left: int, right: int) -> None:
    assert heard(f"{team} {left}-{right}").replace(",", "").split()[-2:] == [str(left), str(right)]
