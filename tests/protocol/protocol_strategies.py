"""Hypothesis strategies for everything that can be built of the protocol."""

from __future__ import annotations

import datetime as dt
from typing import get_args

from hypothesis import strategies as st

from yemot_ai.protocol import (
    Action,
    Comment,
    CreditCard,
    Date,
    Digits,
    File,
    GoTo,
    GoToFolder,
    GoToFolderAndPlay,
    HebrewDate,
    Keyboard,
    Letters,
    Message,
    MusicOnHold,
    MusicOnHoldMessage,
    Noop,
    Number,
    Play,
    Read,
    Record,
    Response,
    Routing,
    RoutingYemot,
    SimpleAnswer,
    SpeechFile,
    SystemMessage,
    Tap,
    Text,
    Voice,
    Zmanim,
)


def _without(forbidden: str, *, minimum: int = 1) -> st.SearchStrategy[str]:
    free = st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp"), exclude_characters=forbidden),
        min_size=minimum,
        max_size=12,
    )
    return free.filter(lambda text: not minimum or bool(text.strip()))


def _digits(most: int = 8) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=1, max_size=most)


def _maybe(seconds: st.SearchStrategy[int]) -> st.SearchStrategy[int | None]:
    return st.none() | seconds


_counts = st.integers(0, 10**9 - 1)
_positive = st.integers(1, 10**9 - 1)
_texts = st.builds(Text, _without(".-&=\"'|") | st.sampled_from(["", "שלום", "יש 3, 4 או 12:30?", "בְּרָכָה"]))
_paths = _without(".&=") | st.sampled_from(["000", "/8/error", "YM_LOCAL/lib/file"])
_segments = _without("/.,&=")
_dotless_targets = st.sampled_from(["/", "hangup"]) | st.lists(_segments, min_size=1, max_size=3).map(
    "/".join
)
targets = (
    _dotless_targets
    | _dotless_targets.filter(lambda one: one != "/").map(lambda one: f"/{one}")
    | st.sampled_from([".", "..", "../..", "../1"])
)
_zmanim = st.builds(
    Zmanim,
    _without(".,&="),
    zone=_without(".,&=", minimum=0),
    sign=st.sampled_from(["", "+", "-"]),
    amount=st.just("")
    | st.builds(lambda unit, n: f"{unit}{n}", st.sampled_from("YMDHmSs"), st.integers(0, 999)),
)
_inner_messages: st.SearchStrategy[Message] = st.one_of(
    _texts,
    st.builds(File, _paths),
    st.builds(Digits, _digits()),
    st.builds(Number, _counts),
    st.builds(Letters, st.sampled_from(["abc", "A1 b2", "Z"])),
    st.builds(SpeechFile, _paths),
    st.builds(SystemMessage, st.from_regex(r"\A[0-9]{4}\Z")),
    _zmanim,
    st.builds(Date, st.dates(dt.date(1, 1, 1))),
    st.builds(HebrewDate, st.dates(dt.date(1, 1, 1))),
    st.builds(MusicOnHoldMessage, _without(".,&="), _maybe(_counts)),
    st.builds(Comment, _without(".&=", minimum=0)),
)
messages = st.builds(
    lambda inner, last: [*inner, *last],
    st.lists(_inner_messages, min_size=1, max_size=4),
    st.lists(st.builds(GoTo, _dotless_targets), max_size=1),
)
names = _without(",=&.").filter(
    lambda name: not name.startswith(("Api", "hangup")) and not any(char.isspace() for char in name)
)
_allowed = (
    st.just(())
    | st.just(("from_folder",))
    | st.lists(st.sampled_from("0123456789*#"), min_size=1, max_size=6).map(tuple)
    | st.lists(st.text("0123456789*#", min_size=1, max_size=3), min_size=2, max_size=4).map(tuple)
)


@st.composite
def taps(draw: st.DrawFn) -> Tap:
    """Any tap."""
    most = draw(_maybe(_positive))
    return Tap(
        max_digits=most,
        min_digits=draw(st.integers(0, 10**9 - 1 if most is None else most)),
        seconds=draw(_counts),
        keyboard=draw(st.sampled_from(get_args(Keyboard))),
        block_star=draw(st.booleans()),
        block_zero=draw(st.booleans()),
        replace=draw(st.sampled_from(["", "*/", "#.", "*-"])),
        allowed=draw(_allowed),
        attempts=draw(_maybe(_positive)),
        accept_empty=draw(st.booleans()),
        empty_value=draw(_without(",&=")),
        lock_keyboard=draw(st.booleans()),
        confirm=draw(st.booleans()),
    )


voices = st.builds(
    Voice,
    language=st.sampled_from(["", "en-US", "iw-IL", "he-IL", "yi"]),
    block_keys=st.booleans(),
    max_digits=_maybe(_positive),
    record_engine=st.booleans(),
    silence_seconds=_maybe(_positive),
    max_seconds=_maybe(_positive),
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Any recording."""
    longest = draw(_maybe(_positive))
    return Record(
        folder=draw(
            st.just("") | st.lists(_without("/,&="), min_size=1, max_size=3).map(lambda p: "/" + "/".join(p))
        ),
        file=draw(_without("/,&=", minimum=0)),
        confirm=draw(st.booleans()),
        keep_on_hangup=draw(st.booleans()),
        append=draw(st.booleans()),
        min_seconds=draw(_maybe(st.integers(0, 10**9 - 1 if longest is None else longest))),
        max_seconds=longest,
    )


plays = st.builds(Play, messages)
reads = st.builds(Read, messages, names, mode=taps() | voices | records(), reuse=st.booleans())
_field = _without(",&=", minimum=0)
_cards = st.builds(
    CreditCard,
    provider=_without(",&="),
    amount=st.sampled_from(["", "1", "100", "99.90"]),
    shop=_field,
    max_payments=_maybe(_counts),
    currency=st.sampled_from(["", "1", "2"]),
    deal=_field,
    user=_field,
    terminal=_field,
    password=_field,
    return_all=st.booleans(),
    ask_phone=st.booleans(),
    ask_name=st.booleans(),
    no_ask=st.booleans(),
    token=st.sampled_from(["", "CreateToken", "CreateTokenOnly"]),
    go_back=st.booleans(),
)
_routings = st.builds(
    Routing,
    numbers=st.lists(_digits(20), min_size=1, max_size=3).map(tuple),
    multiple=st.booleans(),
    dial=st.lists(_digits(2), max_size=3).map(tuple),
    **dict.fromkeys(
        (
            "start", "your_id", "record", "end_time", "end_goto", "music",
            "answer_play", "answer_tfr", "tfr_hangup_goto", "email", "email_name",
        ),
        _field,
    ),
)  # fmt: skip
music = st.builds(MusicOnHold, _without(",&="), _maybe(_counts), no_return=st.booleans())
last_actions: st.SearchStrategy[Action] = st.one_of(
    plays,
    reads,
    music,
    st.builds(GoToFolder, targets),
    st.builds(GoToFolderAndPlay, targets, _without(",&="), _maybe(_counts)),
    _cards,
    st.builds(RoutingYemot, _digits(20)),
    _routings,
    st.builds(Noop, _without("&", minimum=0)),
)
simple_answers = st.builds(
    lambda word, log: Response([SimpleAnswer(word)], log=log),
    st.sampled_from(["OK", "Incorrect-ID", "x_1", "תודה"]),
    st.booleans(),
)
responses = simple_answers | st.builds(
    lambda first, last, log: Response([*first, last], log=log),
    st.lists(plays | music, max_size=2),
    last_actions,
    st.booleans(),
)
