"""Records of sessions: the round trip, records of other versions, and damaged records."""

from __future__ import annotations

import json
import string
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from yemot_ai.errors import SessionDamagedError, SessionFormatError, StoreError
from yemot_ai.providers.provider import Usage
from yemot_ai.sessions import (
    CachedResponse,
    HandlerOutcome,
    Session,
    SpokenProgress,
    Turn,
    TurnFailure,
    TurnStatus,
    Visit,
)
from yemot_ai.sessions.serialization import FORMAT, decode, decode_object, encode
from yemot_ai_testing.conformance.stores.session_rules import FULL_SESSION

FIXTURE = Path(__file__).parents[2] / "fixtures" / "sessions" / "session-1.json"

text = st.text(st.characters(exclude_categories=()), max_size=12)  # lone surrogates and NUL among them
number = st.integers(0, 10**6)
seconds = st.floats(0, 4e9)
json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
values = st.lists(st.tuples(text, text), max_size=3).map(tuple)
json_object = st.dictionaries(text, json_value, max_size=3)
failures = st.builds(TurnFailure, text, text, json_object)
turns = st.builds(
    Turn,
    id=text,
    text=text,
    conversation=text,
    status=st.sampled_from(TurnStatus),
    owner=text,
    answer=text,
    outcome=text,
    spoken=text,
    failure=st.none() | failures,
    usage=st.none() | st.builds(Usage, number, number, number, number),
    session_id=text,
    duration=seconds,
    forgotten=st.booleans(),
    pieces=st.lists(text, max_size=3).map(tuple),
    interrupted=st.booleans(),
    lost=number,
)
visits = st.builds(
    Visit,
    number=number,
    extension=text,
    first_turn=number,
    names_before=st.lists(text, max_size=3).map(tuple),
    seen=values,
    left=st.booleans(),
    silences=number,
    decided=st.tuples(number, text),
    spoken_progress=st.builds(
        SpokenProgress, number, st.lists(st.tuples(number, number), max_size=3).map(tuple)
    ),
)
several_turns = st.lists(turns, max_size=3).map(tuple)
OTHERS: dict[str, st.SearchStrategy[Any]] = {
    "call_id": text,
    "version": number,
    "phone": text,
    "ended": st.booleans(),
    "started": seconds,
    "visit": st.none() | visits,
    "next_turn": number,
    "names": st.dictionaries(text, text, max_size=3),
    "turns": several_turns,
    "earlier": several_turns,
    "recalled": st.booleans(),
    "restarted": st.lists(text, max_size=2).map(tuple),
    "threads": json_object,
    "retired": st.lists(st.tuples(text, json_value), max_size=2).map(tuple),
    "recent": st.lists(
        st.builds(CachedResponse, text, st.none() | number, text, st.booleans()), max_size=2
    ).map(tuple),
    "finished": st.lists(st.builds(HandlerOutcome, text, text, st.booleans()), max_size=2).map(tuple),
    "state": json_object,
    "faults": number,
}
sessions = st.builds(Session, **OTHERS)


@pytest.mark.slow
@given(sessions)
@example(FULL_SESSION)
def test_a_session_comes_back_as_it_was_written(session: Session) -> None:
    assert decode(encode(session)) == session


def test_each_field_of_a_session_is_tried() -> None:
    assert set(OTHERS) == {field.name for field in fields(Session)}


def test_a_record_that_version_1_wrote_is_still_read_whole() -> None:
    written = json.loads(FIXTURE.read_text(encoding="ascii"))

    rewritten = json.loads(encode(decode(json.dumps(written))))

    # The record names the class of the error by its Python path, as version 1 did.
    assert _lost(written, rewritten) == [".turns[2].failure.kind"]
    assert set(written) >= {"turns", "visit", "threads", "state", "recent", "finished"}


def _lost(old: Any, new: Any, path: str = "") -> list[str]:  # noqa: ANN401 - JSON
    """List what of ``old`` is not in ``new``; what a later version adds is no loss."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [lost for name in old for lost in _lost(old[name], new.get(name), f"{path}.{name}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [lost for place, pair in pairs for lost in _lost(*pair, f"{path}[{place}]")]
    return [] if old == new else [path]


def test_a_record_is_ascii_on_one_line() -> None:
    record = encode(FULL_SESSION)

    assert record.isascii()
    assert "\n" not in record


def test_a_newer_format_is_refused_and_says_which() -> None:
    newer = json.dumps({**json.loads(encode(FULL_SESSION)), "format": FORMAT + 1})

    with pytest.raises(SessionFormatError, match="upgrade") as caught:
        decode(newer)
    assert (caught.value.found, caught.value.known) == (FORMAT + 1, FORMAT)


def test_what_a_newer_writer_adds_with_a_default_is_passed_over() -> None:
    record = json.loads(encode(FULL_SESSION))
    record["mood"] = "good"
    record["turns"][0]["usage"]["cache_written_tokens"] = 5
    record["visit"]["colour"] = "blue"

    assert decode(json.dumps(record)) == FULL_SESSION


@given(st.binary(max_size=200))
@example(b"\xff\xfe[\x00]\x00")
@example(b"")
def test_no_bytes_raise_anything_but_our_own_error(junk: bytes) -> None:
    with pytest.raises(SessionDamagedError):
        decode(junk.decode("ascii", "replace"))


junk_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(string.printable, max_size=5)
    | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_no_json_in_any_field_raises_anything_but_our_own_error(data: st.DataObject) -> None:
    record = json.loads(encode(FULL_SESSION))
    place = data.draw(st.sampled_from(sorted(record)))
    parent, key = record, place
    while isinstance(parent[key], dict | list) and parent[key] and data.draw(st.booleans()):
        inner = parent[key]
        parent, key = (
            inner,
            data.draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner)))),
        )
    parent[key] = data.draw(junk_json)

    with suppress(SessionDamagedError, SessionFormatError):
        assert decode(json.dumps(record)).call_id == record["call_id"]


@pytest.mark.parametrize(
    "broken",
    [
        '{"format": 1, "call_id": "c", "version": 1e999}',
        '{"format": 1, "call_id": "c", "version": true}',
        '{"format": 1, "call_id": "c", "version": 1, "started": NaN}',
        f'{{"format": 1, "call_id": "c", "version": 1, "started": 1{"0" * 400}}}',
        '{"format": 1, "call_id": "c", "version": 1, "ended": "false"}',
        '{"format": 1, "call_id": "c", "version": 1, "threads": [["call", "t"]]}',
        '{"format": 1, "version": 1}',
        '{"format": 1, "call_id": "c"}',
        '{"format": 1, "call_id": "c", "version": 1, "visit": {"number": 1}}',
        '{"format": 1, "call_id": "c", "version": 1, "turns": [{"id": "ai_1", "text": "x"}]}',
        '{"format": 1, "call_id": "c", "version": 1, "turns": {}}',
        '{"format": 1, "call_id": "c", "version": 1, "restarted": "call"}',
        '{"format": 1, "call_id": "c", "version": 1, "names": {"menu": 1}}',
        '{"format": 1, "call_id": "c", "version": 1, "retired": [["call", "t", 1]]}',
        '{"format": 0, "call_id": "c", "version": 1}',
        '{"format": true, "call_id": "c", "version": 1}',
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 5000,
    ],
    ids=lambda text: text[:60],
)
def test_what_only_looks_like_a_record_is_damaged(broken: str) -> None:
    with pytest.raises(SessionDamagedError):
        decode(broken)


def test_a_damaged_record_is_not_quoted_in_the_error() -> None:
    record = {**json.loads(encode(FULL_SESSION)), "started": "what the caller said"}

    with pytest.raises(SessionDamagedError) as caught:
        decode(json.dumps(record))
    assert "caller said" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_record_in_another_calls_place_is_damaged() -> None:
    with pytest.raises(SessionDamagedError, match="another call"):
        decode(encode(Session("c1", version=3)), call_id="c2")


def test_a_record_of_another_version_than_the_store_compares_is_damaged() -> None:
    with pytest.raises(SessionDamagedError, match="not the version that was saved"):
        decode(encode(Session("c1", version=3)), version=4)


def test_reading_grows_with_the_record_and_not_faster() -> None:
    def steps(count: int) -> int:
        """Count what is looked at, which a clock on a busy machine cannot."""
        looked = 0
        record = json.loads(encode(replace(FULL_SESSION, turns=FULL_SESSION.turns * count)))

        class Counted(dict[str, Any]):
            def get(self, key: str, default: object = None) -> object:
                nonlocal looked
                looked += 1
                return super().get(key, default)

        record["turns"] = [Counted(turn) for turn in record["turns"]]
        decode_object(record)
        return looked

    assert steps(200) == 10 * steps(20)


@pytest.mark.slow
def test_a_state_that_is_nested_too_deeply_is_a_store_error() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(StoreError, match="nested too deeply"):
        encode(Session("c1", state={"deep": deep}))


def test_what_json_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="object cannot be stored in a session"):
        encode(Session("c1", threads={"call": object()}))  # type: ignore[dict-item]


def test_a_record_from_before_answers_were_spoken_in_parts_is_read() -> None:
    session = Session("c1", turns=(Turn("ai_1", "שלום", answer="כן"),), visit=Visit())
    record = json.loads(encode(session))
    for new in ("pieces", "interrupted"):
        del record["turns"][0][new]
    del record["visit"]["told"]

    assert decode(json.dumps(record)) == session
