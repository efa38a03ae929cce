"""A state machine of calls whose answers are spoken while the model still writes them.

::

    class MyLine(StreamingMachine):
        def make_app(self, provider):
            return my_app(provider)

    TestMyLine = MyLine.TestCase

Besides all that happens in a ``CallMachine``, callers press a key or hang up while an answer is spoken,
polls come again, late and in another order, and workers are replaced in the middle of an answer, and
while they let go of one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import consumes, precondition, rule

from yemot_ai_testing.doubles.script import Answer, Step
from yemot_ai_testing.errors import WrongVerbError
from yemot_ai_testing.history.correlation import spoken_sentences
from yemot_ai_testing.history.events import CallerInterrupted
from yemot_ai_testing.history.recorders.app import call_name
from yemot_ai_testing.property.echo_provider import STREAMING_STEPS
from yemot_ai_testing.property.machine import CallMachine
from yemot_ai_testing.property.machine_call import MachineCall
from yemot_ai_testing.scenario.format.model import InterruptionSpec

__all__ = ["StreamingMachine"]

SLOW_PACE = Answer(("",), every=4.0)
"""Slow enough that each sentence is spoken in a poll of its own."""

PACES = st.sampled_from([Answer(("",), every=1.0), SLOW_PACE, Answer(("",), every=9.0)])


class StreamingMachine(CallMachine):
    """Many calls over one application that speaks while its model writes."""

    sentences_per_answer: ClassVar[int] = 3
    model_steps: ClassVar[Sequence[Step | None]] = STREAMING_STEPS

    @rule(talk=CallMachine.calls, pace=PACES, key=st.sampled_from(["5", "1"]))
    def interrupts(self, talk: MachineCall, pace: Answer, key: str) -> None:
        """A caller presses a key while the answer is spoken."""
        if talk.awaits_speech:
            self._interrupt_while_speaking(talk, pace, key)

    @rule(talk=consumes(CallMachine.calls), pace=PACES, target=CallMachine.ended_calls)
    def hangs_up_while_spoken_to(self, talk: MachineCall, pace: Answer) -> MachineCall:
        """A caller hangs up while the answer is spoken."""
        if talk.awaits_speech:
            self._interrupt_while_speaking(talk, pace, None)
        talk.hang_up()
        return talk

    @rule(talk=consumes(CallMachine.calls), target=CallMachine.ended_calls)
    def hangs_up_while_written(self, talk: MachineCall) -> MachineCall:
        """A caller hangs up at the moment when the first sentence is there."""
        if talk.awaits_speech:
            self.provider.on_first_sentence = talk.hang_up
            self.speak(talk, SLOW_PACE, interruption=InterruptionSpec(None))
            self.provider.on_first_sentence = None
        talk.hang_up()
        return talk

    @rule(talk=CallMachine.calls, pace=PACES, back=st.permutations([0, 1, 2]))
    def polls_come_again(self, talk: MachineCall, pace: Answer, back: Sequence[int]) -> None:
        """Requests come again, late and in another order, while the answer is spoken."""
        if talk.awaits_speech:
            talk.inexpressible.append("polls came again while the answer was spoken")
            again = [lambda old=old: self._recorded_app.resend(talk.caller.call_id, back=old) for old in back]
            self._recorded_app.before_requests = [int, *again]  # int: the question itself passes
            self.speak(talk, pace)
            self._recorded_app.before_requests.clear()

    @rule(talk=CallMachine.calls)
    def copy_arrives_while_writing(self, talk: MachineCall) -> None:
        """The question comes again at the moment when the first sentence is there."""
        if talk.awaits_speech:
            talk.inexpressible.append("the question came again while its answer was written")
            self.provider.on_first_sentence = lambda: self._recorded_app.resend(talk.caller.call_id)
            self.speak(talk, SLOW_PACE)
            self.provider.on_first_sentence = None

    @precondition(lambda self: self.restarts_workers)
    @rule(talk=CallMachine.calls, polls=st.integers(1, 3))
    def restarts_while_spoken(self, talk: MachineCall, polls: int) -> None:
        """The worker is replaced in the middle of an answer."""
        if talk.awaits_speech:
            talk.inexpressible.append("the worker was replaced in the middle of an answer")
            self._recorded_app.before_requests = [*([int] * polls), self.restart]
            self.speak(talk, SLOW_PACE)
            self._recorded_app.before_requests.clear()

    @precondition(lambda self: self.restarts_workers)
    @rule(talk=CallMachine.calls, steps=st.integers(0, 9))
    def restarts_after_a_key(self, talk: MachineCall, steps: int) -> None:
        """The worker is replaced while it lets go of an answer that a key has interrupted."""
        if talk.awaits_speech:
            talk.inexpressible.append("the worker was replaced while it let go of an interrupted answer")
            self.provider.kill_after_steps = steps
            self._interrupt_while_speaking(talk, SLOW_PACE, "5")
            self.provider.kill_after_steps = None
            self.restart()
        if talk.awaits_speech:
            self.speak(talk, None)

    def _interrupt_while_speaking(self, talk: MachineCall, pace: Answer, key: str | None) -> None:
        """Let a caller speak, and press a key (None: hang up) as soon as a part of the answer is heard."""
        call, told = call_name(talk.caller.call_id), False

        def is_spoken_to() -> bool:
            nonlocal told
            heard = spoken_sentences(talk.caller.raw)
            if heard and not told and key is not None:
                told = True
                self.history.add(CallerInterrupted(self.history.now(), call, heard[-1].utterance_id))
            return bool(heard)

        talk.caller.interrupts(key, when=is_spoken_to)
        with contextlib.suppress(WrongVerbError):  # the answer came in one piece: nothing to interrupt
            self.speak(talk, pace, interruption=InterruptionSpec(key))
        self.provider.wait_until_idle()
        self.provider.clear_script()
