from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.asking import ask_provider
from yemot_ai import AIFlow, YemotAI
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai_testing.property import CallMachine, EchoProvider, ViolationError

SETTINGS = settings(max_examples=20, stateful_step_count=20, deadline=None, derandomize=True, database=None)
QUICK = settings(SETTINGS, max_examples=60, phases=[Phase.generate])  # the shrunk example is not needed


def test_concurrent_calls_are_answered_exactly_once_and_never_crossed() -> None:
    run_state_machine_as_test(CallMachine, settings=SETTINGS)


def test_a_machine_for_an_own_application_needs_a_few_lines() -> None:
    class MyLine(CallMachine):
        restarts_workers = True

        def make_app(self, provider: EchoProvider) -> object:
            flow = AIFlow(YemotAI(provider=provider, store=self.store))
            flow.ai_agent("", greeting="שלום")(lambda call, text: None)
            return flow

    run_state_machine_as_test(MyLine, settings=settings(SETTINGS, max_examples=10))


class _Wrapper:
    """A provider that wraps the echo provider; its subclasses have a fault."""

    name = "wrapper"

    def __init__(self, echo: EchoProvider) -> None:
        self.echo, self.engine = echo, echo.engine

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        return await ask_provider(self.echo, prompt, history=history)

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return await ask_provider(self.echo, prompt, session=session)


class _Crossing(_Wrapper):
    """Answers every first prompt with the answer of the first conversation."""

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        reply = await super().start_session(prompt, history=history)
        self.first = getattr(self, "first", reply.text)
        return Reply(self.first, reply.session)


class _Forgetting(_Wrapper):
    """Starts a new conversation at every turn."""

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return await ask_provider(self.echo, prompt)


class _AskingTwice(_Wrapper):
    """Calls its model twice for one turn."""

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        await super().continue_session(session, prompt)
        return await super().continue_session(session, prompt)


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
        run_state_machine_as_test(BrokenMachine, settings=QUICK)
    assert found.value.violations[0].kind in kinds
