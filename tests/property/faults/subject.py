"""The registry of call machines under test: with one planted fault each, and healthy ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing.history import ViolationKind
from yemot_ai_testing.property import CallMachine, EchoProvider

__all__ = ["BROKEN", "HEALTHY", "Fault", "FlowMachine", "Subject", "broken", "healthy"]

M = TypeVar("M", bound=type[CallMachine])
C = TypeVar("C", bound=type[object])


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


@dataclass(frozen=True, slots=True)
class Fault:
    """Registers classes with a fault, each with a machine that runs it.

    Attributes:
        machine: the base class of the machines.
        attribute: their attribute that names the class with the fault.
    """

    machine: type[CallMachine]
    attribute: str

    def __call__(self, description: str, *kinds: ViolationKind, **attributes: object) -> Callable[[C], C]:
        """Register the decorated class; ``attributes`` are further ones of its machine."""

        def register(cls: C) -> C:
            members = {self.attribute: cls, **attributes}
            broken(description, *kinds)(type(cls.__name__, (self.machine,), members))
            return cls

        return register


class FlowMachine(CallMachine):
    """Runs an ``AIFlow`` over the machine's provider and store."""

    def make_app(self, provider: EchoProvider) -> object:
        flow = AIFlow(YemotAI(provider=provider, store=self.store))
        self.add_routes(flow)
        return flow

    def add_routes(self, flow: AIFlow) -> None:
        flow.ai_agent("")(lambda call, text: None)
