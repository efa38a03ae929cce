"""A planted fault: a broken provider, and the rules that find it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.conformance.chat_client import ChatClient
from tests.conformance.codex_wrapper import CodexWrapper
from yemot_ai.providers import AnyProvider
from yemot_ai_testing import FakeCodex, ModelServer, contract
from yemot_ai_testing.contract import ProviderSuite

__all__ = ["FAULTS", "Fault", "fault"]

DEADLINE = 1.0

P = TypeVar("P", bound="type[CodexWrapper | ChatClient]")


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken provider.

    Attributes:
        provider: its class.
        caught_by: all rules that it breaks; the first one is about this fault.
    """

    provider: type[CodexWrapper | ChatClient]
    caught_by: tuple[str, ...]

    def suite(self, *, deadline: float | None = None) -> ProviderSuite:
        """Return the suite for the broken provider."""
        options = {"deadline": deadline} if deadline else {}
        make, backend = self._wrapper if issubclass(self.provider, CodexWrapper) else self._client
        return contract.provider(
            lambda model: make(model, **options),
            backend=backend,
            deadline=deadline,
            name=self.provider.__name__,
        )

    @property
    def _wrapper(self) -> tuple[Callable[..., AnyProvider], Callable[[], Any]]:
        return lambda codex, **options: self.provider(codex.executable, **options), FakeCodex

    @property
    def _client(self) -> tuple[Callable[..., AnyProvider], Callable[[], Any]]:
        return lambda server, **options: self.provider(server.base_url, **options), ModelServer


FAULTS: dict[str, Fault] = {}


def fault(name: str, *caught_by: str) -> Callable[[P], P]:
    """Register the decorated provider as a fault."""

    def register(provider: P) -> P:
        assert name not in FAULTS, name
        FAULTS[name] = Fault(provider, caught_by)
        return provider

    return register
