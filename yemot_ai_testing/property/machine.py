"""A state machine of many calls over one application.

Hypothesis lets callers dial, speak, press, keep silent and hang up; requests come again, late and while
the model thinks; the model and the store fail; workers are replaced. Everything is written down, and after
each step the checker of ``yemot_ai_testing.history`` looks whether it may have happened. A failure is
shrunk to the shortest such evening, and told as a story::

    class MyLine(CallMachine):
        def make_app(self, provider):
            return my_app(provider)

    TestMyLine = MyLine.TestCase

What happens at the same time is started from inside the other, and time is virtual: a seed is one evening.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from yemot_ai_testing.doubles.script import Answer, Step
from yemot_ai_testing.errors import CallerNotAskedError
from yemot_ai_testing.history.events import ConversationReset, LoopDetected
from yemot_ai_testing.history.recorders.app import call_name
from yemot_ai_testing.property.counterexample import ViolationError
from yemot_ai_testing.property.machine_base import CallMachineBase
from yemot_ai_testing.property.machine_call import MachineCall
from yemot_ai_testing.scenario.format.model import CallerAction, Expectation, InterruptionSpec

__all__ = ["CallMachine", "ViolationError"]


PHONE_CHOICES = st.runner().flatmap(lambda machine: st.sampled_from(machine.phone_numbers))
STEP_CHOICES = st.runner().flatmap(lambda machine: st.sampled_from(machine.model_steps))


class CallMachine(CallMachineBase):
    """Many calls over one application; override ``make_app``, and what else differs: see ``Switchboard``."""

    calls = Bundle("calls")
    ended_calls = Bundle("ended_calls")

    @initialize(target=calls)
    def first_call(self) -> MachineCall:
        """Begin with one caller, who must be listened to: else there is nothing to try."""
        talk = self.dial(self.phone_numbers[0])
        self.check_history()
        if not talk.awaits_speech:
            raise CallerNotAskedError(talk.caller.waits_for, heard=talk.caller.heard)
        return talk

    @rule(target=calls, phone=PHONE_CHOICES)
    def dials(self, phone: str) -> MachineCall:
        """Somebody calls."""
        return self.dial(phone)

    @rule(talk=calls)
    def asks(self, talk: MachineCall) -> None:
        """One caller says something; the model answers at once."""
        # The first rule by name, and without choices: what is shrunk becomes this.
        if talk.awaits_speech:
            self.speak(talk, None)

    @rule(talk=calls, step=STEP_CHOICES)
    def speaks(self, talk: MachineCall, step: Step | None) -> None:
        """One caller says something; the model does as it likes."""
        if talk.awaits_speech:
            self.speak(talk, step)

    @rule(talk=calls, back=st.sampled_from([0, 1, 2]))
    def repeated_request(self, talk: MachineCall, back: int) -> None:
        """One of the last requests comes again; nobody waits for its answer."""
        if back:
            talk.inexpressible.append(f"the request before the last {back} came again")
        else:
            talk.record_turn(CallerAction("repeats"), hears=Expectation(same=True))
        self._recorded_app.resend(talk.caller.call_id, back=back)

    @rule(talk=calls)
    def repeats(self, talk: MachineCall) -> None:
        """The line sends its last request again, and goes on from the answer."""
        if talk.awaits_speech:
            self.perform(talk, CallerAction("repeats"), hears=Expectation(same=True))

    @rule(talk=calls)
    def repeated_while_thinking(self, talk: MachineCall) -> None:
        """The request comes again while the model thinks about it."""
        if talk.awaits_speech:
            talk.inexpressible.append(
                "a request came again while the model thought; here it comes afterwards"
            )
            self.provider.on_thinking = lambda: self._recorded_app.resend(talk.caller.call_id)
            talk.repeats_next = True
            self.speak(talk, None)

    @rule(first=calls, second=calls)
    def speak_together(self, first: MachineCall, second: MachineCall) -> None:
        """One caller speaks while the model thinks about what another has said."""
        if first is not second and first.awaits_speech and second.awaits_speech:
            first.inexpressible.append("another caller spoke while the model thought")
            self.provider.on_thinking = lambda: self.speak(second, None)
            self.speak(first, None)

    @precondition(lambda self: self.repeats_utterances)
    @rule(talk=calls, other=calls)
    def says_the_same(self, talk: MachineCall, other: MachineCall) -> None:
        """One caller says, word for word, what another has said before."""
        if talk.awaits_speech and other.utterance_ids and other.utterance_ids[-1] not in talk.utterance_ids:
            talk.inexpressible.append("the caller said what another one had said before")
            self.speak(talk, None, utterance_id=other.utterance_ids[-1])

    @rule(talk=consumes(calls), seconds=st.sampled_from([0.0, 1.0, 30.0]), target=ended_calls)
    def hangs_up_while_thinking(self, talk: MachineCall, seconds: float) -> MachineCall:
        """A caller hangs up while the model thinks."""
        if talk.awaits_speech:
            self.provider.on_thinking = talk.hang_up
            self.speak(talk, Answer(("",), seconds), interruption=InterruptionSpec(None))
        talk.hang_up()
        return talk

    @rule(talk=calls, times=st.sampled_from([1, 2, 10]))
    def keeps_silent(self, talk: MachineCall, times: int) -> None:
        """A caller says nothing, once or for good."""
        for _ in range(times):
            if talk.awaits_speech:
                self.perform(talk, CallerAction("silent"))
        if talk.awaits_speech and times >= self.max_silences > 0:
            why = f"was silent {times} times in a row, and is still asked"
            self.history.add(LoopDetected(self.history.now(), call_name(talk.caller.call_id), why))

    @rule(talk=calls, seconds=st.sampled_from([10.0, 31.0, 120.0]))
    def pauses(self, talk: MachineCall, seconds: float) -> None:
        """A caller listens, or looks for something, before speaking."""
        del talk
        self.provider.clock.sleep(seconds)

    @precondition(lambda self: self.reset_key)
    @rule(talk=calls)
    def starts_new_conversation(self, talk: MachineCall) -> None:
        """A caller wants the conversation to begin anew."""
        if talk.awaits_speech:
            self.history.add(ConversationReset(self.history.now(), call_name(talk.caller.call_id)))
            self.perform(talk, CallerAction("presses", f"{self.reset_key}#"))

    @precondition(lambda self: self.store_fails)
    @rule(talk=calls, times=st.sampled_from([1, 2, 4]))
    def store_is_unavailable(self, talk: MachineCall, times: int) -> None:
        """The store fails while somebody speaks."""
        if talk.awaits_speech:
            talk.inexpressible.append("the store was away")
            self.store.fails(times)
            self.speak(talk, None)
            self.store.fails(0)

    @precondition(lambda self: self.restarts_workers)
    @rule(talk=calls)
    def restarts_between(self, talk: MachineCall) -> None:
        """The worker is replaced, and somebody speaks."""
        self.restart()
        talk.inexpressible.append("the worker was replaced")
        if talk.awaits_speech:
            self.speak(talk, None)

    @precondition(lambda self: self.restarts_workers)
    @rule(talk=calls)
    def restarts_while_thinking(self, talk: MachineCall) -> None:
        """The worker is replaced while the model thinks: between the question and the line's first poll."""
        if talk.awaits_speech:
            talk.inexpressible.append("the worker was replaced while the model thought")
            self._recorded_app.before_requests = [int, self.restart]  # int: the question itself passes
            self.speak(talk, Answer(("",), 4.0))
            self._recorded_app.before_requests.clear()

    @rule(talk=consumes(calls), target=ended_calls)
    def hangs_up(self, talk: MachineCall) -> MachineCall:
        """A caller hangs up."""
        talk.hang_up()
        return talk

    @rule(talk=ended_calls)
    def late_request(self, talk: MachineCall) -> None:
        """A request comes when the caller is long gone."""
        talk.inexpressible.append("a request came late")
        self._recorded_app.resend(talk.caller.call_id, back=1)

    @invariant()
    def history_is_valid(self) -> None:
        """Whatever has happened may have happened."""
        if len(self.history) > self._checked_length:
            self._checked_length = len(self.history)
            self.check_history()

    def teardown(self) -> None:
        """Everybody hangs up; nothing may be left."""
        for talk in self._calls:
            talk.hang_up()
        self.check_history()
