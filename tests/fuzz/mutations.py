"""Strategies for damaged JSON, texts and bytes."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

from yemot_ai.providers.provider import Usage
from yemot_ai.sessions import Session, Turn, Visit

__all__ = ["SESSION", "altered_bytes", "altered_json", "altered_text", "encode_loosely", "junk_json"]

ODD = ["\x00", "\ud800", "\ufeff", "\r\n", "\u2028", "9" * 5_000, "[" * 2_000, *'{}":', "&a ", "*a", "!!x "]

SESSION = Session(
    "c1",
    version=1,
    phone="0501234567",
    visit=Visit(1, "1", seen=(("ai_1", "שלום"),)),
    turns=(Turn("ai_1", "שלום", answer="כן", usage=Usage(3, 1)),),
    threads={"codex": "t1"},
    state={"size": ["גדולה", 3.5, None]},
)
"""A session with a value of each kind."""

junk_json: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=5)
    | st.sampled_from([10**400, -(10**400), "9" * 5_000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def altered_json(draw: st.DrawFn, valid: Any) -> Any:  # noqa: ANN401 - JSON
    """Draw ``valid`` with one of its parts, at any depth, replaced or removed."""
    whole = copy.deepcopy(valid)
    parent, key = [whole], 0
    while isinstance(parent[key], dict | list) and parent[key] and draw(st.integers(0, 4)):
        parent = parent[key]
        keys = sorted(parent) if isinstance(parent, dict) else range(len(parent))
        key = draw(st.sampled_from(keys))
    if parent[key] is not whole and draw(st.booleans()):
        del parent[key]
        return whole
    junk = draw(junk_json)
    if parent[key] is whole:
        return junk
    parent[key] = junk
    return whole


@st.composite
def altered_text(draw: st.DrawFn, valid: str) -> str:
    """Draw ``valid`` with one to four parts removed, doubled or replaced."""
    text = valid
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        put = draw(st.sampled_from(["", text[start:end] * 2, *ODD]) | st.text(max_size=4))
        text = text[:start] + put + text[end:]
    return text


@st.composite
def altered_bytes(draw: st.DrawFn, valid: bytes) -> bytes:
    """Draw ``valid`` with one to four parts removed, doubled or replaced."""
    raw = valid
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        end = draw(st.integers(start, min(len(raw), start + 12)))
        put = draw(st.sampled_from([b"", raw[start:end] * 2, b"\xff" * 4, b"\0" * 4]) | st.binary(max_size=4))
        raw = raw[:start] + put + raw[end:]
    return raw


def encode_loosely(found: object) -> bytes:
    """Encode JSON without spaces, with lone surrogates and NaN unescaped."""
    return json.dumps(found, ensure_ascii=False).encode("utf-8", "surrogatepass")
