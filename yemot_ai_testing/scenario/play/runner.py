"""Play a scenario: a ``Caller`` does the verbs of its turns, the double the steps of ``agent:``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from yemot_ai_testing.doubles.script import FakeOnlyError
from yemot_ai_testing.errors import EndlessLineError, WrongVerbError
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.exchange import LineExchange
from yemot_ai_testing.line.transcript import CallerActed, Sound, SystemSound
from yemot_ai_testing.scenario.format.model import CallerAction, Expectation, Scenario, ScenarioTurn
from yemot_ai_testing.scenario.play.checks import ObservedTurn, expectation_mismatches, protocol_mismatches
from yemot_ai_testing.scenario.play.leftovers import LeftoverCounts, ModelDouble, model_call_count
from yemot_ai_testing.scenario.play.result import (
    Mismatch,
    MismatchKind,
    PlayedTurn,
    ScenarioFailure,
    ScenarioResult,
    TurnStatus,
)

__all__ = ["PlayTarget", "play_scenario"]


@dataclass(frozen=True, slots=True)
class PlayTarget:
    """What a scenario is played against.

    Attributes:
        app: an application or URL that a ``Caller`` accepts.
        double: the model's double; None if the model is not scripted.
        remote: whether a URL may point to another machine.
        grace: seconds that sessions and processes may take to end after a call.
        output: returns the server's output since the target was opened; None without a server.
    """

    app: object
    double: ModelDouble | None = None
    remote: bool = False
    grace: float = 5.0
    output: Callable[[], str] | None = None


def play_scenario(
    scenario: Scenario, target: PlayTarget, *, continue_after: frozenset[MismatchKind] = frozenset()
) -> ScenarioResult:
    """Play ``scenario`` and return its result; failures are returned, not raised.

    Args:
        scenario: the call.
        target: what it is played against.
        continue_after: kinds of failure after which the call continues, so that all of them are found; of
            several failures the first of another kind is reported.
    """
    return _ScenarioRun(scenario, target, continue_after).run()


class _TurnFailed(Exception):  # noqa: N818 - control flow inside this module
    """A turn has failed."""

    def __init__(
        self, result: PlayedTurn, mismatches: list[Mismatch], cause: BaseException | None = None
    ) -> None:
        self.result = result
        self.mismatches = mismatches
        self.cause = cause


@dataclass(slots=True)
class _ScenarioRun:
    scenario: Scenario
    target: PlayTarget
    continue_after: frozenset[MismatchKind]
    results: list[PlayedTurn] = field(default_factory=list)
    failure: ScenarioFailure | None = None

    def run(self) -> ScenarioResult:
        spec = self.scenario.caller
        caller = Caller(
            self.target.app,
            spec.phone,
            spec.extension,
            spec.method,
            strict=False,
            remote=self.target.remote,
        )
        leftovers = LeftoverCounts(self.target.app, self.target.double, grace=self.target.grace)
        try:
            self._run_turns(caller, leftovers)
        except FakeOnlyError as error:
            return self._result(caller, leftovers, fake_only=str(error))
        finally:
            self._hang_up(caller)
            leftovers.end_turn()
        self._check_script()
        self._check_afterwards(leftovers)
        return self._result(caller, leftovers)

    def _run_turns(self, caller: Caller, leftovers: LeftoverCounts) -> None:
        for number, turn in enumerate(self.scenario.turns, start=1):
            event_count, exchange_count = len(caller.transcript), len(caller.exchanges)
            try:
                result = _TurnRun(turn, caller, self.target.double).run(dials=number == 1)
                self.results.append(_with_events(result, caller, event_count, exchange_count))
            except _TurnFailed as failed:
                self.results.append(_with_events(failed.result, caller, event_count, exchange_count))
                self._fail(failed.mismatches, turn, number, failed.cause)
                if not self._may_continue:
                    return
            finally:
                leftovers.end_turn()

    @property
    def _may_continue(self) -> bool:
        return self.failure is None or self.failure.kind in self.continue_after

    def _hang_up(self, caller: Caller) -> None:
        """Hang up, so that a call that stays open was left open by the application."""
        if caller.dialled and not caller.ended:
            caller.hangs_up()
        caller.close()

    def _check_script(self) -> None:
        if not self._may_continue or self.target.double is None:
            return
        try:
            self.target.double.assert_complete()
        except AssertionError as error:
            self.failure = ScenarioFailure("script", self.scenario.location, tuple(str(error).splitlines()))

    def _check_afterwards(self, leftovers: LeftoverCounts) -> None:
        afterwards = self.scenario.afterwards
        if not self._may_continue or afterwards is None:
            return
        mismatches = leftovers.mismatches(afterwards.counts)
        if mismatches:
            messages = tuple(mismatch.message for mismatch in mismatches)
            self.failure = ScenarioFailure("afterwards", afterwards.location, messages)

    def _fail(
        self, mismatches: list[Mismatch], turn: ScenarioTurn, number: int, cause: BaseException | None
    ) -> None:
        fatal = [mismatch for mismatch in mismatches if mismatch.kind not in self.continue_after]
        if self.failure is None or fatal:
            self.failure = ScenarioFailure.from_mismatches(fatal or mismatches, turn, number, cause)

    def _result(
        self, caller: Caller, leftovers: LeftoverCounts, *, fake_only: str | None = None
    ) -> ScenarioResult:
        not_run = self.scenario.turns[len(self.results) :]
        results = (*self.results, *(PlayedTurn(turn, "not_run") for turn in not_run))
        agent_turns = leftovers.count("agent_turns") or 0
        return ScenarioResult(
            self.scenario, results, caller.transcript, self.failure, agent_turns, fake_only, caller.exchanges
        )


@dataclass(slots=True)
class _TurnRun:
    turn: ScenarioTurn
    caller: Caller
    double: ModelDouble | None

    def run(self, *, dials: bool) -> PlayedTurn:
        """Play the turn; the first one dials, and its verb follows the greeting."""
        exchange_count, raw = len(self.caller.exchanges), self.caller.raw
        if self.turn.action is None:
            self._script_model()
        if dials:
            self._run_verb(self.caller.dial)
            if self.turn.action is not None:
                self._evaluate(Expectation(), self._observed(exchange_count, raw))
                exchange_count, raw = len(self.caller.exchanges), self.caller.raw
        if self.turn.action is not None:
            self._script_model()
            action = self.turn.action
            self._run_verb(lambda: _perform(self.caller, action))
        return self._evaluate(self.turn.hears or Expectation(), self._observed(exchange_count, raw))

    def _script_model(self) -> None:
        double = self.double
        if double is not None:
            for step in self.turn.agent:
                double.add(step)
        interruption = self.turn.interruption
        if interruption is None:
            return
        if double is None or not self.turn.agent:
            self.caller.interrupts(interruption.keys, after=interruption.after)
            return
        calls_before = model_call_count(double)
        self.caller.interrupts(
            interruption.keys,
            after=interruption.after,
            when=lambda: model_call_count(double) > calls_before,
        )

    def _run_verb(self, verb: Callable[[], str]) -> None:
        try:
            verb()
        except WrongVerbError as error:
            raise self._turn_failed("verb", error) from error
        except EndlessLineError as error:
            raise self._turn_failed("endless", error) from error

    def _turn_failed(self, kind: MismatchKind, error: Exception) -> _TurnFailed:
        result = PlayedTurn(self.turn, "failed", self.caller.heard, self.caller.dead_air)
        return _TurnFailed(result, [Mismatch(kind, str(error))], error)

    def _observed(self, exchange_count: int, raw: str) -> ObservedTurn:
        caller = self.caller
        exchanges = caller.exchanges[exchange_count:]
        return ObservedTurn(
            caller.heard,
            exchanges,
            raw,
            caller.ended,
            caller.dead_air,
            caller.question,
            _heard_sentences(caller),
        )

    def _evaluate(self, expected: Expectation, observed: ObservedTurn) -> PlayedTurn:
        mismatches = [*protocol_mismatches(observed.exchanges), *expectation_mismatches(expected, observed)]
        status: TurnStatus = "failed" if mismatches else "passed"
        result = PlayedTurn(
            self.turn,
            status,
            observed.heard,
            observed.dead_air,
            _warnings(expected, observed),
            mismatches=tuple(mismatches),
        )
        if mismatches:
            raise _TurnFailed(result, mismatches, _app_exception(observed.exchanges))
        return result


def _app_exception(exchanges: Sequence[LineExchange]) -> BaseException | None:
    """Return the exception of the application; connection errors are not its exceptions."""
    problems = (problem for exchange in exchanges for problem in exchange.problems)
    return next((problem.cause for problem in problems if problem.code == "exception"), None)


def _heard_sentences(caller: Caller) -> tuple[str, ...]:
    """Return what was heard since the last action of the caller, one item for each sound."""
    events = takewhile(lambda event: not isinstance(event, CallerActed), reversed(caller.transcript))
    return tuple(str(event) for event in events if isinstance(event, Sound | SystemSound))[::-1]


def _with_events(result: PlayedTurn, caller: Caller, event_count: int, exchange_count: int) -> PlayedTurn:
    """Return ``result`` with the events and exchanges after the given counts."""
    events = tuple(caller.transcript[event_count:])
    return replace(result, events=events, exchanges=caller.exchanges[exchange_count:])


def _perform(caller: Caller, action: CallerAction) -> str:
    match action.verb:
        case "says":
            return caller.says(action.text)
        case "presses":
            return caller.presses(action.text)
        case "records":
            return caller.records(action.text)
        case "silent":
            return caller.silent()
        case "repeats":
            return caller.repeats()
        case "hangs_up":
            return caller.hangs_up()


def _warnings(expected: Expectation, observed: ObservedTurn) -> tuple[str, ...]:
    within = expected.within
    if within is None or not within.warn < observed.dead_air <= within.fail:
        return ()
    return (f"{observed.dead_air:.1f} s of silence, more than {within.warn:g} s",)
