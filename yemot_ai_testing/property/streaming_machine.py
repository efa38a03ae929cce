"""A state machine of calls whose answers are spoken while the model still streams them.

::

    class MyLine(StreamingMachine):
        def make_app(self, provider):
            return my_app(provider)

    TestMyLine = MyLine.TestCase

It adds to ``CallMachine``: callers press a key or hang up while an answer is spoken, polls are repeated, late
and in another order, and workers are replaced in the middle of an answer and while they cancel one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import consumes, precondition, rule

from yemot_ai_testing.doubles.steps import Answer, Calls, Step
from yemot_ai_testing.errors import WrongVerbError
from yemot_ai_testing.history.correlation import spoken_sentences
from yemot_ai_testing.history.events import CallerInterrupted
from yemot_ai_testing.history.recorders.app import call_name
from yemot_ai_testing.property.choices import TOOL_CHOICES
from yemot_ai_testing.property.machine import CallMachine
from yemot_ai_testing.property.machine_call import MachineCall
from yemot_ai_testing.property.model_steps import PREFACE, STREAMING_STEPS
from yemot_ai_testing.scenario.format.model import InterruptionSpec

__all__ = ["StreamingMachine"]

SLOW_PACE = Answer(("",), every=4.0)
"""Slow enough that each poll speaks one sentence."""

PACES = st.sampled_from([Answer(("",), every=1.0), SLOW_PACE, Answer(("",), every=9.0)])


class StreamingMachine(CallMachine):
    """Many calls over one application that speaks while its model streams."""

    sentences_per_answer: ClassVar[int] = 3
    model_steps: ClassVar[Sequence[Step | None]] = STREAMING_STEPS

    @rule(machine_call=CallMachine.calls, pace=PACES, key=st.sampled_from(["5", "1"]))
    def interrupts(self, machine_call: MachineCall, pace: Answer, key: str) -> None:
        """A caller presses a key while the answer is spoken."""
        if machine_call.awaits_speech:
            self._interrupt_while_speaking(machine_call, pace, key)

    @rule(machine_call=consumes(CallMachine.calls), pace=PACES, target=CallMachine.ended_calls)
    def hangs_up_while_spoken_to(self, machine_call: MachineCall, pace: Answer) -> MachineCall:
        """A caller hangs up while the answer is spoken."""
        if machine_call.awaits_speech:
            self._interrupt_while_speaking(machine_call, pace, None)
        machine_call.hang_up()
        return machine_call

    @rule(machine_call=consumes(CallMachine.calls), target=CallMachine.ended_calls)
    def hangs_up_while_written(self, machine_call: MachineCall) -> MachineCall:
        """A caller hangs up when the first sentence has been written."""
        if machine_call.awaits_speech:
            self.provider.on_first_sentence = machine_call.hang_up
            self.speak(machine_call, SLOW_PACE, interruption=InterruptionSpec(None))
            self.provider.on_first_sentence = None
        machine_call.hang_up()
        return machine_call

    @rule(machine_call=CallMachine.calls, pace=PACES, back=st.permutations([0, 1, 2]))
    def polls_come_again(self, machine_call: MachineCall, pace: Answer, back: Sequence[int]) -> None:
        """Repeat requests, late and in another order, while the answer is spoken."""
        if machine_call.awaits_speech:
            machine_call.inexpressible.append("polls were repeated while the answer was spoken")
            again = [
                lambda old=old: self._recorded_app.resend(machine_call.caller.call_id, back=old)
                for old in back
            ]
            self._recorded_app.before_requests = [int, *again]  # int does nothing before the first request
            self.speak(machine_call, pace)
            self._recorded_app.before_requests.clear()

    @rule(machine_call=CallMachine.calls)
    def copy_arrives_while_writing(self, machine_call: MachineCall) -> None:
        """Repeat the utterance's request when the first sentence has been written."""
        if machine_call.awaits_speech:
            machine_call.inexpressible.append("the request was repeated while its answer was written")
            self.provider.on_first_sentence = lambda: self._recorded_app.resend(machine_call.caller.call_id)
            self.speak(machine_call, SLOW_PACE)
            self.provider.on_first_sentence = None

    @precondition(lambda self: self.restarts_workers)
    @rule(machine_call=CallMachine.calls, polls=st.integers(1, 3))
    def restarts_while_spoken(self, machine_call: MachineCall, polls: int) -> None:
        """Replace the worker in the middle of an answer."""
        if machine_call.awaits_speech:
            machine_call.inexpressible.append("the worker was replaced in the middle of an answer")
            self._recorded_app.before_requests = [*([int] * polls), self.restart]
            self.speak(machine_call, SLOW_PACE)
            self._recorded_app.before_requests.clear()

    @precondition(lambda self: self.restarts_workers)
    @rule(machine_call=CallMachine.calls, steps=st.integers(0, 9))
    def restarts_after_a_key(self, machine_call: MachineCall, steps: int) -> None:
        """Replace the worker while it cancels an answer that a key has interrupted."""
        if machine_call.awaits_speech:
            machine_call.inexpressible.append("the worker was replaced while it cancelled an answer")
            self.provider.kill_after_steps = steps
            self._interrupt_while_speaking(machine_call, SLOW_PACE, "5")
            self.provider.kill_after_steps = None
            self.restart()
        if machine_call.awaits_speech:
            self.speak(machine_call, None)

    @precondition(lambda self: self.tool_steps)
    @rule(machine_call=CallMachine.calls, messages=TOOL_CHOICES, seconds=st.sampled_from([6.0, 1.0]))
    def interrupts_while_a_tool_runs(
        self, machine_call: MachineCall, messages: Sequence[Calls], seconds: float
    ) -> None:
        """A caller presses a key while a tool runs, before which the model has said something."""
        if machine_call.awaits_speech:
            self.tools.seconds = seconds
            first, *others = messages
            calls = replace(first, saying=PREFACE), *others
            self._interrupt_while_speaking(machine_call, SLOW_PACE, "5", calls)
            self.tools.clear()

    def _interrupt_while_speaking(
        self, machine_call: MachineCall, pace: Answer, key: str | None, calls: Sequence[Calls] = ()
    ) -> None:
        """Let a caller speak, then press a key (None: hang up) as soon as part of the answer is heard.

        Args:
            machine_call: the call.
            pace: the step of the model's answer.
            key: the key.
            calls: the messages in which the model calls tools first.
        """
        call, recorded = call_name(machine_call.caller.call_id), False

        def is_spoken_to() -> bool:
            nonlocal recorded
            raw = machine_call.caller.raw
            heard = bool(spoken_sentences(raw)) or bool(calls and PREFACE.rstrip(".") in raw)
            if heard and not recorded and key is not None:
                recorded = True
                self.history.add(CallerInterrupted(self.history.now(), call, machine_call.utterance_ids[-1]))
            return heard

        machine_call.caller.interrupts(key, when=is_spoken_to)
        with contextlib.suppress(WrongVerbError):  # the answer had one piece: nothing to interrupt
            self.speak(machine_call, pace, interruption=InterruptionSpec(key), calls=calls)
        self.provider.wait_until_idle()
        self.provider.clear_script()
