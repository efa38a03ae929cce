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

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from yemot_ai import AIFlow, YemotAI
from yemot_ai.sessions import MemoryStore, SessionStore
from yemot_ai_testing.doubles.script import Answer, Step
from yemot_ai_testing.errors import EndlessLineError
from yemot_ai_testing.history.app import RecordedApp, call_name
from yemot_ai_testing.history.check import check
from yemot_ai_testing.history.events import Circled, Counted, Reset, Restarted, Said
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.marks import FIRST
from yemot_ai_testing.history.store import RecordedStore
from yemot_ai_testing.history.violation import Budget
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.property.echo import STEPS, Echo
from yemot_ai_testing.property.found import Replay, ViolationError, keep
from yemot_ai_testing.property.talk import Talk
from yemot_ai_testing.scenario.model import Action, Expectation, Meanwhile

__all__ = ["CallMachine", "ViolationError"]


class CallMachine(RuleBasedStateMachine):
    """Many calls over one application; override ``make_app``, and what else differs.

    Attributes:
        extension: where callers dial in.
        budget: how much time things may take.
        steps: what the model may do about a question.
        sentences: how many an answer has; with several the model streams (see ``StreamingMachine``).
        restarts: whether workers are replaced, which an application survives whose memory is ``self.store``.
        store_fails: whether ``self.store`` is away now and then.
        anew: the key that begins the conversation anew; "" where there is none.
        silences: after how many silences in a row the application must have ended the call; 0 for never.
        found: a folder; what is found is written there as a scenario, the shortest last.
        app_name: ``module:attr`` of a factory of the same application with an ``Echo`` behind it, which
            such a scenario then calls.
        provider: the model that answers.
        history: everything that has happened.
    """

    extension: ClassVar[str] = ""
    budget: ClassVar[Budget] = Budget()
    steps: ClassVar[Sequence[Step | None]] = STEPS
    sentences: ClassVar[int] = 1
    restarts: ClassVar[bool] = False
    store_fails: ClassVar[bool] = False
    anew: ClassVar[str] = "0"
    silences: ClassVar[int] = 10
    found: ClassVar[Path | None] = None
    app_name: ClassVar[str | None] = None

    talks = Bundle("talks")
    past = Bundle("past")

    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self.provider = Echo(history=self.history, sentences=self.sentences)
        self.history.now = self.provider.clock.now
        self.store = RecordedStore(self.make_store(), self.history, still=self.provider.engine.standing_still)
        self.app = self.make_app(self.provider)
        clock, settles, seconds = self.provider.clock, self.provider.settles, self.budget.request
        self._door = RecordedApp(self.app, self.history, clock=clock, timeout=seconds, settles=settles)
        self._all: list[Talk] = []
        self._mark = FIRST - 1
        self._checked = 0

    def make_app(self, provider: Echo) -> object:
        """Make the application under trial: anything that a ``Caller`` can call.

        Args:
            provider: who answers what callers say.
        """
        flow = AIFlow(YemotAI(provider=provider, store=self.store))

        @flow.ai_agent(self.extension)
        def agent(call: object, text: str) -> None:
            """Let the AI answer."""

        return flow

    def make_store(self) -> SessionStore:
        """Make the store that outlives the workers, should the application use ``self.store``."""
        return MemoryStore(now=self.provider.engine.time)

    def arrives(self, caller: Caller) -> None:
        """Bring a caller who has dialled to the agent; there is nothing to do unless a menu comes first."""

    def sessions_open(self) -> int | None:
        """Count the calls that the application holds for open; None where nobody can tell."""
        teller = getattr(self.app, "ai", self.app)
        return getattr(teller, "sessions_open", None)

    @initialize(target=talks)
    def first(self) -> Talk:
        """Begin with one caller."""
        return self.dial()

    @rule(target=talks)
    def dials(self) -> Talk:
        """Somebody calls."""
        return self.dial()

    @rule(talk=talks)
    def asks(self, talk: Talk) -> None:
        """One caller says something; the model answers at once."""
        # The first rule by name, and without choices: what is shrunk becomes this.
        if talk.listens:
            self.speak(talk, None)

    @rule(talk=talks, data=st.data())
    def speaks(self, talk: Talk, data: st.DataObject) -> None:
        """One caller says something; the model does as it likes."""
        if talk.listens:
            self.speak(talk, data.draw(st.sampled_from(self.steps)))

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

    def dial(self) -> Talk:
        """Let somebody call."""
        number = len(self._all) + 1
        clock, call_id = self.provider.clock, f"{number:040x}"
        caller = Caller(self._door, extension=self.extension, clock=clock, strict=False, call_id=call_id)
        talk = Talk(caller)
        self._all.append(talk)
        self.go_on(talk, caller.dial)
        self.arrives(caller)
        return talk

    def speak(self, talk: Talk, step: Step | None, *, meanwhile: Meanwhile | None = None) -> None:
        """Let a caller say something new.

        Args:
            talk: whose call.
            step: what the model does about it; None: it answers at once.
            meanwhile: what the caller does while it thinks.
        """
        self._mark += 1
        mark = str(self._mark)
        if step is not None:
            self.provider.add(step)
        self.history.add(Said(self.history.now(), call_name(talk.caller.call_id), mark))
        heard = Expectation(contains=(mark,)) if step is None or isinstance(step, Answer) else None
        hears = None if meanwhile is not None else heard
        talk.said.append(mark)
        self.do(talk, talk.saying(mark), hears=hears, step=step, meanwhile=meanwhile)
        self.provider.forgets_script()
        self.provider.meanwhile = None

    def do(
        self,
        talk: Talk,
        action: Action,
        *,
        hears: Expectation | None = None,
        step: Step | None = None,
        meanwhile: Meanwhile | None = None,
    ) -> None:
        """Let a caller do something, and write it down as a scenario would."""
        talk.note(action, hears=hears, step=step, meanwhile=meanwhile)
        if talk.repeats_next:
            talk.repeats_next = False
            talk.note(Action("repeats"), hears=Expectation(same=True))
        self.go_on(talk, lambda: talk.does(action))

    def go_on(self, talk: Talk, verb: Callable[[], Any]) -> None:
        """Let a caller do something, until the line waits again."""
        try:
            verb()
        except EndlessLineError as error:
            why = f"goes round: {error.requests} requests, and the line does not wait for the caller"
            self.history.add(Circled(self.history.now(), call_name(talk.caller.call_id), why))
            talk.gone = True
        self.provider.settles()

    def restart(self) -> None:
        """Replace the worker: what it was doing is lost, what is stored is not."""
        self.provider.dies()
        self.history.add(Restarted(self.history.now()))
        self.app = self.make_app(self.provider)
        self._door.serve(self.app)

    def judge(self) -> None:
        """Look at all that has happened.

        Raises:
            ViolationError: it may not have happened.
        """
        # The calls first: one that ends in this moment, in another thread, is then missed by neither.
        calls = sum(not talk.told for talk in self._all)
        sessions = self.sessions_open()
        if sessions is not None:
            self.history.add(Counted(self.history.now(), sessions, calls))
            self._checked = len(self.history)
        violations = check(self.history, self.budget)
        if violations:
            if self.found is not None:
                replay = Replay(self.app_name, self.extension, hasattr(self.app, "ai"))
                raise keep(ViolationError(violations), self.found, type(self).__name__, self._all, replay)
            raise ViolationError(violations)
