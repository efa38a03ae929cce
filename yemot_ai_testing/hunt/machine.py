"""The machines of a search: those of ``property`` over a loaded application, from a start point."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from yemot_ai_testing.doubles.steps import Answer, Hang, Step
from yemot_ai_testing.errors import WrongVerbError
from yemot_ai_testing.history import VIOLATION_KINDS, Budget, Violation, ViolationKind
from yemot_ai_testing.hunt import replay
from yemot_ai_testing.hunt.app_loader import AppLoader, LoadedApp
from yemot_ai_testing.hunt.replacement import ReplacedStores
from yemot_ai_testing.hunt.replay import POST, STREAMED, WHOLE, replay_name
from yemot_ai_testing.hunt.search import Found, Search
from yemot_ai_testing.hunt.start_points import StartPoint, place_of
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.transports.transport import Method
from yemot_ai_testing.property import CallMachine, EchoProvider, MachineCall, StreamingMachine, ViolationError
from yemot_ai_testing.property.counterexample import ReplayTarget
from yemot_ai_testing.scenario.format.model import CallerAction, Expectation

__all__ = ["KINDS_WITHOUT_MODEL", "HuntedCalls", "Judgement", "make_machine"]

KINDS_WITHOUT_MODEL: frozenset[ViolationKind] = frozenset(
    {"broken", "crossed_calls", "endless", "invalid", "late", "unstable"}
)
"""The kinds that can be judged although nobody knows what the model was asked and has answered."""

LONGEST_HELD: float = 5.0
"""Seconds for which the model may run if the application holds a request meanwhile."""

LONGEST_BLOCKED: float = 60.0
"""Seconds for which an application may hold the model after the hang-up if it blocks while it asks."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What counts as a violation, and what happens in the calls.

    Attributes:
        kinds: the kinds that count.
        phones: the numbers of the callers.
        methods: how the line sends its requests; one of them in each example.
        retries: how often the model must be asked again before an apology.
        faults: whether models and stores fail and workers are replaced.
        blocks: whether the application holds a request while the model runs.
        reset_key: the key that starts a new conversation; None for the agent's own.
    """

    kinds: Collection[ViolationKind] = VIOLATION_KINDS
    phones: Sequence[str] = CallMachine.phone_numbers
    methods: Sequence[Method] = CallMachine.methods
    retries: int = 0
    faults: bool = True
    blocks: bool = False
    reset_key: str | None = None

    def kinds_at(self, start: StartPoint) -> Collection[ViolationKind]:
        """Return the kinds that count from a start point."""
        if not start.asks_model:
            return KINDS_WITHOUT_MODEL & {*self.kinds}
        return {*self.kinds} - ({"asked_unsaid"} if start.asks_unsaid else set())

    def budget(self) -> Budget:
        """Return the time limits."""
        return Budget(retries=self.retries, hangup=LONGEST_BLOCKED if self.blocks else 0.0)

    def model_steps(self, steps: Sequence[Step | None]) -> Sequence[Step | None]:
        """Return those of the steps that the model may do."""
        return tuple(step for step in steps if step is None or self._may_happen(step))

    def _may_happen(self, step: Step) -> bool:
        if not isinstance(step, Answer):
            return self.faults and not (self.blocks and isinstance(step, Hang))
        return not self.blocks or (step.after <= LONGEST_HELD and not step.every)


class HuntedCalls(CallMachine):
    """Calls over an application that is loaded for each example."""

    loader: ClassVar[AppLoader]
    search: ClassVar[Search]
    start: ClassVar[StartPoint]
    kinds: ClassVar[Collection[ViolationKind]]

    def __init__(self) -> None:
        self.search.begin_example()
        self._stores: ReplacedStores | None = None
        self._loaded = LoadedApp(None)
        self._elsewhere: set[str] = set()
        super().__init__()

    def make_app(self, provider: EchoProvider) -> object:
        """Return the application, as in a new process."""
        if self._stores is None:
            recorded = [self.store]
            self._stores = ReplacedStores(lambda: recorded.pop() if recorded else self.make_store())
        self._loaded = self.loader.load(provider, self._stores)
        return self._loaded.app

    def reach_agent(self, caller: Caller) -> None:
        """Follow the path to the agent; its steps are turns of the scenario."""
        machine_call = next(one for one in self._calls if one.caller is caller)
        for action in self.start.path:
            if caller.question is not None:  # an application may answer this caller otherwise
                self.perform(machine_call, action)

    def speak(self, machine_call: MachineCall, step: Step | None, **options: Any) -> None:  # noqa: ANN401 - as the base
        """Let a caller speak, and note an utterance at a question whose answers the model need not get."""
        place = place_of(machine_call.caller)
        super().speak(machine_call, step, **options)
        if place != self.start.listens_at:
            self._elsewhere.add(machine_call.utterance_ids[-1])

    def perform(self, machine_call: MachineCall, action: CallerAction, **options: Any) -> None:  # noqa: ANN401 - as the base
        """Run an action of a caller, unless the line does not take it now."""
        if not self.start.asks_model:  # a scenario can neither expect the model's answers nor script them
            same = options.get("hears") == Expectation(same=True)
            options |= {"hears": options.get("hears") if same else None, "step": None, "calls": ()}
        try:
            super().perform(machine_call, action, **options)
        except WrongVerbError:
            machine_call.turns.pop()

    def count_open_calls(self) -> int | None:
        """Return the number of open calls of the application."""
        return self._loaded.open_calls()

    def check_history(self) -> None:
        """Check the history, and report what is found."""
        self.search.check_time()
        try:
            super().check_history()
        except ViolationError as error:
            counted = [one for one in error.violations if self._counts(one)]
            if not counted:
                return
            order = None if self._order is None else str(self._order)
            target = ReplayTarget(
                _replay_app(
                    self.loader.target, counted[0].kind, self._evening.method, streamed=self.provider.streams
                ),
                self.start.extension,
                self.start.asks_model,
                order,
            )
            self.search.note_found(Found(counted[0], tuple(self._calls), target))
            raise ViolationError(counted) from error

    def _counts(self, violation: Violation) -> bool:
        if violation.kind == "ignored" and violation.utterance in self._elsewhere:
            return False
        return violation.kind in self.kinds and self.search.counts_kind(violation.kind)

    def teardown(self) -> None:
        """Hang up all calls, and count them."""
        self.search.end_example(len(self._calls))
        super().teardown()


def make_machine(
    loader: AppLoader, start: StartPoint, judgement: Judgement, search: Search, *, streams: bool
) -> type[CallMachine]:
    """Return a machine.

    Args:
        loader: loads the application.
        start: where the calls begin.
        judgement: what counts, and what happens.
        search: the machine reports to it.
        streams: whether the model writes its answers sentence by sentence.
    """
    base = StreamingMachine if streams else CallMachine
    attributes = {
        "loader": loader,
        "search": search,
        "start": start,
        "kinds": judgement.kinds_at(start),
        "extension": start.extension,
        "path": loader.path,
        "phone_numbers": judgement.phones,
        "methods": judgement.methods,
        "budget": judgement.budget(),
        "model_steps": judgement.model_steps(base.model_steps),
        "max_silences": start.max_silences,
        "confirmation_key": start.confirmation_key,
        "reset_key": start.reset_key if judgement.reset_key is None else judgement.reset_key,
        "restarts_workers": start.survives_workers and judgement.faults,
        "store_fails": start.survives_workers and judgement.faults,
    }
    bases = (HuntedCalls, StreamingMachine) if streams else (HuntedCalls,)
    return type("HuntedStreams" if streams else "HuntedCalls", bases, attributes)


def _replay_app(target: str, kind: ViolationKind, method: Method, *, streamed: bool) -> str:
    """Return the ``app:`` of a scenario; see ``yemot_ai_testing.hunt.replay``."""
    name, answers = replay_name(target), STREAMED if streamed else WHOLE
    return ".".join([f"{replay.__name__}:{name}", *([POST] if method == POST else []), answers, kind])
