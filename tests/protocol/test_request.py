from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from yemot_ai.protocol import Request, normalize_speech

LINE = [
    ("ApiCallId", "0637ded3ada490d8854e3b03c674b4ff924a948c"),
    ("ApiDID", "0772222770"),
    ("ApiRealDID", "07722225555"),
    ("ApiPhone", "0527000000"),
    ("ApiExtension", ""),
    ("ApiTime", "1683594518"),
]
_plain = st.text(st.characters(codec="utf-8"), max_size=12).filter(lambda text: "?Api" not in text)
pairs = st.lists(st.tuples(_plain, _plain), max_size=8)
junk: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=8,
)


class MultiItems(Mapping[str, str]):
    """A multi-dict as in Starlette: a mapping of the newest values, with all pairs in ``multi_items``."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self.pairs = pairs

    def multi_items(self) -> list[tuple[str, str]]:
        return list(self.pairs)

    def __getitem__(self, name: str) -> str:
        return dict(self.pairs)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.pairs))

    def __len__(self) -> int:
        return len(dict(self.pairs))


@pytest.mark.parametrize(
    ("sent", "key", "call_key"),
    [
        ({"ApiCallId": "a", "ApiYFCallId": "y"}, "", "a"),
        ({"ApiCallId": "a", "ApiYFCallId": "y"}, "k", "k"),
        ({"ApiYFCallId": "y"}, "", "y"),
        ({"ApiCallId": "", "ApiYFCallId": "y"}, "", "y"),
        ({}, "", ""),
        ({}, "k", "k"),
    ],
    ids=["both", "key", "OFF-api_call_id_send=no", "empty", "none", "key-only"],
)
def test_a_call_is_identified_by_its_key_or_the_lines_ids(
    sent: dict[str, str], key: str, call_key: str
) -> None:
    request = replace(Request.parse(sent), key=key)

    assert request.call_key == call_key
    assert request.call_id == sent.get("ApiCallId", "")
    assert request.yf_call_id == sent.get("ApiYFCallId", "")
    assert request.line_ids == (tuple(id_ for id_ in sent.values() if id_) if key else ())


def test_the_lines_own_names_have_attributes() -> None:
    request = Request.parse(LINE)
    assert request.call_id == "0637ded3ada490d8854e3b03c674b4ff924a948c"
    assert (request.did, request.real_did, request.phone) == ("0772222770", "07722225555", "0527000000")
    assert (request.extension, request.time, request.hangup, request.hangup_extension) == (
        "",
        1683594518,
        False,
        "",
    )


def test_everything_else_is_a_value_in_order_with_duplicates() -> None:
    request = Request.parse([*LINE, ("foo", "1"), ("a", "1"), ("a", "2"), ("hangup", "yes")])
    assert request.values == (("foo", "1"), ("a", "1"), ("a", "2"))
    assert request.pairs[-2:] == (("a", "2"), ("hangup", "yes"))


def test_the_newest_of_repeated_names_wins() -> None:
    request = Request.parse("digits=1&digits=4&empty=")
    assert (request.newest("digits"), request.latest["digits"]) == ("4", "4")
    assert (request.newest("empty"), request.newest("missing")) == ("", None)


def test_a_hangup_has_the_extension_of_the_caller() -> None:
    request = Request.parse({"hangup": "yes", "ApiHangupExtension": "/3"})
    assert (request.hangup, request.hangup_extension) == (True, "3")


def test_hangup_with_another_value_is_not_a_hangup() -> None:
    assert not Request.parse({"hangup": "no"}).hangup


def test_an_extension_has_no_slashes_around_it() -> None:
    assert Request.parse({"ApiExtension": "/1/2/"}).extension == "1/2"


@pytest.mark.parametrize("time", ["", "soon", "-1", "1.5", "٣", "9" * 99])
def test_an_invalid_time_is_none(time: str) -> None:
    assert Request.parse({"ApiTime": time}).time is None


@pytest.mark.parametrize(
    "raw",
    [
        "secret=x&ApiCallId=c1&a=b",
        "?secret=x&ApiCallId=c1&a=b",
        "/yemot?secret=x&ApiCallId=c1&a=b",
        "https://example.com/yemot?secret=x&ApiCallId=c1&a=b",
        "secret=x?ApiCallId=c1&a=b",
        "/yemot?secret=x?ApiCallId=c1&a=b",
        "https://example.com/y=1/emot?secret=x?ApiCallId=c1&a=b",
        "&secret=x&&ApiCallId=c1&a=b&",
    ],
)
def test_a_raw_query_is_parsed_with_or_without_its_url(raw: str) -> None:
    assert Request.parse(raw).pairs == (("secret", "x"), ("ApiCallId", "c1"), ("a", "b"))


def test_a_path_alone_has_no_pairs() -> None:
    assert Request.parse("/yemot").pairs == ()


def test_raw_queries_are_percent_decoded_and_pairs_are_not() -> None:
    assert Request.parse("a=%D7%A9%D7%9C+1%2B&b").pairs == (("a", "של 1+"), ("b", ""))
    assert Request.parse([("a", "%D7%A9+1")]).pairs == (("a", "%D7%A9+1"),)


def test_a_broken_percent_code_becomes_a_replacement_character() -> None:
    assert Request.parse("a=%FF%D7").newest("a") == "\ufffd\ufffd"


@pytest.mark.parametrize(
    "params",
    [
        [("step", "0?ApiCallId=abc"), ("digit", "6")],
        {"step": "0?ApiCallId=abc", "digit": "6"},
        {"step": ["0?ApiCallId=abc"], "digit": ["6"]},
    ],
)
def test_the_second_question_mark_is_split_after_a_framework_too(params: Any) -> None:  # noqa: ANN401 - three shapes
    assert Request.parse(params).pairs == (("step", "0"), ("ApiCallId", "abc"), ("digit", "6"))


def test_only_the_names_of_the_line_are_split() -> None:
    assert Request.parse([("a", "x?b=c"), ("b", "?Api"), ("c", "?Apix y=1")]).newest("a") == "x?b=c"


def test_an_utterance_is_never_split() -> None:
    request = Request.parse([*LINE, ("wish", "x?ApiPhone=0500000000")])
    assert (request.phone, request.newest("wish")) == ("0527000000", "x?ApiPhone=0500000000")


def test_an_encoded_question_mark_in_a_raw_query_is_a_character() -> None:
    assert Request.parse("a=x%3FApiCallId%3Dc1").pairs == (("a", "x?ApiCallId=c1"),)


def test_lists_of_values_keep_their_order() -> None:
    assert Request.parse({"a": ["1", "2"], "b": "3"}).pairs == (("a", "1"), ("a", "2"), ("b", "3"))


def test_all_values_of_a_multi_dict_are_parsed() -> None:
    assert Request.parse(MultiItems(("a", "1"), ("b", "x"), ("a", "2"))).newest("a") == "2"


def test_all_values_of_the_multi_dict_of_werkzeug_are_parsed() -> None:
    assert Request.parse(MultiDict([("a", "1"), ("a", "2")])).newest("a") == "2"


def test_junk_becomes_text_or_nothing() -> None:
    junk: Any = {
        "none": None,
        b"bytes": b"\xd7\xa9",
        7: 8.5,
        "bool": True,
        "object": object(),
        "huge": 10**5000,
    }
    assert Request.parse(junk).latest == {
        "none": "", "bytes": "ש", "7": "8.5", "bool": "True", "object": "", "huge": "",
    }  # fmt: skip


def test_lone_surrogates_are_replaced_so_that_a_value_can_be_stored() -> None:
    assert Request.parse([("a", "\ud800ש\x00")]).newest("a") == "\ufffdש\x00"


@pytest.mark.parametrize("params", [None, 5, b"a=1", object(), [None, "ab", ("a",), ("a", "b", "c"), 3]])
def test_an_invalid_request_is_empty(params: Any) -> None:  # noqa: ANN401 - invalid on purpose
    assert Request.parse(params).latest == ({"a": "1"} if params == b"a=1" else {})


@pytest.mark.slow
@settings(deadline=None)  # slow machines must not fail it
@given(junk | st.lists(st.tuples(junk, junk), max_size=4))
def test_parsing_never_raises_and_returns_encodable_text(params: Any) -> None:  # noqa: ANN401 - junk
    for name, value in Request.parse(params).pairs:
        assert (name.encode().decode(), value.encode().decode()) == (name, value)


@pytest.mark.slow
@settings(deadline=None)  # slow machines must not fail it
@given(pairs)
def test_pairs_are_unchanged(sent: list[tuple[str, str]]) -> None:
    assert Request.parse(sent).pairs == tuple(sent)


@pytest.mark.slow
@settings(deadline=None)  # slow machines must not fail it
@given(pairs.filter(lambda sent: all(name for name, _ in sent)))
def test_an_encoded_query_is_decoded(sent: list[tuple[str, str]]) -> None:
    assert Request.parse("/yemot?" + urlencode(sent)).pairs == tuple(sent)


def test_requests_are_equal_when_their_pairs_are() -> None:
    assert Request.parse("a=1&b=2") == Request.parse({"a": "1", "b": "2"})
    assert hash(Request.parse("a=1")) == hash(Request.parse([("a", "1")]))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("\u200fשלום\u200e", "שלום"),
        ("\u202bשלום\u00a0עולם\u202c ", "שלום עולם"),
        ("  a \n b ", "a b"),
        ("\ufb2a", "\u05e9\u05c1"),
        ("", ""),
    ],
)
def test_speech_is_normalized(value: str, text: str) -> None:
    assert normalize_speech(value) == text
