"""The planted faults of ``tests/property/faults`` as targets of a hunt: ``tests.hunt.zoo:NoMemory``."""

from __future__ import annotations

from collections.abc import Callable

from tests.property.faults import (
    broken_agents,
    broken_crowds,
    broken_flows,
    broken_streams,
    broken_wording,
    healthy,
)
from tests.property.faults.subject import BROKEN, HEALTHY, Subject
from yemot_ai.sessions import MemoryStore
from yemot_ai_testing.history import RecordedStore
from yemot_ai_testing.property import EchoProvider

__all__ = ["MODULES", "subject"]

MODULES = (broken_agents, broken_crowds, broken_flows, broken_streams, broken_wording, healthy)


def subject(name: str) -> Subject:
    """Return a subject by its name."""
    return next(one for one in [*BROKEN, *HEALTHY] if one.name == name)


def __getattr__(name: str) -> object:
    if not any(one.name == name for one in [*BROKEN, *HEALTHY]):
        raise AttributeError(name)
    return _factory(subject(name))


def _factory(one: Subject) -> Callable[[EchoProvider], object]:
    def make_app(provider: EchoProvider) -> object:
        machine = one.machine.__new__(one.machine)  # without the calls of a machine
        machine.provider = provider
        machine.store = RecordedStore(MemoryStore(now=provider.engine.time), provider.history)
        return machine.make_app(provider)

    return make_app
