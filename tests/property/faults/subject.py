"""The registry of call machines under test: with one planted fault each, and healthy ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from yemot_ai_testing.history import ViolationKind
from yemot_ai_testing.property import CallMachine

__all__ = ["BROKEN", "HEALTHY", "Subject", "broken", "healthy"]

M = TypeVar("M", bound=type[CallMachine])


@dataclass(frozen=True, slots=True)
class Subject:
    """One application under test.

    Attributes:
        description: its fault, or what it is.
        machine: the call machine that runs it.
        kinds: the violations that prove the fault; empty for a healthy one.
        slow: whether an example takes long.
    """

    description: str
    machine: type[CallMachine]
    kinds: frozenset[ViolationKind] = frozenset()
    slow: bool = False

    @property
    def name(self) -> str:
        return self.machine.__name__


BROKEN: list[Subject] = []
HEALTHY: list[Subject] = []


def broken(description: str, *kinds: ViolationKind) -> Callable[[M], M]:
    """Register a machine whose application has a fault."""

    def register(machine: M) -> M:
        BROKEN.append(Subject(description, machine, frozenset(kinds)))
        return machine

    return register


def healthy(description: str, *, slow: bool = False) -> Callable[[M], M]:
    """Register a machine whose application has no fault."""

    def register(machine: M) -> M:
        HEALTHY.append(Subject(description, machine, slow=slow))
        return machine

    return register
