"""A state machine of many calls over one application.

Hypothesis lets callers dial, speak, press, keep silent and hang up; requests come again, late and while
the model thinks; the model and the store fail; workers are replaced. Everything is written down, and after
each step the checker of ``yemot_ai_testing.history`` looks whether it may have happened. A failure is
shrunk to the shortest such evening, and told as a story::

    class MyLine(CallMachine):
        def make_app(self, provider):
            return my_app(provider)

    TestMyLine = MyLine.TestCase

Nothing waits for anything by sleeping: what happens at the same time is started from inside the other, and
time is virtual. So the same seed is the same evening.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
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
from yemot_ai_testing.doubles.script import Answer, Crash, Drop, Failure, Hang, Step, UnknownSession
from yemot_ai_testing.errors import EndlessLineError
from yemot_ai_testing.history.app import RecordedApp, call_name
from yemot_ai_testing.history.check import check
from yemot_ai_testing.history.events import Circled, Counted, Reset, Restarted, Said
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.marks import FIRST
from yemot_ai_testing.history.store import RecordedStore
from yemot_ai_testing.history.violation import Budget, Violation
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.property.echo import Echo
from yemot_ai_testing.property.talk import Talk

__all__ = ["CallMachine", "ViolationError"]

STEPS: Sequence[Step | None] = (
    None,
    Answer(("",), 1.0),
    Answer(("",), 4.0),
    Answer(("",), 9.0),
    Failure("overloaded"),
    Failure("rate_limited"),
    Drop(),
    Crash(),
    UnknownSession(),
    Hang(),
)
"""What the model does about a question; None: it answers at once."""


class ViolationError(AssertionError):
    """An evening of calls went as it may not go.

    Attributes:
        violations: what was wrong, in the order in which it happened.
    """

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__(f"{violations[0]}")


class CallMachine(RuleBasedStateMachine):
    """Many calls over one application; override ``make_app``, and what else differs.

    Attributes:
        extension: where callers dial in.
        budget: how much time things may take.
        steps: what the model may do about a question.
        restarts: whether workers are replaced, which an application survives whose memory is ``self.store``.
        store_fails: whether ``self.store`` is away now and then.
        anew: the key that begins the conversation anew; "" where there is none.
        silences: after how many silences in a row the application must have ended the call; 0 for never.
        provider: the model that answers.
        history: everything that has happened.
    """

    extension: ClassVar[str] = ""
    budget: ClassVar[Budget] = Budget()
    steps: ClassVar[Sequence[Step | None]] = STEPS
    restarts: ClassVar[bool] = False
    store_fails: ClassVar[bool] = False
    anew: ClassVar[str] = "0"
    silences: ClassVar[int] = 10

    talks = Bundle("talks")
    past = Bundle("past")

    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self.provider = Echo(history=self.history)
        self.history.now = self.provider.clock.now
        self.store = RecordedStore(self.make_store(), self.history, still=self.provider.engine.standing_still)
        self.app = self.make_app(self.provider)
        self._door = RecordedApp(
            self.app, self.history, clock=self.provider.clock, timeout=self.budget.request
        )
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

    @rule(talk=talks, data=st.data())
    def speaks(self, talk: Talk, data: st.DataObject) -> None:
        """One caller says something; the model does as it likes."""
        if talk.listens:
            self.speak(talk, data.draw(st.sampled_from(self.steps)))

    @rule(talk=talks, back=st.integers(0, 2))
    def repeated(self, talk: Talk, back: int) -> None:
        """One of the last requests comes again; nobody waits for its answer."""
        self._door.again(talk.caller.call_id, back=back)

    @rule(talk=talks)
    def repeats(self, talk: Talk) -> None:
        """The line sends its last request again, and goes on from the answer."""
        if talk.listens:
            self.go_on(talk, talk.caller.repeats)

    @rule(talk=talks)
    def repeated_while_thinking(self, talk: Talk) -> None:
        """The request comes again while the model thinks about it."""
        if talk.listens:
            self.provider.meanwhile = lambda: self._door.again(talk.caller.call_id)
            self.speak(talk, None)

    @rule(first=talks, second=talks)
    def speak_together(self, first: Talk, second: Talk) -> None:
        """One caller speaks while the model thinks about what another has said."""
        if first is not second and first.listens and second.listens:
            self.provider.meanwhile = lambda: self.speak(second, None)
            self.speak(first, None)

    @rule(talk=consumes(talks), seconds=st.sampled_from([0.0, 1.0, 30.0]), target=past)
    def hangs_up_while_thinking(self, talk: Talk, seconds: float) -> Talk:
        """A caller hangs up while the model thinks."""
        if talk.listens:
            self.provider.meanwhile = talk.hangs_up
            self.speak(talk, Answer(("",), seconds))
        self.leave(talk)
        return talk

    @rule(talk=talks, times=st.sampled_from([1, 2, 10]))
    def keeps_silent(self, talk: Talk, times: int) -> None:
        """A caller says nothing, once or for good."""
        for _ in range(times):
            if talk.listens:
                self.go_on(talk, talk.caller.silent)
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
            self.go_on(talk, lambda: talk.caller.presses(f"{self.anew}#"))

    @precondition(lambda self: self.store_fails)
    @rule(talk=talks, times=st.integers(1, 4))
    def store_is_away(self, talk: Talk, times: int) -> None:
        """The store fails while somebody speaks."""
        if talk.listens:
            self.store.fails(times)
            self.speak(talk, None)
            self.store.fails(0)

    @precondition(lambda self: self.restarts)
    @rule(talk=talks)
    def restarts_between(self, talk: Talk) -> None:
        """The worker is replaced, and somebody speaks."""
        self.restart()
        if talk.listens:
            self.speak(talk, None)

    @rule(talk=consumes(talks), target=past)
    def hangs_up(self, talk: Talk) -> Talk:
        """A caller hangs up."""
        self.leave(talk)
        return talk

    @rule(talk=past)
    def late(self, talk: Talk) -> None:
        """A request comes when the caller is long gone."""
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
            self.leave(talk)
        self.judge()

    def dial(self) -> Talk:
        """Let somebody call."""
        number = len(self._all) + 1
        caller = Caller(
            self._door,
            extension=self.extension,
            clock=self.provider.clock,
            strict=False,
            call_id=f"{number:040x}",
        )
        talk = Talk(caller)
        self._all.append(talk)
        self.go_on(talk, caller.dial)
        self.arrives(caller)
        return talk

    def speak(self, talk: Talk, step: Step | None) -> None:
        """Let a caller say something new.

        Args:
            talk: whose call.
            step: what the model does about it; None: it answers at once.
        """
        self._mark += 1
        mark = str(self._mark)
        if step is not None:
            self.provider.add(step)
        self.history.add(Said(self.history.now(), call_name(talk.caller.call_id), mark))
        self.go_on(talk, lambda: talk.speaks(mark))
        self.provider.forgets_script()
        self.provider.meanwhile = None

    def go_on(self, talk: Talk, verb: Callable[[], Any]) -> None:
        """Let a caller do something, until the line waits again."""
        try:
            verb()
        except EndlessLineError as error:
            why = f"goes round: {error.requests} requests, and the line does not wait for the caller"
            self.history.add(Circled(self.history.now(), call_name(talk.caller.call_id), why))
            talk.gone = True
        self.provider.settles()

    def leave(self, talk: Talk) -> None:
        """Let a caller hang up, who may have done so before."""
        if not talk.gone:
            talk.hangs_up()

    def restart(self) -> None:
        """Replace the worker: what it was doing is lost, what is stored is not."""
        self.provider.engine.run(_cancel_all())
        self.history.add(Restarted(self.history.now()))
        self.app = self.make_app(self.provider)
        self._door.serve(self.app)

    def judge(self) -> None:
        """Look at all that has happened.

        Raises:
            ViolationError: it may not have happened.
        """
        sessions = self.sessions_open()
        if sessions is not None:
            calls = sum(not talk.told for talk in self._all)
            self.history.add(Counted(self.history.now(), sessions, calls))
            self._checked = len(self.history)
        violations = check(self.history, self.budget)
        if violations:
            raise ViolationError(violations)


async def _cancel_all() -> None:
    """Cancel whatever else runs on this loop, and wait until it is gone."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others)
