"""Combine the strategies of several kinds into one that reports the kinds in Hypothesis's statistics."""

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

Hypothesis shrinks to examples with few choices: a kind whose values take one choice, such as any text, would
win over one that builds realistic values. So the first strategy of the first kind makes no choice, and the
next ones make few.
"""


def of_kinds(name: str, table: KindTable[Kind, Value], wanted: tuple[Kind, ...]) -> st.SearchStrategy[Value]:
    """Return a strategy for the kinds ``wanted``; all if it is empty.

    Examples shrink to the first kind of the table. ``--hypothesis-show-statistics`` shows how often each
    kind was drawn, as ``<name>: <kind>``.

    Raises:
        ValueError: there is no such kind; the message lists the kinds.
    """
    unknown = [kind for kind in wanted if kind not in table]
    if unknown:
        raise ValueError(f"{name} has no kind {unknown[0]!r}; there are {', '.join(table)}")
    kinds = [kind for kind in table if not wanted or kind in wanted]
    return st.one_of([_counted(name, kind, strategy) for kind in kinds for strategy in table[kind]])


def _counted(name: str, kind: str, strategy: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    def count(value: Value) -> Value:
        event(name, payload=kind)
        return value

    return strategy.map(count)
