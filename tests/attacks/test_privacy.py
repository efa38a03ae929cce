"""Attacks on what the log hides: phone numbers in every spelling; what must stay readable."""

from __future__ import annotations

import datetime as dt
import logging
import re
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.untraced import untraced
from yemot_ai.redaction import mask_numbers

SPELLINGS = [
    "0501234567",
    "050-1234567",
    "050.123.4567",
    "(050) 1234567",
    "(050)-123-4567",
    "050/1234567",
    "050 12 34 567",
    "0 5 0 1 2 3 4 5 6 7",
    "501234567",
    "50-123-4567",
    "972501234567",
    "+972 50 123 4567",
    "+972 (0)50-123-4567",
    "00972501234567",
    "+972.50.123.4567",
    "14155554567",
    "4155554567",
    "(415) 555-4567",
    "1-415-555-4567",
    "+44 20 7946 4567",
    "442079464567",
    "00442079464567",
    "٠٥٠١٢٣٤٥٦٧",
    "０５０１２３４５６７",
    "۰۵۰-۱۲۳-۴۵۶۷",
    "\u200e050\u200e1234567",
    "\u202a0501234567\u202c",
    "050\u00a0123\u00a04567",
    "050\u2011123\u20114567",
    "050\u00ad1234567",
    "050+123+4567",
    "+972+50+123+4567",
    "050_123_4567",
    "050\t1234567",
    "050\n1234567",
    "050\u2212123\u22124567",
    "050\u00b7123\u20224567",
    "0044 20 7946 4567",
    "00972-50-123-4567",
    "031234567",
    "03-1234567",
    "077-1234567",
]
AROUND = [
    "{}",
    "call from {}.",
    "KeyError: '\\n{}'",
    "\\u05d0{}",
    "\\x1b{}",
    "א{}ב",
    "tel{}",
    "phone={}&x=1",
    "'ApiPhone': '{}'",
    "<{}>",
    "sip:{}@host",
    "c_{}_1",
    "({})",
]


def bytes_repr(text: str) -> str:
    return repr(text.encode())


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("encode", [str, quote, ascii, bytes_repr], ids=["plain", "url", "ascii", "bytes"])
def test_a_number_is_masked_in_every_spelling(spelling: str, encode: Callable[[str], str]) -> None:
    masked = mask_numbers(f"call from {encode(spelling)} failed")

    assert "…4567" in masked
    assert not re.search(r"123.{0,9}4567|1234567|555.{0,3}4567", masked)


@pytest.mark.parametrize("number", ["050\\t123\\n4567", "050%09123%0A4567", "050%20123+4567"])
def test_a_number_is_masked_whose_separators_are_escaped(number: str) -> None:
    assert mask_numbers(f"from {number}.") == "from …4567."


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("number", ["0501234567", "+972501234567", "050-123-4567", "00972501234567"])
def test_a_number_is_masked_in_every_place(around: str, number: str) -> None:
    assert mask_numbers(around.format(number)) == around.format("…4567")


@given(
    prefix=st.sampled_from(["050", "052", "058", "077", "03", "02", "+97250", "97254", "0097255", "+9723"]),
    digits=st.from_regex(r"[0-9]{7}", fullmatch=True),
    gap=st.sampled_from(["", "-", " ", ".", "\u00a0", " - ", "/"]),
    cut_zero=st.tuples(st.integers(2, 5), st.sampled_from([0x30, 0x660, 0x6F0, 0x966, 0xFF10])),
    before=st.sampled_from(["", " ", "'", "\\n", "\\u05d0", "א", "=", "%D7%90", "\u200e", "("]),
)
def test_of_any_israeli_number_four_digits_are_left(
    prefix: str, digits: str, gap: str, cut_zero: tuple[int, int], before: str
) -> None:
    cut, zero = cut_zero
    number = f"{prefix}{gap}{digits[:cut]}{gap}{digits[cut:]}"
    written = "".join(chr(zero + int(one)) if one.isdigit() else one for one in number)

    assert mask_numbers(f"{before}{written}, 12 s") == f"{before}…{digits[-4:]}, 12 s"


moments = st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2040, 1, 1))  # noqa: DTZ001 - any time


@given(
    st.one_of(
        st.integers(0, 99_999_999).map(str),
        st.integers(0, 99_999_999).map("{:,}".format),
        st.decimals(0, 10**7, places=2).map(str),
        st.floats(0, 10**6).map("{:.6f}".format),
        st.uuids().map(str),
        st.uuids().map(lambda value: value.hex[:31] + "f"),
        moments.map(str),
        moments.map(dt.datetime.isoformat),
        moments.map("{:%d/%m/%Y %H:%M}".format),
        moments.map("{:%d.%m.%Y %H:%M:%S}".format),
        moments.map("{:%Y-%m-%d %H:%M:%S,123}".format),
        st.floats(1.6e9, 1.9e9).map("{:.3f}".format),
        st.integers(1_600_000_000, 1_899_999_999).map(str),
        st.integers(1_600_000_000_000, 1_899_999_999_999).map(str),
        st.tuples(st.integers(1, 999), st.integers(1, 99)).map(lambda turn: f"ai_{turn[0]}w{turn[1]}"),
        st.ip_addresses(v=4).map(str),
        st.lists(st.integers(0, 9999), min_size=2, max_size=6).map(str),
    ),
    st.sampled_from(["turn {}", "cost ₪{}", "{} s", "{} tokens", "id={}, 3", "at {}: x", "({})"]),
)
def test_what_is_no_phone_number_stays(value: str, around: str) -> None:
    text = around.format(value)

    assert mask_numbers(text) == text


@pytest.mark.parametrize("unit", ["0", "05-", "9 ", "%30", "\\u0660", "a0", "+1(", "00", "050+", "9 9", "0 "])
def test_twice_the_text_takes_about_twice_as_long(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    bound = 3 * seconds_to_mask(text) + 0.05

    assert any(seconds_to_mask(2 * text) < bound for _ in range(3))  # another program may slow one down


def seconds_to_mask(text: str) -> float:
    """Return the processor time."""
    with untraced():
        start = time.thread_time()
        mask_numbers(text)
        return time.thread_time() - start


def test_a_number_in_the_repr_of_an_exception_is_masked(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("yemot_ai")
    numbers: dict[object, str] = {}
    for key in ("\n0501234567", "א0501234567", "\u200e050\u00a01234567", b"\xd9\xa00501234567"):
        try:
            numbers[key]
        except KeyError:
            log.exception("failed: %r", key)

    assert "1234567" not in caplog.text
    assert caplog.text.count("…4567") == 8
