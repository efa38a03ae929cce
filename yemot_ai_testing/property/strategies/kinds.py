"""One strategy out of several kinds, with their names told to Hypothesis's statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypeVar

from hypothesis import event
from hypothesis import strategies as st

__all__ = ["KindTable", "of_kinds"]

Kind = TypeVar("Kind", bound=str)
Value = TypeVar("Value")
KindTable: TypeAlias = Mapping[Kind, Sequence[st.SearchStrategy[Value]]]
"""The strategies of each kind.

What Hypothesis holds for simple is what took few choices: a kind whose values take one choice, such as any
text at all, would win over one that builds what a person would write. So the first strategy of the first
kind makes no choice, and its next ones make few.
"""


def of_kinds(name: str, table: KindTable[Kind, Value], wanted: tuple[Kind, ...]) -> st.SearchStrategy[Value]:
    """Return a strategy for the kinds that are wanted; all of them if none is named.

    A failure shrinks towards the kind that stands first in the table. ``--hypothesis-show-statistics``
    tells how often each kind was drawn, as ``<what>: <kind>``.

    Raises:
        ValueError: there is no such kind; the message lists those that there are.
    """
    unknown = [kind for kind in wanted if kind not in table]
    if unknown:
        raise ValueError(f"{name} has no kind {unknown[0]!r}; there are {', '.join(table)}")
    kinds = [kind for kind in table if not wanted or kind in wanted]
    return st.one_of([_counted(name, kind, strategy) for kind in kinds for strategy in table[kind]])


def _counted(what: str, kind: str, strategy: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    def tell(value: Value) -> Value:
        event(what, payload=kind)
        return value

    return strategy.map(tell)
