"""A state machine of many calls over one application.

Hypothesis lets callers dial, speak, press keys, stay silent and hang up; repeats requests, late and while
the model runs; lets the model and the store fail; replaces workers. After each step
``yemot_ai_testing.history.check`` checks the recorded history. A failure is shrunk to the shortest history
and shown as a trace::

    class MyLine(CallMachine):
        def make_app(self, provider):
            return my_app(provider)

    TestMyLine = MyLine.TestCase

Concurrent events are started from inside each other and time is virtual, so that a seed always gives the
same history.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from yemot_ai_testing.doubles.steps import Answer, Step
from yemot_ai_testing.errors import CallerNotAskedError
from yemot_ai_testing.history.events import ConversationReset, LoopDetected
from yemot_ai_testing.history.recorders.app import call_name
from yemot_ai_testing.property.choices import (
    DELAY_CHOICES,
    EVENING_CHOICES,
    FAILURE_CHOICES,
    KEY_CHOICES,
    ORDER_CHOICES,
    PAUSE_CHOICES,
    PHONE_CHOICES,
    SHORT_DELAYS,
    STEP_CHOICES,
    failing_steps,
)
from yemot_ai_testing.property.counterexample import ViolationError
from yemot_ai_testing.property.engines.order import Order
from yemot_ai_testing.property.evening import Evening
from yemot_ai_testing.property.leftovers import Work
from yemot_ai_testing.property.machine_call import MachineCall
from yemot_ai_testing.property.tool_rules import ToolRules
from yemot_ai_testing.scenario.format.model import CallerAction, Expectation, InterruptionSpec

__all__ = ["CallMachine", "ViolationError"]


class CallMachine(ToolRules):
    """Many calls over one application; override ``make_app`` and the attributes of ``CallMachineBase``."""

    calls = Bundle("calls")
    ended_calls = Bundle("ended_calls")

    @initialize(target=calls, order=ORDER_CHOICES, evening=EVENING_CHOICES)
    def first_call(self, order: Order | None = None, evening: Evening | None = None) -> MachineCall:
        """Start with one call; the application must wait for its caller's speech."""
        self.use_order(order)
        self.use_evening(evening or Evening())
        machine_call = self.dial(self.phone_numbers[0])
        self.check_history()
        if not machine_call.awaits_speech:
            caller, method = machine_call.caller, machine_call.method
            raise CallerNotAskedError(caller.waits_for, heard=caller.heard, method=method)
        return machine_call

    @rule(target=calls, phone=PHONE_CHOICES)
    def dials(self, phone: str) -> MachineCall:
        """Start another call."""
        return self.dial(phone)

    @rule(machine_call=calls)
    def asks(self, machine_call: MachineCall) -> None:
        """A caller speaks; the model answers at once."""
        # The first rule by name, without choices: Hypothesis shrinks other rules to this one.
        if machine_call.awaits_speech:
            self.speak(machine_call, None)

    @rule(machine_call=calls, step=STEP_CHOICES)
    def speaks(self, machine_call: MachineCall, step: Step | None) -> None:
        """A caller speaks; the model runs any step."""
        if machine_call.awaits_speech:
            self.speak(machine_call, step)

    @rule(machine_call=calls, back=st.sampled_from([0, 1, 2]))
    def repeated_request(self, machine_call: MachineCall, back: int) -> None:
        """Repeat one of the last requests; its response is ignored."""
        if back:
            machine_call.inexpressible.append(f"the request before the last {back} was repeated")
        else:
            machine_call.record_turn(CallerAction("repeats"), hears=Expectation(same=True))
        self._recorded_app.resend(machine_call.caller.call_id, back=back)

    @rule(machine_call=calls)
    def repeats(self, machine_call: MachineCall) -> None:
        """The line repeats its last request and plays the response."""
        if machine_call.awaits_speech:
            self.perform(machine_call, CallerAction("repeats"), hears=Expectation(same=True))

    @rule(machine_call=calls)
    def repeated_while_thinking(self, machine_call: MachineCall) -> None:
        """Repeat a request while the model runs."""
        if machine_call.awaits_speech:
            machine_call.inexpressible.append(
                "a request was repeated while the model ran; here it is repeated afterwards"
            )
            self.provider.on_thinking = lambda: self._recorded_app.resend(machine_call.caller.call_id)
            machine_call.repeats_next = True
            self.speak(machine_call, None)

    @rule(first=calls, second=calls)
    def speak_together(self, first: MachineCall, second: MachineCall) -> None:
        """A caller speaks while the model runs for another call."""
        if first is not second and first.awaits_speech and second.awaits_speech:
            first.inexpressible.append("another caller spoke while the model ran")
            self.provider.on_thinking = self._clock.at_once(lambda: self.speak(second, None))
            self.speak(first, None)

    @rule(target=calls, machine_call=calls, others=st.sampled_from([2, 1, 3]), seconds=SHORT_DELAYS)
    def speak_all_together(
        self, machine_call: MachineCall, others: int, seconds: int
    ) -> MultipleResults[MachineCall]:
        """More callers dial, and all of them are answered at the same moment."""
        numbers = itertools.islice(itertools.cycle(self.phone_numbers), 1, others + 1)
        newcomers = [self.dial(number) for number in numbers]
        together = [one for one in (machine_call, *newcomers) if one.awaits_speech]
        if together:
            self._speak_within(together, Answer(("",), float(seconds)))
        return multiple(*newcomers)

    def _speak_within(self, callers: Sequence[MachineCall], step: Step) -> None:
        """Let each caller speak while the model runs for the one before."""
        first, *others = callers
        first.inexpressible.append("other callers spoke while the model ran")
        if others:
            self.provider.on_thinking = self._clock.at_once(lambda: self._speak_within(others, step))
        self.speak(first, step)

    @precondition(lambda self: self.crowd_to_come)
    @rule(machine_call=calls)
    def others_come_and_go(self, machine_call: MachineCall) -> None:
        """Many short calls come and end while a caller waits; then a late request of the first arrives."""
        machine_call.inexpressible.append(f"{self.crowd_to_come} other calls came and ended")
        before, first = Work.running(self._engine.loop), len(self._calls)
        speakers = sum(self._call_shortly(number) for number in range(self.crowd_to_come))
        self.crowd_to_come = 0
        self._recorded_app.resend(self._calls[first].caller.call_id, back=1)
        self.provider.clock.sleep(self.max_pause)
        work, now = Work.running(self._engine.loop), self.history.now()
        self.history.add(work.count_leftovers(before, at=now, calls=speakers))

    def _call_shortly(self, number: int) -> bool:
        """Let a caller call, speak in each third call, and hang up; return whether the caller spoke."""
        caller = self.dial(self.phone_numbers[number % len(self.phone_numbers)])
        speaks = number % 3 == 0 and caller.awaits_speech
        if speaks:
            self.speak(caller, None)
        caller.hang_up()
        return speaks

    @precondition(lambda self: self.longest_utterance)
    @rule(machine_call=calls)
    def speaks_at_length(self, machine_call: MachineCall) -> None:
        """A caller says a long utterance."""
        if machine_call.awaits_speech:
            self.speak(machine_call, None, length=self.longest_utterance)

    @precondition(lambda self: hasattr(self.app, "ahandle_request"))
    @rule(machine_call=calls)
    def connection_is_cut(self, machine_call: MachineCall) -> None:
        """The connection of an utterance's request breaks while the model runs; the line sends it again."""
        if machine_call.awaits_speech:
            machine_call.inexpressible.append("a request was cancelled while the model ran, and came again")
            self._recorded_app.before_request = self.send_and_cut
            self.speak(machine_call, Answer(("",), 2.0))

    @rule(machine_call=calls, seconds=DELAY_CHOICES)
    def answers_late(self, machine_call: MachineCall, seconds: int) -> None:
        """A caller speaks; the model answers after any number of seconds."""
        if machine_call.awaits_speech:
            self.speak(machine_call, Answer(("",), float(seconds)))

    @precondition(lambda self: failing_steps(self.model_steps) != (None,))
    @rule(machine_call=calls, step=FAILURE_CHOICES, times=st.sampled_from([2, 5]))
    def fails_repeatedly(self, machine_call: MachineCall, step: Step | None, times: int) -> None:
        """A caller speaks; the model fails several times in a row."""
        if machine_call.awaits_speech and step is not None:
            machine_call.inexpressible.append(f"the model failed {times} times")
            for _ in range(times - 1):
                self.provider.add(step)
            self.speak(machine_call, step)

    @rule(machine_call=calls)
    def types(self, machine_call: MachineCall) -> None:
        """A caller presses keys where the line listens to speech."""
        if machine_call.takes_keys:
            self.speak(machine_call, None, typed=True)

    @precondition(lambda self: self.menu_keys)
    @rule(machine_call=calls, key=KEY_CHOICES)
    def answers_by_key(self, machine_call: MachineCall, key: str) -> None:
        """A caller answers a question for a key: in a menu, or between an utterance and its answer."""
        if machine_call.awaits_key:
            self.press_key(machine_call, key)

    @rule(machine_call=calls)
    def comes_back(self, machine_call: MachineCall) -> None:
        """A caller who has left the agent reaches it again."""
        if not machine_call.has_ended and not machine_call.awaits_speech and machine_call.caller.question:
            machine_call.inexpressible.append("the caller went to the agent again")
            self.reach_agent(machine_call.caller)

    @rule(seconds=st.sampled_from([3_600, 86_400, -3_600]))
    def clock_jumps(self, seconds: int) -> None:
        """The clock of the line is set to another time."""
        self._recorded_app.time_offset += seconds

    @precondition(lambda self: self.repeats_utterances)
    @rule(machine_call=calls)
    def says_again(self, machine_call: MachineCall) -> None:
        """A caller says the same again, and expects a new answer."""
        if machine_call.awaits_speech and machine_call.utterance_ids:
            self.speak(machine_call, None, utterance_id=machine_call.utterance_ids[-1])

    @precondition(lambda self: self.repeats_utterances)
    @rule(machine_call=calls, other=calls)
    def says_the_same(self, machine_call: MachineCall, other: MachineCall) -> None:
        """A caller repeats an utterance of another call."""
        if (
            machine_call.awaits_speech
            and other.utterance_ids
            and other.utterance_ids[-1] not in machine_call.utterance_ids
        ):
            machine_call.inexpressible.append("the caller repeated an utterance of another call")
            self.speak(machine_call, None, utterance_id=other.utterance_ids[-1])

    @rule(machine_call=consumes(calls), seconds=st.sampled_from([0.0, 1.0, 30.0]), target=ended_calls)
    def hangs_up_while_thinking(self, machine_call: MachineCall, seconds: float) -> MachineCall:
        """A caller hangs up while the model runs."""
        if machine_call.awaits_speech:
            self.provider.on_thinking = machine_call.hang_up
            self.speak(machine_call, Answer(("",), seconds), interruption=InterruptionSpec(None))
        machine_call.hang_up()
        return machine_call

    @rule(machine_call=calls, times=st.sampled_from([1, 2, 10]))
    def keeps_silent(self, machine_call: MachineCall, times: int) -> None:
        """A caller stays silent, once or several times."""
        exchanges, turns = len(machine_call.caller.exchanges), len(machine_call.turns)
        for _ in range(times):
            if machine_call.awaits_speech and machine_call.may_be_silent:
                self.perform(machine_call, CallerAction("silent"))
        # Some reads repeat their question without a request, so that only the line could end the call.
        requests = len(machine_call.caller.exchanges) - exchanges
        if machine_call.awaits_speech and requests >= self.max_silences > 0:
            machine_call.must_have_ended(len(machine_call.turns) - turns)
            why = f"was silent {times} times in a row, and the call has not ended"
            self.history.add(LoopDetected(self.history.now(), call_name(machine_call.caller.call_id), why))

    @rule(machine_call=calls, seconds=PAUSE_CHOICES)
    def pauses(self, machine_call: MachineCall, seconds: float) -> None:
        """A caller waits before speaking."""
        del machine_call
        self.provider.clock.sleep(seconds)

    @precondition(lambda self: self.reset_key)
    @rule(machine_call=calls)
    def starts_new_conversation(self, machine_call: MachineCall) -> None:
        """A caller starts a new conversation."""
        if machine_call.awaits_speech and not machine_call.blocks_keys:
            self.history.add(ConversationReset(self.history.now(), call_name(machine_call.caller.call_id)))
            self.perform(machine_call, CallerAction("presses", f"{self.reset_key}#"))

    @precondition(lambda self: self.store_fails)
    @rule(machine_call=calls, times=st.sampled_from([1, 2, 4]))
    def store_is_unavailable(self, machine_call: MachineCall, times: int) -> None:
        """The store fails while a caller speaks."""
        if machine_call.awaits_speech:
            machine_call.inexpressible.append("the store failed")
            self.store.fails(times)
            self.speak(machine_call, None)
            self.store.fails(0)

    @precondition(lambda self: self.restarts_workers)
    @rule(machine_call=calls)
    def restarts_between(self, machine_call: MachineCall) -> None:
        """Replace the worker; then the caller speaks."""
        self.restart()
        machine_call.inexpressible.append("the worker was replaced")
        if machine_call.awaits_speech:
            self.speak(machine_call, None)

    @precondition(lambda self: self.restarts_workers)
    @rule(machine_call=calls)
    def restarts_while_thinking(self, machine_call: MachineCall) -> None:
        """Replace the worker while the model runs: between the utterance's request and the first poll."""
        if machine_call.awaits_speech:
            machine_call.inexpressible.append("the worker was replaced while the model ran")
            # int does nothing: the restart comes before the second request.
            self._recorded_app.before_requests = [int, self.restart]
            self.speak(machine_call, Answer(("",), 4.0))
            self._recorded_app.before_requests.clear()

    @rule(machine_call=consumes(calls), target=ended_calls)
    def hangs_up(self, machine_call: MachineCall) -> MachineCall:
        """A caller hangs up."""
        machine_call.hang_up()
        return machine_call

    @rule(machine_call=ended_calls)
    def late_request(self, machine_call: MachineCall) -> None:
        """Repeat a request after the caller has hung up."""
        machine_call.inexpressible.append("a request came after the hang-up")
        self._recorded_app.resend(machine_call.caller.call_id, back=1)

    @invariant()
    def history_is_valid(self) -> None:
        """The history has no violation."""
        if len(self.history) > self._checked_length:
            self._checked_length = len(self.history)
            self.check_history()

    def teardown(self) -> None:
        """Hang up all calls; no session may stay open."""
        for machine_call in self._calls:
            machine_call.hang_up()
        self.check_history()
