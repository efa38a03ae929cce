"""What happens while a model calls tools: the rules of ``CallMachine`` about them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, precondition, rule

from yemot_ai_testing.doubles.steps import Answer, Calls
from yemot_ai_testing.property.choices import TOOL_CHOICES
from yemot_ai_testing.property.machine_base import CallMachineBase
from yemot_ai_testing.property.machine_call import MachineCall
from yemot_ai_testing.scenario.format.model import InterruptionSpec

__all__ = ["ToolRules"]

SECONDS = st.sampled_from([0.0, 1.0, 6.0])
"""Seconds of a run: within the first response, before its end, and after several polls."""

HANGUPS = st.sampled_from([None, 0.5, 1.5, 3.0])
"""When a caller hangs up: in the first run of a tool, or so many seconds after the model was asked."""

PACES = st.sampled_from([(4.0, 0.0), (1.0, 4.0), (0.0, 4.0)])
"""Seconds of a run, and of the model's answer after it: one of them lasts beyond the first response."""


class ToolRules(CallMachineBase):
    """The rules of an application whose model calls tools; only with ``tool_steps``."""

    calls = Bundle("calls")
    ended_calls = Bundle("ended_calls")

    @precondition(lambda self: self.tool_steps)
    @rule(machine_call=calls, messages=TOOL_CHOICES, seconds=SECONDS, fails=st.booleans())
    def calls_tools(
        self,
        machine_call: MachineCall,
        messages: Sequence[Calls],
        seconds: float,
        fails: bool,  # noqa: FBT001 - drawn by Hypothesis
    ) -> None:
        """A caller speaks, and the model calls tools before it answers."""
        if machine_call.awaits_speech:
            self.tools.fails = fails
            self.speak_with_tools(machine_call, messages, seconds)

    @precondition(lambda self: self.tool_steps)
    @rule(machine_call=calls, messages=TOOL_CHOICES)
    def repeated_while_a_tool_runs(self, machine_call: MachineCall, messages: Sequence[Calls]) -> None:
        """Repeat a request while a tool runs."""
        if machine_call.awaits_speech:
            machine_call.inexpressible.append("a request was repeated while a tool ran")
            self.tools.on_running = lambda: self._recorded_app.resend(machine_call.caller.call_id)
            self.speak_with_tools(machine_call, messages, 1.0)

    @precondition(lambda self: self.tool_steps)
    @rule(first=calls, second=calls, messages=TOOL_CHOICES)
    def speaks_while_a_tool_runs(
        self, first: MachineCall, second: MachineCall, messages: Sequence[Calls]
    ) -> None:
        """A caller speaks, and the model calls tools, while a tool runs for another call."""
        if first is not second and first.awaits_speech and second.awaits_speech:
            first.inexpressible.append("another caller spoke while a tool ran")
            self.tools.on_running = self._clock.at_once(lambda: self._speak_and_call(second, messages))
            self.speak_with_tools(first, messages, 1.0)

    def _speak_and_call(self, machine_call: MachineCall, messages: Sequence[Calls]) -> None:
        self.speak(machine_call, Answer(("",)), calls=messages)

    @precondition(lambda self: self.tool_steps)
    @rule(
        machine_call=consumes(calls),
        messages=TOOL_CHOICES,
        seconds=SECONDS,
        after=HANGUPS,
        target=ended_calls,
    )
    def hangs_up_while_a_tool_runs(
        self, machine_call: MachineCall, messages: Sequence[Calls], seconds: float, after: float | None
    ) -> MachineCall:
        """A caller hangs up while a tool runs, or before it begins."""
        if machine_call.awaits_speech:
            if after is None:
                self.tools.on_running = machine_call.hang_up
            else:
                self.provider.on_thinking = lambda: self._hang_up_later(machine_call, after)
            self.speak_with_tools(machine_call, messages, seconds, interruption=InterruptionSpec(None))
        machine_call.hang_up()
        return machine_call

    def _hang_up_later(self, machine_call: MachineCall, after: float) -> None:
        """Let a caller hang up ``after`` seconds; the model that is being asked does not wait for it."""
        asyncio.run_coroutine_threadsafe(self._wait_and_hang_up(machine_call, after), self._engine.loop)

    async def _wait_and_hang_up(self, machine_call: MachineCall, after: float) -> None:
        await asyncio.sleep(after)
        await self._engine.run_in_thread(machine_call.hang_up)

    @precondition(lambda self: self.tool_steps and self.restarts_workers)
    @rule(machine_call=calls, messages=TOOL_CHOICES, pace=PACES)
    def restarts_while_a_tool_runs(
        self, machine_call: MachineCall, messages: Sequence[Calls], pace: tuple[float, float]
    ) -> None:
        """Replace the worker while a tool runs, or the model gets its result: before the first poll."""
        if machine_call.awaits_speech:
            machine_call.inexpressible.append("the worker was replaced while a tool ran")
            self._recorded_app.before_requests = [int, self.restart]  # int does nothing
            self.speak_with_tools(machine_call, messages, pace[0], answer_after=pace[1])
            self._recorded_app.before_requests.clear()

    @precondition(lambda self: self.tool_steps and self.store_fails)
    @rule(machine_call=calls, messages=TOOL_CHOICES, times=st.sampled_from([1, 4]))
    def store_fails_while_a_tool_runs(
        self, machine_call: MachineCall, messages: Sequence[Calls], times: int
    ) -> None:
        """The store fails while a tool runs."""
        if machine_call.awaits_speech:
            machine_call.inexpressible.append("the store failed while a tool ran")
            self.tools.on_running = lambda: self.store.fails(times)
            self.speak_with_tools(machine_call, messages, 1.0)
            self.store.fails(0)

    def speak_with_tools(
        self,
        machine_call: MachineCall,
        messages: Sequence[Calls],
        seconds: float,
        *,
        answer_after: float = 0.0,
        interruption: InterruptionSpec | None = None,
    ) -> None:
        """Let a caller speak; the model calls tools, each of which takes ``seconds``, and answers."""
        self.tools.seconds = seconds
        if seconds or self.tools.fails:
            how = " and was refused" if self.tools.fails else ""
            machine_call.inexpressible.append(f"each run of a tool took {seconds:g} s{how}")
        answer = Answer(("",), answer_after)
        self.speak(machine_call, answer, interruption=interruption, calls=messages)
        self.tools.clear()
