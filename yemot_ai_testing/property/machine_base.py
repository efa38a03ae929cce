"""The base of the call machines: the application, its calls, their history; no rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from hypothesis.stateful import RuleBasedStateMachine

from yemot_ai import AIFlow, YemotAI
from yemot_ai.sessions import MemoryStore, SessionStore
from yemot_ai_testing.doubles.steps import Answer, Calls, Step
from yemot_ai_testing.errors import EndlessLineError
from yemot_ai_testing.history.check import check
from yemot_ai_testing.history.correlation import FIRST_UTTERANCE_ID
from yemot_ai_testing.history.events import (
    CallerSpoke,
    KeyPressed,
    LoopDetected,
    OpenCallsCounted,
    WorkerRestarted,
)
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.recorders.app import RecordedApp, call_name, record_request
from yemot_ai_testing.history.recorders.effects import RecordedEffects
from yemot_ai_testing.history.recorders.store import RecordedStore
from yemot_ai_testing.history.violation import Budget, ViolationKind
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.transports.transport import Method, Pairs
from yemot_ai_testing.property.callers_clock import CallersClock
from yemot_ai_testing.property.counterexample import ReplayTarget, ViolationError, attach_counterexample
from yemot_ai_testing.property.echo_provider import EchoProvider
from yemot_ai_testing.property.echo_tools import EchoTools
from yemot_ai_testing.property.engines.order import Order
from yemot_ai_testing.property.engines.ordered import OrderedEngine
from yemot_ai_testing.property.evening import Evening
from yemot_ai_testing.property.machine_call import MachineCall
from yemot_ai_testing.property.model_steps import MODEL_STEPS, calls_for
from yemot_ai_testing.scenario.format.model import CallerAction, Expectation, InterruptionSpec

__all__ = ["CallMachineBase"]

CUT_SECONDS: Final = 60.0
"""Seconds to wait for the end of a request that is to be cancelled."""


class CallMachineBase(RuleBasedStateMachine):
    """Calls over one application; records their history and checks it. Subclasses add the rules.

    Attributes:
        extension: the extension that callers dial.
        path: where a WSGI or ASGI application is called.
        phone_numbers: the callers' numbers; "", zeros and words are withheld ones. The first call is from the
            first one.
        methods: how the line may send its requests: GET, POST; one of them in each example.
        max_pause: seconds without a request for which the application must remember a call.
        longest_utterance: characters of a long utterance; 0 for none.
        budget: the time limits of the check.
        model_steps: the steps that a model call may get.
        sentences_per_answer: sentences of an answer; with more than one the model streams (see
            ``StreamingMachine``).
        tool_steps: messages in which the model calls tools, a sequence for one utterance each; in arguments
            ``{utterance}`` stands for its text. Empty for an application without tools; ``TOOL_STEPS`` calls
            those of ``self.tools``, which ``make_app`` has to give to its ``YemotAI`` or agent.
        repeats_utterances: whether a caller repeats an own utterance, or one of another call; set it to False
            for an application that keeps answers to equal questions.
        restarts_workers: whether workers are replaced; the application must keep its state in ``self.store``.
        store_fails: whether ``self.store`` fails from time to time.
        orders_tasks: whether the tasks of the application run in random orders; otherwise as they come.
        reset_key: the key that starts a new conversation; "" if there is none.
        menu_keys: keys that callers press where the line asks for a key: in a menu or a question between
            answers; "" is silence. None lets nobody answer such questions.
        confirmation_key: the key by which a caller confirms an utterance before the model is asked; "" if the
            application asks for none, or refuses what is confirmed at times.
        allows: kinds of violations that the application commits on purpose, such as ``altered`` for one that
            shortens or rewords answers; none by default.
        max_silences: silences in a row after which the application must have ended the call; 0 for no limit.
        counterexample_folder: the folder for counterexamples, written as scenarios; None writes none.
        replay_app: ``module:attr`` of a factory of the same application with an ``EchoProvider``, for the
            counterexamples.
        provider: the model of the application.
        history: the events so far.
        effects: records what the application does outside of its calls.
        tools: tools for the application, ``self.tools.all``; ``self.tools.record(function)`` adds an own one.
        crowd_to_come: how many short calls may still come while another one waits.
    """

    extension: ClassVar[str] = ""
    path: ClassVar[str] = "/"
    phone_numbers: ClassVar[Sequence[str]] = (
        "0501234567", "", "0501234568", "0521234567", "Anonymous", "0000000000", "private", "0"
    )  # fmt: skip
    methods: ClassVar[Sequence[Method]] = ("GET", "POST")
    budget: ClassVar[Budget] = Budget()
    model_steps: ClassVar[Sequence[Step | None]] = MODEL_STEPS
    sentences_per_answer: ClassVar[int] = 1
    tool_steps: ClassVar[Sequence[Sequence[Calls]]] = ()
    repeats_utterances: ClassVar[bool] = True
    restarts_workers: ClassVar[bool] = False
    store_fails: ClassVar[bool] = False
    orders_tasks: ClassVar[bool] = True
    reset_key: ClassVar[str] = "0"
    max_pause: ClassVar[float] = 300.0
    longest_utterance: ClassVar[int] = 1500
    menu_keys: ClassVar[Sequence[str]] = ("1", "2", "")
    confirmation_key: ClassVar[str] = ""
    allows: ClassVar[Collection[ViolationKind]] = ()
    max_silences: ClassVar[int] = 10
    counterexample_folder: ClassVar[Path | str | None] = None
    replay_app: ClassVar[str | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self._engine = OrderedEngine()
        self.provider = EchoProvider(
            engine=self._engine, history=self.history, sentences=self.sentences_per_answer
        )
        self.history.now = self.provider.clock.now
        self._clock = CallersClock(self.provider.clock)
        self.effects = RecordedEffects(self.history)
        self.tools = EchoTools(self._engine, self.history)
        self.store = RecordedStore(self.make_store(), self.history, hold_time=self.provider.engine.hold_time)
        self.app = self.make_app(self.provider)
        self._recorded_app = RecordedApp(
            self.app,
            self.history,
            clock=self.provider.clock,
            path=self.path,
            timeout=self.budget.request,
            wait_until_idle=self.provider.wait_until_idle,
        )
        self._calls: list[MachineCall] = []
        self._last_utterance_id = FIRST_UTTERANCE_ID - 1
        self._checked_length = 0
        self._order: Order | None = None
        self._evening = Evening()
        self.crowd_to_come = 0

    def make_app(self, provider: EchoProvider) -> object:
        """Return the application under test: any application that a ``Caller`` accepts.

        Args:
            provider: the model of the application.
        """
        tools = self.tools.all if self.tool_steps else ()
        flow = AIFlow(YemotAI(provider=provider, store=self.store, tools=tools))

        @flow.ai_agent(self.extension)
        def agent(call: object, text: str) -> None:
            """Leave the answer to the model."""

        return flow

    def make_store(self) -> SessionStore:
        """Return the store behind ``self.store``; it outlives the workers."""
        return MemoryStore(now=self.provider.engine.time)

    def reach_agent(self, caller: Caller) -> None:
        """Bring a caller who has dialled to the agent, for example through a menu; a no-op by default."""

    def count_open_calls(self) -> int | None:
        """Return the number of open calls of the application; None if it has no ``open_calls()``."""
        count: Callable[[], int] | None = getattr(getattr(self.app, "ai", self.app), "open_calls", None)
        return None if count is None else count()

    def use_order(self, order: Order | None) -> None:
        """Let the tasks of the application run in another order; before the first call.

        Args:
            order: the order; None runs them as they come.
        """
        self._order = order
        self._engine.use_order(order)

    def use_evening(self, evening: Evening) -> None:
        """Set what is special about the calls; before the first call."""
        self._evening = evening
        self._recorded_app.use_method(evening.method)
        self._recorded_app.time_offset = evening.time_offset
        self.crowd_to_come = evening.crowd

    def dial(self, phone: str) -> MachineCall:
        """Start a call."""
        call_id = self._evening.call_id(len(self._calls) + 1)
        caller = Caller(
            self._recorded_app,
            phone=phone,
            extension=self.extension,
            clock=self._clock,
            strict=False,
            call_id=call_id,
        )
        machine_call = MachineCall(caller, self._evening.method)
        machine_call.inexpressible += self._evening.peculiarities()
        self._calls.append(machine_call)
        self.run_verb(machine_call, caller.dial)
        self.reach_agent(caller)
        return machine_call

    def speak(  # noqa: PLR0913 - what a caller says, and what happens then
        self,
        machine_call: MachineCall,
        step: Step | None,
        *,
        interruption: InterruptionSpec | None = None,
        utterance_id: str = "",
        typed: bool = False,
        length: int = 0,
        calls: Sequence[Calls] = (),
    ) -> None:
        """Let a caller say an utterance.

        Args:
            machine_call: the call.
            step: the step of the model call; None answers at once.
            interruption: what the caller does before the answer is complete.
            utterance_id: the ID of the utterance; "" for a new one.
            typed: whether the utterance is pressed on the keys.
            length: its least number of characters.
            calls: the messages in which the model calls tools before ``step``.
        """
        if not utterance_id:
            self._last_utterance_id += 1
            utterance_id = str(self._last_utterance_id)
        calls = calls_for(utterance_id, calls)
        for scripted in (*calls, *([] if step is None else [step])):
            self.provider.add(scripted)
        call = call_name(machine_call.caller.call_id)
        self.history.add(CallerSpoke(self.history.now(), call, utterance_id, typed=typed))
        answer = Expectation(contains=(utterance_id,)) if step is None or isinstance(step, Answer) else None
        hears = None if interruption is not None or typed else answer
        machine_call.utterance_ids.append(utterance_id)
        asked = len(self.provider.requests)
        self.perform(
            machine_call,
            CallerAction("presses", f"{utterance_id}#")
            if typed
            else machine_call.speech_action(utterance_id, length=length),
            hears=hears,
            step=step,
            calls=calls,
            interruption=interruption,
        )
        if machine_call.awaits_key:
            machine_call.forget_expectation()
            prompts = [request.prompt for request in self.provider.requests[asked:]]
            if self.confirmation_key and not any(utterance_id in prompt for prompt in prompts):
                self.press_key(machine_call, self.confirmation_key, hears=hears)
        self.provider.clear_script()
        self.provider.on_thinking = None

    def press_key(self, machine_call: MachineCall, key: str, *, hears: Expectation | None = None) -> None:
        """Let a caller answer a question for a key.

        Args:
            machine_call: the call.
            key: the key; "" for silence.
            hears: what the caller must hear then.
        """
        call, confirms = call_name(machine_call.caller.call_id), key == self.confirmation_key != ""
        self.history.add(KeyPressed(self.history.now(), call, key, confirms))
        self.perform(machine_call, machine_call.keys_action(key), hears=hears)

    def perform(  # noqa: PLR0913 - all of a turn
        self,
        machine_call: MachineCall,
        action: CallerAction,
        *,
        hears: Expectation | None = None,
        step: Step | None = None,
        calls: Sequence[Calls] = (),
        interruption: InterruptionSpec | None = None,
    ) -> None:
        """Run an action of a caller and record it as a turn of a scenario."""
        machine_call.record_turn(action, hears=hears, step=step, calls=calls, interruption=interruption)
        if machine_call.repeats_next:
            machine_call.repeats_next = False
            machine_call.record_turn(CallerAction("repeats"), hears=Expectation(same=True))
        self.run_verb(machine_call, lambda: machine_call.perform(action))
        if key := machine_call.approval_key:
            machine_call.forget_expectation()
            self.perform(machine_call, CallerAction("presses", key), hears=hears)

    def run_verb(self, machine_call: MachineCall, verb: Callable[[], Any]) -> None:
        """Run a verb of a caller until the line waits for the caller again."""
        try:
            verb()
        except EndlessLineError as error:
            why = f"loops: {error.requests} requests, and the line does not wait for the caller"
            self.history.add(LoopDetected(self.history.now(), call_name(machine_call.caller.call_id), why))
            machine_call.has_ended = True
        self.provider.wait_until_idle()

    def send_and_cut(self, pairs: Pairs) -> None:
        """Send a request, and cancel it when the model is asked: its connection has broken."""
        record_request(self.history, pairs, is_repeat=True)
        self._engine.run(self._cut_while_thinking(pairs))

    async def _cut_while_thinking(self, pairs: Pairs) -> None:
        request = asyncio.ensure_future(self.app.ahandle_request(pairs))  # type: ignore[attr-defined]  # has it
        loop = asyncio.get_running_loop()
        self.provider.on_thinking = lambda: loop.call_soon_threadsafe(request.cancel)
        await asyncio.wait({request}, timeout=CUT_SECONDS)
        self.provider.on_thinking = None
        if request.done() and not request.cancelled():
            request.exception()  # the line does not see it

    def restart(self) -> None:
        """Replace the worker: its running work is lost, the store is kept."""
        self.provider.kill_worker()
        self.history.add(WorkerRestarted(self.history.now()))
        self.app = self.make_app(self.provider)
        self._recorded_app.replace_app(self.app)

    def check_history(self) -> None:
        """Check the history.

        Raises:
            ViolationError: the history has violations.
        """
        # Calls before sessions: a call that ends now in another thread is then counted in both or neither.
        calls = sum(not machine_call.hangup_was_sent for machine_call in self._calls)
        sessions = self.count_open_calls()
        if sessions is not None:
            self.history.add(OpenCallsCounted(self.history.now(), sessions, calls))
            self._checked_length = len(self.history)
        violations = [one for one in check(self.history, self.budget) if one.kind not in self.allows]
        if violations:
            if self.counterexample_folder is not None:
                folder, machine = Path(self.counterexample_folder), type(self).__name__
                order = None if self._order is None else str(self._order)
                replay = ReplayTarget(self.replay_app, self.extension, hasattr(self.app, "ai"), order)
                raise attach_counterexample(ViolationError(violations), folder, machine, self._calls, replay)
            raise ViolationError(violations)
