"""Plays a scenario: a ``Caller`` does what its turns say, the double what their ``agent:`` says."""

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
from yemot_ai_testing.scenario.play.leftovers import LeftoverCounts, ModelDouble, ask_count
from yemot_ai_testing.scenario.play.result import (
    Mismatch,
    MismatchKind,
    ScenarioFailure,
    ScenarioResult,
    TurnResult,
    TurnStatus,
)

__all__ = ["PlayTarget", "play"]


@dataclass(frozen=True, slots=True)
class PlayTarget:
    """What a scenario is played against.

    Attributes:
        app: whatever a ``Caller`` can call.
        double: the model's double behind it; None if nobody scripts the model.
        remote: an url may point beyond this machine.
        grace: seconds that what a call leaves behind may take to go away.
        output: tells what a server has written since the stage was opened; None if none was started.
    """

    app: object
    double: ModelDouble | None = None
    remote: bool = False
    grace: float = 5.0
    output: Callable[[], str] | None = None


def play(
    scenario: Scenario, target: PlayTarget, *, continue_after: frozenset[MismatchKind] = frozenset()
) -> ScenarioResult:
    """Play ``scenario`` and return what came of it; failures are returned, not raised.

    Args:
        scenario: the call.
        target: what it is played against.
        continue_after: kinds of failure after which the call goes on, so that all of them are found; of
            several failures the first of another kind is told.
    """
    return _ScenarioRun(scenario, target, continue_after).run()


class _TurnFailed(Exception):  # noqa: N818 - a way out of the turns, never seen outside
    """A turn has failed."""

    def __init__(
        self, result: TurnResult, mismatches: list[Mismatch], cause: BaseException | None = None
    ) -> None:
        self.result = result
        self.mismatches = mismatches
        self.cause = cause


@dataclass(slots=True)
class _ScenarioRun:
    scenario: Scenario
    target: PlayTarget
    continue_after: frozenset[MismatchKind]
    results: list[TurnResult] = field(default_factory=list)
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
        census = LeftoverCounts(self.target.app, self.target.double, grace=self.target.grace)
        try:
            self._run_turns(caller, census)
        except FakeOnlyError as error:
            return self._result(caller, census, fake_only=str(error))
        finally:
            self._hang_up(caller)
            census.end_turn()
        self._check_script()
        self._check_afterwards(census)
        return self._result(caller, census)

    def _run_turns(self, caller: Caller, census: LeftoverCounts) -> None:
        for number, turn in enumerate(self.scenario.turns, start=1):
            events, exchanges = len(caller.transcript), len(caller.exchanges)
            try:
                result = _TurnRun(turn, caller, self.target.double).run(dials=number == 1)
                self.results.append(_with_events(result, caller, events, exchanges))
            except _TurnFailed as stop:
                self.results.append(_with_events(stop.result, caller, events, exchanges))
                self._fail(stop.mismatches, turn, number, stop.cause)
                if not self._may_continue:
                    return
            finally:
                census.end_turn()

    @property
    def _may_continue(self) -> bool:
        return self.failure is None or self.failure.kind in self.continue_after

    def _hang_up(self, caller: Caller) -> None:
        """Hang up like anybody who is done, so that a call left open is the application's doing."""
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

    def _check_afterwards(self, census: LeftoverCounts) -> None:
        afterwards = self.scenario.afterwards
        if not self._may_continue or afterwards is None:
            return
        found = census.mismatches(afterwards.counts)
        if found:
            self.failure = ScenarioFailure(
                "afterwards", afterwards.location, tuple(one.message for one in found)
            )

    def _fail(
        self, found: list[Mismatch], turn: ScenarioTurn, number: int, cause: BaseException | None
    ) -> None:
        hard = [one for one in found if one.kind not in self.continue_after]
        if self.failure is None or hard:
            self.failure = ScenarioFailure.from_mismatches(hard or found, turn, number, cause)

    def _result(
        self, caller: Caller, census: LeftoverCounts, *, fake_only: str | None = None
    ) -> ScenarioResult:
        rest = self.scenario.turns[len(self.results) :]
        results = (*self.results, *(TurnResult(turn, "not_run") for turn in rest))
        turns = census.count("agent_turns") or 0
        return ScenarioResult(
            self.scenario, results, caller.transcript, self.failure, turns, fake_only, caller.exchanges
        )


@dataclass(slots=True)
class _TurnRun:
    turn: ScenarioTurn
    caller: Caller
    double: ModelDouble | None

    def run(self, *, dials: bool) -> TurnResult:
        """Play the turn; the first one dials, and its verb follows the greeting."""
        before, raw = len(self.caller.exchanges), self.caller.raw
        if self.turn.action is None:
            self._script_model()
        if dials:
            self._run_verb(self.caller.dial)
            if self.turn.action is not None:
                self._evaluate(Expectation(), self._observed(before, raw))
                before, raw = len(self.caller.exchanges), self.caller.raw
        if self.turn.action is not None:
            self._script_model()
            action = self.turn.action
            self._run_verb(lambda: _perform(self.caller, action))
        return self._evaluate(self.turn.hears or Expectation(), self._observed(before, raw))

    def _script_model(self) -> None:
        double = self.double
        if double is not None:
            for step in self.turn.agent:
                double.add(step)
        meanwhile = self.turn.interruption
        if meanwhile is None:
            return
        if double is None or not self.turn.agent:
            self.caller.interrupts(meanwhile.keys, after=meanwhile.after)
            return
        asked = ask_count(double)
        self.caller.interrupts(meanwhile.keys, after=meanwhile.after, when=lambda: ask_count(double) > asked)

    def _run_verb(self, verb: Callable[[], str]) -> None:
        try:
            verb()
        except WrongVerbError as error:
            raise self._turn_failed("verb", error) from error
        except EndlessLineError as error:
            raise self._turn_failed("endless", error) from error

    def _turn_failed(self, kind: MismatchKind, error: Exception) -> _TurnFailed:
        result = TurnResult(self.turn, "failed", self.caller.heard, self.caller.dead_air)
        return _TurnFailed(result, [Mismatch(kind, str(error))], error)

    def _observed(self, before: int, raw: str) -> ObservedTurn:
        caller = self.caller
        exchanges = caller.exchanges[before:]
        return ObservedTurn(
            caller.heard,
            exchanges,
            raw,
            caller.ended,
            caller.dead_air,
            caller.question,
            _heard_sentences(caller),
        )

    def _evaluate(self, expected: Expectation, observed: ObservedTurn) -> TurnResult:
        found = [*protocol_mismatches(observed.exchanges), *expectation_mismatches(expected, observed)]
        status: TurnStatus = "failed" if found else "passed"
        result = TurnResult(
            self.turn,
            status,
            observed.heard,
            observed.dead_air,
            _warnings(expected, observed),
            mismatches=tuple(found),
        )
        if found:
            raise _TurnFailed(result, found, _app_exception(observed.exchanges))
        return result


def _app_exception(exchanges: Sequence[LineExchange]) -> BaseException | None:
    """Return what the application raised; what a connection to it raised has no place in it."""
    problems = (problem for exchange in exchanges for problem in exchange.problems)
    return next((problem.cause for problem in problems if problem.code == "exception"), None)


def _heard_sentences(caller: Caller) -> tuple[str, ...]:
    """Return what was heard since the caller last did something, sentence by sentence."""
    events = takewhile(lambda event: not isinstance(event, CallerActed), reversed(caller.transcript))
    return tuple(str(event) for event in events if isinstance(event, Sound | SystemSound))[::-1]


def _with_events(result: TurnResult, caller: Caller, events: int, exchanges: int) -> TurnResult:
    """Return ``result`` with all that came after the first ``events`` and ``exchanges`` of the call."""
    return replace(result, events=tuple(caller.transcript[events:]), exchanges=caller.exchanges[exchanges:])


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
