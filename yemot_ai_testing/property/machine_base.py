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
from yemot_ai_testing.history.correlation import FIRST_UTTERANCE_ID
from yemot_ai_testing.history.events import CallerSpoke, LoopDetected, OpenCallsCounted, WorkerRestarted
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.recorders.app import RecordedApp, call_name
from yemot_ai_testing.history.recorders.store import RecordedStore
from yemot_ai_testing.history.violation import Budget
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.property.counterexample import ReplayTarget, ViolationError, attach_counterexample
from yemot_ai_testing.property.echo_provider import MODEL_STEPS, EchoProvider
from yemot_ai_testing.property.machine_call import MachineCall
from yemot_ai_testing.scenario.format.model import CallerAction, Expectation, InterruptionSpec

__all__ = ["CallMachineBase"]


class CallMachineBase(RuleBasedStateMachine):
    """Calls over one application, all that happens to them written down, and judged; what happens, rules say.

    Attributes:
        extension: where callers dial in.
        phone_numbers: who calls; "" for a number that is withheld. The first caller is the first of them.
        budget: how much time things may take.
        model_steps: what the model may do about a question.
        sentences_per_answer: how many an answer has; with several the model streams (see ``StreamingMachine``).
        repeats_utterances: whether callers say, word for word, what another has said; not to an application that
            keeps answers for everybody.
        restarts_workers: whether workers are replaced, which an application survives whose memory is ``self.store``.
        store_fails: whether ``self.store`` is away now and then.
        reset_key: the key that begins the conversation anew; "" where there is none.
        max_silences: after how many silences in a row the application must have ended the call; 0 for never.
        counterexample_folder: a folder; what is found is written there as a scenario, the shortest last.
        replay_app: ``module:attr`` of a factory of the same application with an ``Echo`` behind it, which
            such a scenario then calls.
        provider: the model that answers.
        history: everything that has happened.
    """

    extension: ClassVar[str] = ""
    phone_numbers: ClassVar[Sequence[str]] = ("0501234567", "")
    budget: ClassVar[Budget] = Budget()
    model_steps: ClassVar[Sequence[Step | None]] = MODEL_STEPS
    sentences_per_answer: ClassVar[int] = 1
    repeats_utterances: ClassVar[bool] = True
    restarts_workers: ClassVar[bool] = False
    store_fails: ClassVar[bool] = False
    reset_key: ClassVar[str] = "0"
    max_silences: ClassVar[int] = 10
    counterexample_folder: ClassVar[Path | str | None] = None
    replay_app: ClassVar[str | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self.provider = EchoProvider(history=self.history, sentences=self.sentences_per_answer)
        self.history.now = self.provider.clock.now
        self.store = RecordedStore(self.make_store(), self.history, hold_time=self.provider.engine.hold_time)
        self.app = self.make_app(self.provider)
        clock, settles, seconds = self.provider.clock, self.provider.wait_until_idle, self.budget.request
        self._recorded_app = RecordedApp(
            self.app, self.history, clock=clock, timeout=seconds, wait_until_idle=settles
        )
        self._calls: list[MachineCall] = []
        self._last_utterance_id = FIRST_UTTERANCE_ID - 1
        self._checked_length = 0

    def make_app(self, provider: EchoProvider) -> object:
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

    def reach_agent(self, caller: Caller) -> None:
        """Bring a caller who has dialled to the agent; there is nothing to do unless a menu comes first."""

    def count_open_calls(self) -> int | None:
        """Count the calls that the application holds for open; None where nobody can tell."""
        count: Callable[[], int] | None = getattr(getattr(self.app, "ai", self.app), "open_calls", None)
        return None if count is None else count()

    def dial(self, phone: str) -> MachineCall:
        """Let somebody call."""
        number = len(self._calls) + 1
        clock, call_id = self.provider.clock, f"{number:040x}"
        caller = Caller(
            self._recorded_app,
            phone=phone,
            extension=self.extension,
            clock=clock,
            strict=False,
            call_id=call_id,
        )
        talk = MachineCall(caller)
        self._calls.append(talk)
        self.run_verb(talk, caller.dial)
        self.reach_agent(caller)
        return talk

    def speak(
        self,
        talk: MachineCall,
        step: Step | None,
        *,
        interruption: InterruptionSpec | None = None,
        utterance_id: str = "",
    ) -> None:
        """Let a caller say something.

        Args:
            talk: whose call.
            step: what the model does about it; None: it answers at once.
            interruption: what the caller does while it thinks.
            utterance_id: of what is said; "" for something new.
        """
        if not utterance_id:
            self._last_utterance_id += 1
            utterance_id = str(self._last_utterance_id)
        if step is not None:
            self.provider.add(step)
        self.history.add(CallerSpoke(self.history.now(), call_name(talk.caller.call_id), utterance_id))
        heard = Expectation(contains=(utterance_id,)) if step is None or isinstance(step, Answer) else None
        hears = None if interruption is not None else heard
        talk.utterance_ids.append(utterance_id)
        self.perform(
            talk, talk.speech_action(utterance_id), hears=hears, step=step, interruption=interruption
        )
        self.provider.clear_script()
        self.provider.on_thinking = None

    def perform(
        self,
        talk: MachineCall,
        action: CallerAction,
        *,
        hears: Expectation | None = None,
        step: Step | None = None,
        interruption: InterruptionSpec | None = None,
    ) -> None:
        """Let a caller do something, and write it down as a scenario would."""
        talk.record_turn(action, hears=hears, step=step, interruption=interruption)
        if talk.repeats_next:
            talk.repeats_next = False
            talk.record_turn(CallerAction("repeats"), hears=Expectation(same=True))
        self.run_verb(talk, lambda: talk.perform(action))

    def run_verb(self, talk: MachineCall, verb: Callable[[], Any]) -> None:
        """Let a caller do something, until the line waits again."""
        try:
            verb()
        except EndlessLineError as error:
            why = f"goes round: {error.requests} requests, and the line does not wait for the caller"
            self.history.add(LoopDetected(self.history.now(), call_name(talk.caller.call_id), why))
            talk.has_ended = True
        self.provider.wait_until_idle()

    def restart(self) -> None:
        """Replace the worker: what it was doing is lost, what is stored is not."""
        self.provider.kill_worker()
        self.history.add(WorkerRestarted(self.history.now()))
        self.app = self.make_app(self.provider)
        self._recorded_app.replace_app(self.app)

    def check_history(self) -> None:
        """Look at all that has happened.

        Raises:
            ViolationError: it may not have happened.
        """
        # The calls first: one that ends in this moment, in another thread, is then missed by neither.
        calls = sum(not talk.hangup_was_sent for talk in self._calls)
        sessions = self.count_open_calls()
        if sessions is not None:
            self.history.add(OpenCallsCounted(self.history.now(), sessions, calls))
            self._checked_length = len(self.history)
        violations = check(self.history, self.budget)
        if violations:
            if self.counterexample_folder is not None:
                folder, machine = Path(self.counterexample_folder), type(self).__name__
                replay = ReplayTarget(self.replay_app, self.extension, hasattr(self.app, "ai"))
                raise attach_counterexample(ViolationError(violations), folder, machine, self._calls, replay)
            raise ViolationError(violations)
