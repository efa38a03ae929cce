"""A strategy for requests: those of the line, and those of other clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

from hypothesis import strategies as st

from yemot_ai_testing.property.strategies.callers import callers
from yemot_ai_testing.property.strategies.kinds import KindTable, of_kinds
from yemot_ai_testing.property.strategies.texts import model_texts
from yemot_ai_testing.property.strategies.values import values
from yemot_ai_testing.property.strategies.words import any_text, concatenated

__all__ = ["Pairs", "RawRequest", "RequestKind", "requests"]

RequestKind: TypeAlias = Literal[
    "entered", "answered", "kept", "hangup", "glued", "encoded", "odd_ids", "hostile", "junk"
]

Pairs: TypeAlias = tuple[tuple[str, str], ...]
RawRequest: TypeAlias = "Pairs | str"
"""A request: the pairs of names and values, or the raw query string."""

_LINE_VALUES = values("speech", "keys", "digits", "empty", "none", "recording", "formatted", "padded")
_NAMES = st.sampled_from(["ai_1", "ai_2", "ai_2w1", "ai_10", "choice", "val_1", "שם"])
_CALL_IDS = st.integers(0, 2**160 - 1).map("{:040x}".format)
_ODD_IDS = any_text | st.sampled_from(
    [
        "", " ", "0", "c1", "../../etc/passwd", "a/b", "a\\b", "C:", "con", ".", "..", "\x00", "א" * 300,
        "x" * 5_000, "%2e%2e", "*", "{id}", "a\nb", "\ud800", "ID", "id", "İ",
    ]
)  # fmt: skip


@st.composite
def _call_parameters(draw: st.DrawFn) -> Pairs:
    """Draw the parameters that the line adds to every request."""
    caller = draw(callers())
    return (
        ("ApiCallId", draw(_CALL_IDS)),
        ("ApiPhone", caller.phone),
        ("ApiDID", "0770000000"),
        ("ApiRealDID", "0770000000"),
        ("ApiExtension", caller.extension),
        ("ApiTime", str(draw(st.integers(1_600_000_000, 2_000_000_000)))),
    )


def _with_values(own: Pairs, collected: list[tuple[str, str]]) -> Pairs:
    return (*own, *collected)


def _with_repeated_name(own: Pairs, name: str, first: str, rest: list[str]) -> Pairs:
    return (*own, (name, first), *((name, one) for one in rest))


def _with_odd_ids(own: Pairs, call_id: str | None, phone: str, time: str) -> Pairs:
    odd = {"ApiCallId": call_id, "ApiPhone": phone, "ApiTime": time}
    changed = [(name, odd.get(name, value)) for name, value in own]
    return tuple((name, value) for name, value in changed if value is not None)


def _with_hangup(own: Pairs, collected: list[tuple[str, str]], extension: str) -> Pairs:
    return (*own, *collected, ("hangup", "yes"), ("ApiHangupExtension", extension))


def _encoded(pairs: Pairs, encode: Callable[[str], str]) -> str:
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs)


def _percent(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _windows_1255(text: str) -> str:
    return quote(text, safe="", encoding="windows-1255", errors="replace")


def _glued(pairs: Pairs, query: str) -> str:
    return f"{query}?{_encoded(pairs, _percent)}"


_ODD_ENCODINGS: Final[tuple[Callable[[str], str], ...]] = (
    str,
    lambda text: _percent(text).replace("%20", "+"),
    lambda text: _percent(text).lower(),
    lambda text: _percent(_percent(text)),
    lambda text: _percent(text)[:-1],
    _windows_1255,
)
"""Encodings that the line does not use: none, plus signs, lower case, twice, truncated, not UTF-8."""

_collected = st.lists(st.tuples(_NAMES, _LINE_VALUES), min_size=1, max_size=6, unique_by=lambda pair: pair[0])
_answered = st.builds(_with_values, _call_parameters(), _collected)
_twice = st.builds(
    _with_repeated_name,
    _call_parameters(),
    _NAMES,
    _LINE_VALUES,
    st.lists(_LINE_VALUES, min_size=1, max_size=3),
)
_TIMES = st.sampled_from(["", "0", "-1", "1e9", "٣", "9" * 5_000, "0" * 20, "soon"])
_EXTENSIONS = st.sampled_from(["", "/3", "/1/2"])
_QUERIES = st.sampled_from(["secret=x", "/yemot?secret=x", "a=1&secret=", "http://127.0.0.1/yemot?k=?"])
_ODD_NAMES = st.sampled_from(
    ["ApiCallId", "hangup", "ai_0", "ai_-1", "ai_9w", "ai_" + "9" * 5_000, "ai_٣", "Api", ""]
)
_ODD_PAIRS = st.lists(st.tuples(_NAMES | any_text | _ODD_NAMES, values("hostile")), min_size=1, max_size=4)
_FIRST: Final[Pairs] = (
    ("ApiCallId", "0" * 40),
    ("ApiPhone", "0500000000"),
    ("ApiDID", "0770000000"),
    ("ApiRealDID", "0770000000"),
    ("ApiExtension", ""),
    ("ApiTime", "1600000000"),
)
_KINDS: Final[KindTable[RequestKind, RawRequest]] = {
    "entered": [st.just(_FIRST), _call_parameters()],
    "answered": [_answered],
    "kept": [_twice],
    "hangup": [st.builds(_with_hangup, _call_parameters(), st.just([]) | _collected, _EXTENSIONS)],
    "glued": [st.builds(_glued, _answered, _QUERIES)],
    "encoded": [st.builds(_encoded, _answered, st.sampled_from(_ODD_ENCODINGS))],
    "odd_ids": [st.builds(_with_odd_ids, _answered, st.none() | _ODD_IDS, st.just("") | any_text, _TIMES)],
    "hostile": [st.builds(_with_values, st.just(()) | _call_parameters(), _ODD_PAIRS)],
    "junk": [any_text, concatenated(st.sampled_from("&=?%+;/#"), any_text), model_texts("protocol")],
}


def requests(*kinds: RequestKind) -> st.SearchStrategy[RawRequest]:
    """Return a strategy for requests: pairs of names and values, or a raw query string.

    Requests of the line: ``entered`` an extension; ``answered`` reads, with all values so far; one name read
    twice, both values ``kept`` [OFF]; a ``hangup``, with or without values [OFF]; ``glued``: an ``api_link``
    with its own query gets a second ``?`` [LIVE]. Requests of other clients: unusually ``encoded``;
    ``odd_ids`` in ``ApiCallId``, ``ApiPhone`` and ``ApiTime``, or none; ``hostile`` names and values;
    ``junk``.

    Args:
        kinds: the kinds to draw from; all if none is named.

    >>> from hypothesis import find
    >>> find(requests("hangup"), lambda request: True)[-2:]
    (('hangup', 'yes'), ('ApiHangupExtension', ''))
    """
    return of_kinds("requests", _KINDS, kinds)
