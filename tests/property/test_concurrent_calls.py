from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.property.machine_settings import machine_settings
from tests.support.asking import ask_provider
from yemot_ai import AIFlow, YemotAI
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai_testing.property import CallMachine, EchoProvider, ViolationError


def test_concurrent_calls_are_answered_exactly_once_and_never_crossed() -> None:
    run_state_machine_as_test(CallMachine, settings=machine_settings(20, 20, shrinks=True))


def test_a_machine_for_an_own_application_needs_a_few_lines() -> None:
    class MyLine(CallMachine):
        restarts_workers = True

        def make_app(self, provider: EchoProvider) -> object:
            flow = AIFlow(YemotAI(provider=provider, store=self.store))
            flow.ai_agent("", greeting="שלום")(lambda call, text: None)
            return flow

    run_state_machine_as_test(MyLine, settings=machine_settings(10, 20, shrinks=True))


class _Wrapper:
    """A provider that wraps the echo provider; its subclasses have a fault."""

    name, streams = "wrapper", False

    def __init__(self, echo: EchoProvider) -> None:
        self.echo, self.engine = echo, echo.engine

    async def ask(
        self, prompt: str, *, session: JSON = None, history: Sequence[Exchange] = (), **_: object
    ) -> AsyncIterator[str | Reply]:
        yield await self.answer(prompt, session, history)

    async def answer(self, prompt: str, session: JSON, history: Sequence[Exchange]) -> Reply:
        return await ask_provider(self.echo, prompt, session=session, history=history)


class _Crossing(_Wrapper):
    """Answers every first prompt with the answer of the first conversation."""

    async def answer(self, prompt: str, session: JSON, history: Sequence[Exchange]) -> Reply:
        reply = await super().answer(prompt, session, history)
        self.first = getattr(self, "first", reply.text)
        return reply if session else Reply(self.first, reply.session)


class _Forgetting(_Wrapper):
    """Starts a new conversation at every turn."""

    async def answer(self, prompt: str, session: JSON, history: Sequence[Exchange]) -> Reply:
        return await super().answer(prompt, None, history)


class _AskingTwice(_Wrapper):
    """Calls its model twice for one turn."""

    async def answer(self, prompt: str, session: JSON, history: Sequence[Exchange]) -> Reply:
        if session:
            await super().answer(prompt, session, history)
        return await super().answer(prompt, session, history)


@pytest.mark.parametrize(
    ("broken", "kinds"),
    [(_Crossing, {"crossed_calls", "stale"}), (_Forgetting, {"forgot"}), (_AskingTwice, {"asked_twice"})],
)
def test_a_broken_provider_is_found(broken: type[_Wrapper], kinds: set[str]) -> None:
    class BrokenMachine(CallMachine):
        def make_app(self, provider: EchoProvider) -> object:
            flow = AIFlow(YemotAI(provider=broken(provider)))
            flow.ai_agent("")(lambda call, text: None)
            return flow

    with pytest.raises(ViolationError) as found:
        run_state_machine_as_test(BrokenMachine, settings=machine_settings(60, 20))
    assert found.value.violations[0].kind in kinds
