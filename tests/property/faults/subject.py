"""What lives in the zoo: machines whose application has one fault, and their healthy relatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from yemot_ai_testing.history import ViolationKind
from yemot_ai_testing.property import CallMachine

__all__ = ["BROKEN", "GOOD", "Creature", "broken", "good"]

M = TypeVar("M", bound=type[CallMachine])


@dataclass(frozen=True, slots=True)
class Creature:
    """One of them.

    Attributes:
        what: what is wrong with it, or what it is.
        machine: tries it.
        kinds: by what it may be found; empty for a healthy one.
        slow: an evening of it takes long.
    """

    what: str
    machine: type[CallMachine]
    kinds: frozenset[ViolationKind] = frozenset()
    slow: bool = False

    @property
    def name(self) -> str:
        return self.machine.__name__


BROKEN: list[Creature] = []
GOOD: list[Creature] = []


def broken(what: str, *kinds: ViolationKind) -> Callable[[M], M]:
    """Put a machine with a fault into the zoo."""

    def entered(machine: M) -> M:
        BROKEN.append(Creature(what, machine, frozenset(kinds)))
        return machine

    return entered


def good(what: str, *, slow: bool = False) -> Callable[[M], M]:
    """Put a healthy machine beside them."""

    def entered(machine: M) -> M:
        GOOD.append(Creature(what, machine, slow=slow))
        return machine

    return entered
