"""Strategies for the actions of a response."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from yemot_ai.protocol import (
    Action,
    CreditCard,
    GoToFolder,
    GoToFolderAndPlay,
    MusicOnHold,
    Noop,
    Play,
    Read,
    Record,
    Routing,
    RoutingYemot,
    Tap,
    Voice,
)
from yemot_ai.protocol.fields.codecs import Choice
from yemot_ai.protocol.fields.values import LayoutValue
from yemot_ai_testing.property.strategies.messages import COUNTS, goto_targets, messages, text_without
from yemot_ai_testing.property.strategies.values import digits

__all__ = ["chained_actions", "final_actions", "modes"]

_POSITIVE = st.integers(1, 10**9 - 1)
_MAYBE = st.none() | _POSITIVE
_TARGETS = (
    goto_targets
    | goto_targets.filter(lambda one: one != "/").map(lambda one: f"/{one}")
    | st.sampled_from([".", "..", "../..", "../1"])
)
_NAMES = st.sampled_from(["choice", "val_1", "ai_1"]) | text_without(",=&.").filter(
    lambda name: not name.startswith(("Api", "hangup")) and not any(char.isspace() for char in name)
)
_ALLOWED = (
    st.just(())
    | st.just(("from_folder",))
    | st.lists(st.sampled_from("0123456789*#"), min_size=1, max_size=6).map(tuple)
    | st.lists(st.text("0123456789*#", min_size=1, max_size=3), min_size=2, max_size=4).map(tuple)
)

_SECONDS = st.just(7) | COUNTS
_FOLDERS = st.just("1") | text_without("/,&=")


def _choices(kind: type[LayoutValue]) -> dict[str, st.SearchStrategy[Any]]:
    """Return a strategy for each field of ``kind`` that has a closed set of values."""
    choices = {
        name: codec
        for name, codec in kind.LAYOUT.codecs.items()
        if isinstance(codec, Choice) and not name.startswith("_")
    }
    return {name: st.sampled_from([*dict.fromkeys(choices[name].values.values())]) for name in choices}


_TAP_FIELDS = st.fixed_dictionaries(
    {
        "seconds": _SECONDS,
        "replace": st.sampled_from(["", "*/", "#.", "*-"]),
        "allowed": _ALLOWED,
        "attempts": _MAYBE,
        "empty_value": st.just("None") | text_without(",&="),
        **_choices(Tap),
    }
)
_RECORD_FIELDS = st.fixed_dictionaries(
    {
        "folder": st.just("")
        | st.lists(_FOLDERS, min_size=1, max_size=3).map(lambda names: f"/{'/'.join(names)}"),
        "file": st.just("") | text_without("/,&="),
        **_choices(Record),
    }
)


@st.composite
def _taps(draw: st.DrawFn) -> Tap:
    most = draw(_MAYBE)
    least = draw(st.just(1) | st.integers(0, 10**9 - 1 if most is None else most))
    return Tap(most, least, **draw(_TAP_FIELDS))


@st.composite
def _records(draw: st.DrawFn) -> Record:
    longest = draw(_MAYBE)
    shortest = draw(st.none() | st.integers(0, 10**9 - 1 if longest is None else longest))
    return Record(min_seconds=shortest, max_seconds=longest, **draw(_RECORD_FIELDS))


_VOICES = st.builds(
    Voice,
    language=st.sampled_from(["", "en-US", "iw-IL", "he-IL", "yi"]),
    max_digits=_MAYBE,
    silence_seconds=_MAYBE,
    max_seconds=_MAYBE,
    **_choices(Voice),
)
modes: Final[st.SearchStrategy[Tap | Voice | Record]] = st.one_of(
    st.just(Tap()), _taps(), _VOICES, _records()
)
"""Every mode of a read."""

_PLAYS = st.builds(Play, messages)
_READS = st.builds(Read, messages, _NAMES, mode=modes, reuse=st.booleans())
_FIELD = st.just("") | text_without(",&=")
_CARDS = st.builds(
    CreditCard,
    provider=st.just("pelecard") | text_without(",&="),
    amount=st.sampled_from(["", "1", "100", "99.90"]),
    max_payments=st.none() | COUNTS,
    **dict.fromkeys(("shop", "deal", "user", "terminal", "password"), _FIELD),
    **_choices(CreditCard),
)
_ROUTINGS = st.builds(
    Routing,
    numbers=st.lists(digits(1, 20), min_size=1, max_size=3).map(tuple),
    dial=st.lists(digits(1, 2), max_size=3).map(tuple),
    **dict.fromkeys(
        (
            "start", "your_id", "record", "end_time", "end_goto", "music",
            "answer_play", "answer_tfr", "tfr_hangup_goto", "email", "email_name",
        ),
        _FIELD,
    ),
    **_choices(Routing),
)  # fmt: skip
_MUSIC = st.builds(
    MusicOnHold, st.just("ztomao") | text_without(",&="), st.none() | COUNTS, no_return=st.booleans()
)
chained_actions: Final[st.SearchStrategy[Action]] = _PLAYS | _MUSIC
"""Actions that may be followed by others [OFF]."""

final_actions: Final[st.SearchStrategy[Action]] = st.one_of(
    _PLAYS,
    _READS,
    _MUSIC,
    st.builds(GoToFolder, _TARGETS),
    st.builds(GoToFolderAndPlay, _TARGETS, st.just("005") | text_without(",&="), st.none() | COUNTS),
    _CARDS,
    st.builds(RoutingYemot, digits(1, 20)),
    _ROUTINGS,
    st.builds(Noop, text_without("&", min_size=0)),
)
"""Every action except ``SimpleAnswer``, which must be the only one."""
