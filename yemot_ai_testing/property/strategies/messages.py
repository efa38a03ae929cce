"""Strategies for the messages of a response."""

from __future__ import annotations

import datetime as dt
from typing import Final

from hypothesis import strategies as st

from yemot_ai.protocol import (
    Comment,
    Date,
    Digits,
    File,
    GoTo,
    HebrewDate,
    Letters,
    Message,
    MusicOnHoldMessage,
    Number,
    SpeechFile,
    SystemMessage,
    Text,
    Zmanim,
)
from yemot_ai_testing.property.strategies.values import digits

__all__ = ["COUNTS", "goto_targets", "messages", "text_without"]

COUNTS: Final = st.integers(0, 10**9 - 1)


def text_without(forbidden: str, *, min_size: int = 1) -> st.SearchStrategy[str]:
    """Return a strategy for one-line texts without the characters ``forbidden``."""
    free = st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp"), exclude_characters=forbidden),
        min_size=min_size,
        max_size=12,
    )
    return free.filter(lambda text: not min_size or bool(text.strip()))


_TEXTS = st.builds(
    Text, st.sampled_from(["שלום", "", "יש 3, 4 או 12:30?", "בְּרָכָה"]) | text_without(".-&=\"'|")
)
_PATHS = st.sampled_from(["000", "/8/error", "YM_LOCAL/lib/file"]) | text_without(".&=")
_SEGMENTS = st.sampled_from(["1", "12"]) | text_without("/.,&=")
goto_targets: Final = st.sampled_from(["/", "hangup"]) | st.lists(_SEGMENTS, min_size=1, max_size=3).map(
    "/".join
)
"""Targets of ``g-…``: no dots."""

_ZMANIM = st.builds(
    Zmanim,
    st.sampled_from(["sunset"]) | text_without(".,&="),
    zone=text_without(".,&=", min_size=0),
    sign=st.sampled_from(["", "+", "-"]),
    amount=st.just("")
    | st.builds(lambda unit, n: f"{unit}{n}", st.sampled_from("YMDHmSs"), st.integers(0, 999)),
)
_INNER: Final[st.SearchStrategy[Message]] = st.one_of(
    st.just(Text("שלום")),
    _TEXTS,
    st.builds(File, _PATHS),
    st.builds(Digits, digits()),
    st.builds(Number, COUNTS),
    st.builds(Letters, st.sampled_from(["abc", "A1 b2", "Z"])),
    st.builds(SpeechFile, _PATHS),
    st.builds(SystemMessage, st.from_regex(r"\A[0-9]{4}\Z")),
    _ZMANIM,
    st.builds(Date, st.dates(dt.date(1, 1, 1))),
    st.builds(HebrewDate, st.dates(dt.date(1, 1, 1))),
    st.builds(MusicOnHoldMessage, text_without(".,&="), st.none() | COUNTS),
    st.builds(Comment, text_without(".&=", min_size=0)),
)
messages: Final = st.builds(
    lambda inner, last: [*inner, *last],
    st.lists(_INNER, min_size=1, max_size=4),
    st.lists(st.builds(GoTo, goto_targets), max_size=1),
)
"""One to four messages, with or without a ``GoTo`` at the end."""
