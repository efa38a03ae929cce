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
from yemot_ai_testing.history.correlation import sentences
from yemot_ai_testing.history.events import Interrupted
from yemot_ai_testing.history.recorders.app import call_name
from yemot_ai_testing.property.echo_provider import STREAMED
from yemot_ai_testing.property.machine import CallMachine
from yemot_ai_testing.property.machine_call import Talk
from yemot_ai_testing.scenario.format.model import Meanwhile

__all__ = ["StreamingMachine"]

SLOWLY = Answer(("",), every=4.0)
"""Slow enough that each sentence is spoken in a poll of its own."""

PACES = st.sampled_from([Answer(("",), every=1.0), SLOWLY, Answer(("",), every=9.0)])


class StreamingMachine(CallMachine):
    """Many calls over one application that speaks while its model writes."""

    sentences: ClassVar[int] = 3
    steps: ClassVar[Sequence[Step | None]] = STREAMED

    @rule(talk=CallMachine.talks, pace=PACES, key=st.sampled_from(["5", "1"]))
    def interrupts(self, talk: Talk, pace: Answer, key: str) -> None:
        """A caller presses a key while the answer is spoken."""
        if talk.listens:
            self._while_spoken(talk, pace, key)

    @rule(talk=consumes(CallMachine.talks), pace=PACES, target=CallMachine.past)
    def hangs_up_while_spoken_to(self, talk: Talk, pace: Answer) -> Talk:
        """A caller hangs up while the answer is spoken."""
        if talk.listens:
            self._while_spoken(talk, pace, None)
        talk.hangs_up()
        return talk

    @rule(talk=consumes(CallMachine.talks), target=CallMachine.past)
    def hangs_up_while_written(self, talk: Talk) -> Talk:
        """A caller hangs up at the moment when the first sentence is there."""
        if talk.listens:
            self.provider.while_writing = talk.hangs_up
            self.speak(talk, SLOWLY, meanwhile=Meanwhile(None))
            self.provider.while_writing = None
        talk.hangs_up()
        return talk

    @rule(talk=CallMachine.talks, pace=PACES, back=st.permutations([0, 1, 2]))
    def polls_come_again(self, talk: Talk, pace: Answer, back: Sequence[int]) -> None:
        """Requests come again, late and in another order, while the answer is spoken."""
        if talk.listens:
            talk.unsaid.append("polls came again while the answer was spoken")
            again = [lambda old=old: self._door.again(talk.caller.call_id, back=old) for old in back]
            self._door.before = [int, *again]  # int: the question itself passes
            self.speak(talk, pace)
            self._door.before.clear()

    @rule(talk=CallMachine.talks)
    def comes_again_while_written(self, talk: Talk) -> None:
        """The question comes again at the moment when the first sentence is there."""
        if talk.listens:
            talk.unsaid.append("the question came again while its answer was written")
            self.provider.while_writing = lambda: self._door.again(talk.caller.call_id)
            self.speak(talk, SLOWLY)
            self.provider.while_writing = None

    @precondition(lambda self: self.restarts)
    @rule(talk=CallMachine.talks, polls=st.integers(1, 3))
    def restarts_while_spoken(self, talk: Talk, polls: int) -> None:
        """The worker is replaced in the middle of an answer."""
        if talk.listens:
            talk.unsaid.append("the worker was replaced in the middle of an answer")
            self._door.before = [*([int] * polls), self.restart]
            self.speak(talk, SLOWLY)
            self._door.before.clear()

    @precondition(lambda self: self.restarts)
    @rule(talk=CallMachine.talks, steps=st.integers(0, 9))
    def restarts_after_a_key(self, talk: Talk, steps: int) -> None:
        """The worker is replaced while it lets go of an answer that a key has interrupted."""
        if talk.listens:
            talk.unsaid.append("the worker was replaced while it let go of an interrupted answer")
            self.provider.dies_after = steps
            self._while_spoken(talk, SLOWLY, "5")
            self.provider.dies_after = None
            self.restart()
        if talk.listens:
            self.speak(talk, None)

    def _while_spoken(self, talk: Talk, pace: Answer, key: str | None) -> None:
        """Let a caller speak, and press a key (None: hang up) as soon as a part of the answer is heard."""
        call, told = call_name(talk.caller.call_id), False

        def is_spoken_to() -> bool:
            nonlocal told
            heard = sentences(talk.caller.raw)
            if heard and not told and key is not None:
                told = True
                self.history.add(Interrupted(self.history.now(), call, heard[-1].utterance))
            return bool(heard)

        talk.caller.interrupts(key, once=is_spoken_to)
        with contextlib.suppress(WrongVerbError):  # the answer came in one piece: nothing to interrupt
            self.speak(talk, pace, meanwhile=Meanwhile(key))
        self.provider.settles()
        self.provider.forgets_script()
