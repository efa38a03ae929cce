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
from yemot_ai_testing.errors import UnheardCallerError
from yemot_ai_testing.history.events import Circled, Reset
from yemot_ai_testing.history.recorders.app import call_name
from yemot_ai_testing.property.counterexample import ViolationError
from yemot_ai_testing.property.machine_base import Switchboard
from yemot_ai_testing.property.machine_call import Talk
from yemot_ai_testing.scenario.format.model import Action, Expectation, Meanwhile

__all__ = ["CallMachine", "ViolationError"]


PHONES = st.runner().flatmap(lambda machine: st.sampled_from(machine.phones))
STEPS = st.runner().flatmap(lambda machine: st.sampled_from(machine.steps))


class CallMachine(Switchboard):
    """Many calls over one application; override ``make_app``, and what else differs: see ``Switchboard``."""

    talks = Bundle("talks")
    past = Bundle("past")

    @initialize(target=talks)
    def first(self) -> Talk:
        """Begin with one caller, who must be listened to: else there is nothing to try."""
        talk = self.dial(self.phones[0])
        self.judge()
        if not talk.listens:
            raise UnheardCallerError(talk.caller.waits_for, heard=talk.caller.heard)
        return talk

    @rule(target=talks, phone=PHONES)
    def dials(self, phone: str) -> Talk:
        """Somebody calls."""
        return self.dial(phone)

    @rule(talk=talks)
    def asks(self, talk: Talk) -> None:
        """One caller says something; the model answers at once."""
        # The first rule by name, and without choices: what is shrunk becomes this.
        if talk.listens:
            self.speak(talk, None)

    @rule(talk=talks, step=STEPS)
    def speaks(self, talk: Talk, step: Step | None) -> None:
        """One caller says something; the model does as it likes."""
        if talk.listens:
            self.speak(talk, step)

    @rule(talk=talks, back=st.sampled_from([0, 1, 2]))
    def repeated(self, talk: Talk, back: int) -> None:
        """One of the last requests comes again; nobody waits for its answer."""
        if back:
            talk.unsaid.append(f"the request before the last {back} came again")
        else:
            talk.note(Action("repeats"), hears=Expectation(same=True))
        self._door.again(talk.caller.call_id, back=back)

    @rule(talk=talks)
    def repeats(self, talk: Talk) -> None:
        """The line sends its last request again, and goes on from the answer."""
        if talk.listens:
            self.do(talk, Action("repeats"), hears=Expectation(same=True))

    @rule(talk=talks)
    def repeated_while_thinking(self, talk: Talk) -> None:
        """The request comes again while the model thinks about it."""
        if talk.listens:
            talk.unsaid.append("a request came again while the model thought; here it comes afterwards")
            self.provider.meanwhile = lambda: self._door.again(talk.caller.call_id)
            talk.repeats_next = True
            self.speak(talk, None)

    @rule(first=talks, second=talks)
    def speak_together(self, first: Talk, second: Talk) -> None:
        """One caller speaks while the model thinks about what another has said."""
        if first is not second and first.listens and second.listens:
            first.unsaid.append("another caller spoke while the model thought")
            self.provider.meanwhile = lambda: self.speak(second, None)
            self.speak(first, None)

    @precondition(lambda self: self.same_words)
    @rule(talk=talks, other=talks)
    def says_the_same(self, talk: Talk, other: Talk) -> None:
        """One caller says, word for word, what another has said before."""
        if talk.listens and other.said and other.said[-1] not in talk.said:
            talk.unsaid.append("the caller said what another one had said before")
            self.speak(talk, None, mark=other.said[-1])

    @rule(talk=consumes(talks), seconds=st.sampled_from([0.0, 1.0, 30.0]), target=past)
    def hangs_up_while_thinking(self, talk: Talk, seconds: float) -> Talk:
        """A caller hangs up while the model thinks."""
        if talk.listens:
            self.provider.meanwhile = talk.hangs_up
            self.speak(talk, Answer(("",), seconds), meanwhile=Meanwhile(None))
        talk.hangs_up()
        return talk

    @rule(talk=talks, times=st.sampled_from([1, 2, 10]))
    def keeps_silent(self, talk: Talk, times: int) -> None:
        """A caller says nothing, once or for good."""
        for _ in range(times):
            if talk.listens:
                self.do(talk, Action("silent"))
        if talk.listens and times >= self.silences > 0:
            why = f"was silent {times} times in a row, and is still asked"
            self.history.add(Circled(self.history.now(), call_name(talk.caller.call_id), why))

    @rule(talk=talks, seconds=st.sampled_from([10.0, 31.0, 120.0]))
    def pauses(self, talk: Talk, seconds: float) -> None:
        """A caller listens, or looks for something, before speaking."""
        del talk
        self.provider.clock.sleep(seconds)

    @precondition(lambda self: self.anew)
    @rule(talk=talks)
    def starts_anew(self, talk: Talk) -> None:
        """A caller wants the conversation to begin anew."""
        if talk.listens:
            self.history.add(Reset(self.history.now(), call_name(talk.caller.call_id)))
            self.do(talk, Action("presses", f"{self.anew}#"))

    @precondition(lambda self: self.store_fails)
    @rule(talk=talks, times=st.sampled_from([1, 2, 4]))
    def store_is_away(self, talk: Talk, times: int) -> None:
        """The store fails while somebody speaks."""
        if talk.listens:
            talk.unsaid.append("the store was away")
            self.store.fails(times)
            self.speak(talk, None)
            self.store.fails(0)

    @precondition(lambda self: self.restarts)
    @rule(talk=talks)
    def restarts_between(self, talk: Talk) -> None:
        """The worker is replaced, and somebody speaks."""
        self.restart()
        talk.unsaid.append("the worker was replaced")
        if talk.listens:
            self.speak(talk, None)

    @precondition(lambda self: self.restarts)
    @rule(talk=talks)
    def restarts_while_thinking(self, talk: Talk) -> None:
        """The worker is replaced while the model thinks: between the question and the line's first poll."""
        if talk.listens:
            talk.unsaid.append("the worker was replaced while the model thought")
            self._door.before = [int, self.restart]  # int: the question itself passes
            self.speak(talk, Answer(("",), 4.0))
            self._door.before.clear()

    @rule(talk=consumes(talks), target=past)
    def hangs_up(self, talk: Talk) -> Talk:
        """A caller hangs up."""
        talk.hangs_up()
        return talk

    @rule(talk=past)
    def late(self, talk: Talk) -> None:
        """A request comes when the caller is long gone."""
        talk.unsaid.append("a request came late")
        self._door.again(talk.caller.call_id, back=1)

    @invariant()
    def nothing_is_wrong(self) -> None:
        """Whatever has happened may have happened."""
        if len(self.history) > self._checked:
            self._checked = len(self.history)
            self.judge()

    def teardown(self) -> None:
        """Everybody hangs up; nothing may be left."""
        for talk in self._all:
            talk.hangs_up()
        self.judge()
