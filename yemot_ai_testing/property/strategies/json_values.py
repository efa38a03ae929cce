"""Strategies for JSON values and altered JSON objects."""

from __future__ import annotations

import copy
from typing import Any, Final

from hypothesis import strategies as st

from yemot_ai_testing.property.strategies.words import any_text

__all__ = ["altered", "any_json"]

any_json: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)
"""Any JSON value, and the values that only Python's ``json`` accepts."""


@st.composite
def altered(draw: st.DrawFn, valid: dict[str, Any]) -> dict[str, Any]:
    """Draw ``valid`` with one of its parts, at any depth, removed or replaced by any JSON value."""
    altered_value = copy.deepcopy(valid)
    parent: Any = altered_value
    key = draw(st.sampled_from(sorted(altered_value)))
    while isinstance(parent[key], dict | list) and parent[key] and draw(st.booleans()):
        parent = parent[key]
        key = draw(st.sampled_from(sorted(parent) if isinstance(parent, dict) else range(len(parent))))
    if draw(st.booleans()):
        del parent[key]
    else:
        parent[key] = draw(any_json)
    return altered_value
