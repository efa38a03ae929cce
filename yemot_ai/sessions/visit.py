"""A visit: one stay of a call in one extension of ours."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Values", "Visit", "continues"]

Values = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay in one extension.

    Attributes:
        number: counts the visits of a call, from 1.
        extension: where it is.
        first_turn: turn numbers below this one belong to earlier visits.
        names_before: the line's value names that were used before this visit.
        seen: the values of the newest request that was answered.
        left: whether our last answer led out of the extension.
        silences: how often in a row the caller has said nothing.
        decided: the newest turn number that has its answer, and that answer.
    """

    number: int = 1
    extension: str = ""
    first_turn: int = 1
    names_before: tuple[str, ...] = ()
    seen: Values = ()
    left: bool = False
    silences: int = 0
    decided: tuple[int, str] = (0, "")


def continues(seen: Values, values: Values) -> bool:
    """Tell whether a request with ``values`` goes on from one with ``seen``.

    The line sends every collected value again and appends the new ones [OFF]; constants
    (``api_add_N``) may stand before or after them, so the order is compared name by name.

    >>> continues((("menu", "1"),), (("menu", "1"), ("ai_1", "שלום")))
    True
    >>> continues((("menu", "1"),), ())
    False
    """
    if values[: len(seen)] == seen:
        return True
    now = _by_name(values)
    return all(now.get(name, [])[: len(old)] == old for name, old in _by_name(seen).items())


def _by_name(values: Values) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in values:
        found.setdefault(name, []).append(value)
    return found
