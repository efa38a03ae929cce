"""The calls of a state machine, and what they go through: the ground that its rules stand on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine

from yemot_ai import AIFlow, YemotAI
from yemot_ai.sessions import MemoryStore, SessionStore
from yemot_ai_testing.doubles.script import Answer, Step
from yemot_ai_testing.errors import EndlessLineError
from yemot_ai_testing.history.check import check
from yemot_ai_testing.history.correlation import FIRST
from yemot_ai_testing.history.events import Circled, Counted, Restarted, Said
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.recorders.app import RecordedApp, call_name
from yemot_ai_testing.history.recorders.store import RecordedStore
from yemot_ai_testing.history.violation import Budget
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.property.counterexample import Replay, ViolationError, keep
from yemot_ai_testing.property.echo_provider import STEPS, Echo
from yemot_ai_testing.property.machine_call import Talk
from yemot_ai_testing.scenario.format.model import Action, Expectation, Meanwhile

__all__ = ["Switchboard"]


class Switchboard(RuleBasedStateMachine):
    """Calls over one application, all that happens to them written down, and judged; what happens, rules say.

    Attributes:
        extension: where callers dial in.
        phones: who calls; "" for a number that is withheld. The first caller is the first of them.
        budget: how much time things may take.
        steps: what the model may do about a question.
        sentences: how many an answer has; with several the model streams (see ``StreamingMachine``).
        same_words: whether callers say, word for word, what another has said; not to an application that
            keeps answers for everybody.
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
    phones: ClassVar[Sequence[str]] = ("0501234567", "")
    budget: ClassVar[Budget] = Budget()
    steps: ClassVar[Sequence[Step | None]] = STEPS
    sentences: ClassVar[int] = 1
    same_words: ClassVar[bool] = True
    restarts: ClassVar[bool] = False
    store_fails: ClassVar[bool] = False
    anew: ClassVar[str] = "0"
    silences: ClassVar[int] = 10
    found: ClassVar[Path | str | None] = None
    app_name: ClassVar[str | None] = None

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

    def dial(self, phone: str) -> Talk:
        """Let somebody call."""
        number = len(self._all) + 1
        clock, call_id = self.provider.clock, f"{number:040x}"
        caller = Caller(
            self._door, phone=phone, extension=self.extension, clock=clock, strict=False, call_id=call_id
        )
        talk = Talk(caller)
        self._all.append(talk)
        self.go_on(talk, caller.dial)
        self.arrives(caller)
        return talk

    def speak(
        self, talk: Talk, step: Step | None, *, meanwhile: Meanwhile | None = None, mark: str = ""
    ) -> None:
        """Let a caller say something.

        Args:
            talk: whose call.
            step: what the model does about it; None: it answers at once.
            meanwhile: what the caller does while it thinks.
            mark: of what is said; "" for something new.
        """
        if not mark:
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
                folder, machine = Path(self.found), type(self).__name__
                replay = Replay(self.app_name, self.extension, hasattr(self.app, "ai"))
                raise keep(ViolationError(violations), folder, machine, self._all, replay)
            raise ViolationError(violations)
