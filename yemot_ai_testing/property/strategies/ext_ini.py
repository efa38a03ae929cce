"""A strategy for ``ext.ini`` files."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from hypothesis import strategies as st

from yemot_ai_testing.line.platform.ext_keys import KEY_PATTERNS, KEYS, UNDOCUMENTED
from yemot_ai_testing.property.strategies.kinds import KindTable, of_kinds
from yemot_ai_testing.property.strategies.responses import response_texts
from yemot_ai_testing.property.strategies.words import STRUCTURE, any_text, sentences

__all__ = ["IniKind", "ext_inis"]

IniKind: TypeAlias = Literal["api", "other", "odd", "junk"]

_URLS = st.sampled_from(
    ["https://example.com/yemot", "http://127.0.0.1:8000/", "https://example.com/yemot?secret=x"]
)
_ALLOWED: Final[dict[str, st.SearchStrategy[str]]] = {
    "an http(s) url": _URLS,
    "yes or no": st.sampled_from(["yes", "no"]),
    "a folder such as /5/6": st.sampled_from(["/5", "/5/6"]),
    "a target of go_to_folder": st.sampled_from(["hangup", "/", "..", "/1/2"]),
    "a whole number from 1": st.integers(1, 10).map(str),
    "a whole number": st.integers(-10, 10).map(str),
    "names such as M1012,M1002": st.sampled_from(["M1012", "M1012,M1002"]),
    "a text": st.sampled_from(["he", "default"]) | sentences,
}
"""Valid values of a setting, by the text of its ``allowed``."""

_QUESTIONS = st.sampled_from(
    ["id,no,9,8,7,No", "pin,,4,4", "said,no,voice", "wish,no,record,/5", "ID,yes,5,4,50,Number,yes,no,*/,"]
)
_ACTIONS = st.sampled_from(["go_to_folder=/1", "id_list_message=t-שלום&go_to_folder=..", "api_log_no&noop=a"])
_OPEN = st.one_of(
    st.tuples(st.sampled_from(["api_000=", "api_001="]), _QUESTIONS),
    st.tuples(st.sampled_from(["api_000_key_1_say=", "api_001_key_*_say="]), st.just("/1/2")),
    st.tuples(
        st.sampled_from(["api_add_0=", "api_add_1=", "api_add_3="]), st.sampled_from(["a=1", "שם=דוד"])
    ),
    st.tuples(st.sampled_from(["api_answer_OK=", "api_answer_OK_1=", "read_answer_a_1="]), _ACTIONS),
).map("".join)
"""Settings whose names have numbers or words in them."""

_SETTINGS = (
    st.sampled_from([key for name, key in KEYS.items() if name not in {"type", "api_link"}]).flatmap(
        lambda key: _ALLOWED[key.allowed].map(f"{key.name}={{}}".format)
    )
    | _OPEN
)
_NAMES = st.sampled_from(
    [*KEYS, *sorted(UNDOCUMENTED), *[key.name for _, key in KEY_PATTERNS], "api_url_pots", ""]
)
_HUGE = "9" * 5_000
_ODD_LINES = st.one_of(
    st.sampled_from(
        [
            "; הערה", ";", "", "api_link", "=", "api_link=", "type = api", "  type=api  ", "TYPE=API",
            "api_link=https://example.com ; כאן", "api_000=,,,", "api_000_key_9_say=", "api_add_0=ApiPhone=1",
            "api_answer_=x", f"api_answer_x_{_HUGE}=noop", f"api_answer_{_HUGE}=noop", f"api_add_{_HUGE}=a=b",
            f"api_{_HUGE}=x", f"tts_rate={_HUGE}", "[section]", "\x00=\x00", "api_٣٣٣=id", "api_add_٣=a=1",
        ]
    ),
    st.tuples(_NAMES, st.sampled_from(["=", " = ", ":", "=="]), st.sampled_from(STRUCTURE) | any_text).map(
        "".join
    ),
    st.tuples(
        st.sampled_from(["api_000=", "api_answer_OK=", "read_answer_a_1="]), response_texts()
    ).map("".join),
)  # fmt: skip


def _file(first: str, lines: list[str], end: str) -> str:
    return first + "".join(line + end for line in lines)


_ENDS = st.sampled_from(["\n", "\r\n"])
_KINDS: Final[KindTable[IniKind, str]] = {
    "api": [
        st.just("type=api\napi_link=https://example.com/yemot\n"),
        st.builds(
            lambda link, lines, end: _file("", ["type=api", f"api_link={link}", *lines], end),
            _URLS,
            st.lists(_SETTINGS, max_size=8, unique_by=lambda line: line.partition("=")[0]),
            _ENDS,
        ),
    ],
    "other": [
        st.builds(
            lambda kind, lines, end: _file("", [f"type={kind}", *lines], end),
            st.sampled_from(["menu", "playfile", "record", "routing", "ivr2"]),
            st.lists(_SETTINGS, max_size=3),
            _ENDS,
        )
    ],
    "odd": [
        st.builds(
            _file,
            st.sampled_from(["type=api\n", "\ufefftype=api\r\n", "", "type=api\n\n; הגדרות\n"]),
            st.lists(_SETTINGS | _ODD_LINES, min_size=1, max_size=8),
            st.sampled_from(["\n", "\r\n", "\r", "\u2028", "\x85"]),
        )
    ],
    "junk": [any_text],
}


def ext_inis(*kinds: IniKind) -> st.SearchStrategy[str]:
    """Return a strategy for the text of an ``ext.ini``.

    ``api``: every documented setting of an API extension with valid values [OFF]; ``other`` kinds of
    extensions; ``odd``: unknown, repeated, empty and invalid settings, comments, byte order marks and other
    line ends; ``junk``.

    Args:
        kinds: the kinds to draw from; all if none is named.

    >>> from hypothesis import find
    >>> print(find(ext_inis(), lambda text: True), end="")
    type=api
    api_link=https://example.com/yemot
    """
    return of_kinds("ext_inis", _KINDS, kinds)
