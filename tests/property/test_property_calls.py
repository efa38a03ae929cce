from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from yemot_ai import AIFlow, YemotAI
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai_testing.property import CallMachine, Echo

SETTINGS = settings(max_examples=60, stateful_step_count=25, deadline=None)
QUICK = settings(SETTINGS, phases=[Phase.generate])  # found is enough here; shrinking is for people


def test_many_calls_at_once_are_asked_and_answered_exactly_once_and_never_crossed() -> None:
    run_state_machine_as_test(CallMachine, settings=SETTINGS)


class _Crossing(Echo):
    """A provider that keeps one conversation for everybody."""

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        reply = await super().start_session(prompt, instructions=instructions, history=history)
        self._last = getattr(self, "_last", reply.text)
        return Reply(self._last, reply.session)


class _Forgetting(Echo):
    """A provider that begins a new conversation at every turn."""

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        del session
        return await super().start_session(prompt, instructions=instructions)


class _AskingTwice(Echo):
    """A provider that asks its model twice for one turn."""

    async def _echo(self, prompt: str, session: str) -> Reply:
        await super()._echo(prompt, session)
        return await super()._echo(prompt, session)


@pytest.mark.parametrize("broken", [_Crossing, _Forgetting, _AskingTwice])
def test_a_broken_agent_is_found_out(broken: type[Echo]) -> None:
    class BrokenMachine(CallMachine):
        def make_app(self, provider: Echo) -> AIFlow:
            self.provider = broken(engine=provider.engine)
            flow = AIFlow(YemotAI(provider=self.provider))
            flow.ai_agent("")(lambda call, text: None)
            return flow

    with pytest.raises(AssertionError):
        run_state_machine_as_test(BrokenMachine, settings=QUICK)
