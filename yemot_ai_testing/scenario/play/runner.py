"""Plays a scenario: a ``Caller`` does what its turns say, the double what their ``agent:`` says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from yemot_ai_testing.doubles.script import FakeOnlyError
from yemot_ai_testing.errors import EndlessLineError, WrongVerbError
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.exchange import Exchange
from yemot_ai_testing.line.transcript import Sound, SystemSound, Verb
from yemot_ai_testing.scenario.format.model import Action, Expectation, Scenario, Turn
from yemot_ai_testing.scenario.play.checks import Observed, mismatches, protocol_mismatches
from yemot_ai_testing.scenario.play.leftovers import Census, Double, times_asked
from yemot_ai_testing.scenario.play.result import Failure, Kind, Mismatch, Outcome, Status, TurnResult

__all__ = ["Stage", "play"]


@dataclass(frozen=True, slots=True)
class Stage:
    """What a scenario is played against.

    Attributes:
        app: whatever a ``Caller`` can call.
        double: the model's double behind it; None if nobody scripts the model.
        remote: an url may point beyond this machine.
        grace: seconds that what a call leaves behind may take to go away.
        output: tells what a server has written since the stage was opened; None if none was started.
    """

    app: object
    double: Double | None = None
    remote: bool = False
    grace: float = 5.0
    output: Callable[[], str] | None = None


def play(scenario: Scenario, stage: Stage, *, passing_over: frozenset[Kind] = frozenset()) -> Outcome:
    """Play ``scenario`` and return what came of it; failures are returned, not raised.

    Args:
        scenario: the call.
        stage: what it is played against.
        passing_over: kinds of failure after which the call goes on, so that all of them are found; of
            several failures the first of another kind is told.
    """
    return _Play(scenario, stage, passing_over).run()


class _Stopped(Exception):  # noqa: N818 - a way out of the turns, never seen outside
    """A turn has failed."""

    def __init__(self, result: TurnResult, found: list[Mismatch], cause: BaseException | None = None) -> None:
        self.result = result
        self.found = found
        self.cause = cause


@dataclass(slots=True)
class _Play:
    scenario: Scenario
    stage: Stage
    passing_over: frozenset[Kind]
    results: list[TurnResult] = field(default_factory=list)
    failure: Failure | None = None

    def run(self) -> Outcome:
        spec = self.scenario.caller
        caller = Caller(
            self.stage.app,
            spec.phone,
            spec.extension,
            spec.method,
            strict=False,
            remote=self.stage.remote,
        )
        census = Census(self.stage.app, self.stage.double, grace=self.stage.grace)
        try:
            self._turns(caller, census)
        except FakeOnlyError as error:
            return self._outcome(caller, census, fake_only=str(error))
        finally:
            self._leave(caller)
            census.turn_is_over()
        self._check_script()
        self._check_afterwards(census)
        return self._outcome(caller, census)

    def _turns(self, caller: Caller, census: Census) -> None:
        for number, turn in enumerate(self.scenario.turns, start=1):
            events, exchanges = len(caller.transcript), len(caller.exchanges)
            try:
                result = _Turn(turn, caller, self.stage.double).run(dials=number == 1)
                self.results.append(_with_course(result, caller, events, exchanges))
            except _Stopped as stop:
                self.results.append(_with_course(stop.result, caller, events, exchanges))
                self._fail(stop.found, turn, number, stop.cause)
                if not self._may_go_on:
                    return
            finally:
                census.turn_is_over()

    @property
    def _may_go_on(self) -> bool:
        return self.failure is None or self.failure.kind in self.passing_over

    def _leave(self, caller: Caller) -> None:
        """Hang up like anybody who is done, so that a call left open is the application's doing."""
        if caller.dialled and not caller.ended:
            caller.hangs_up()
        caller.close()

    def _check_script(self) -> None:
        if not self._may_go_on or self.stage.double is None:
            return
        try:
            self.stage.double.assert_complete()
        except AssertionError as error:
            self.failure = Failure("script", self.scenario.place, tuple(str(error).splitlines()))

    def _check_afterwards(self, census: Census) -> None:
        afterwards = self.scenario.afterwards
        if not self._may_go_on or afterwards is None:
            return
        found = census.mismatches(afterwards.counts)
        if found:
            self.failure = Failure("afterwards", afterwards.place, tuple(one.message for one in found))

    def _fail(self, found: list[Mismatch], turn: Turn, number: int, cause: BaseException | None) -> None:
        hard = [one for one in found if one.kind not in self.passing_over]
        if self.failure is None or hard:
            self.failure = Failure.of(hard or found, turn, number, cause)

    def _outcome(self, caller: Caller, census: Census, *, fake_only: str | None = None) -> Outcome:
        rest = self.scenario.turns[len(self.results) :]
        results = (*self.results, *(TurnResult(turn, "not_run") for turn in rest))
        turns = census.count("agent_turns") or 0
        return Outcome(
            self.scenario, results, caller.transcript, self.failure, turns, fake_only, caller.exchanges
        )


@dataclass(slots=True)
class _Turn:
    turn: Turn
    caller: Caller
    double: Double | None

    def run(self, *, dials: bool) -> TurnResult:
        """Play the turn; the first one dials, and its verb follows the greeting."""
        before, raw = len(self.caller.exchanges), self.caller.raw
        if self.turn.action is None:
            self._prepare()
        if dials:
            self._guarded(self.caller.dial)
            if self.turn.action is not None:
                self._judge(Expectation(), self._observed(before, raw))
                before, raw = len(self.caller.exchanges), self.caller.raw
        if self.turn.action is not None:
            self._prepare()
            action = self.turn.action
            self._guarded(lambda: _do(self.caller, action))
        return self._judge(self.turn.hears or Expectation(), self._observed(before, raw))

    def _prepare(self) -> None:
        double = self.double
        if double is not None:
            for step in self.turn.agent:
                double.add(step)
        meanwhile = self.turn.meanwhile
        if meanwhile is None:
            return
        if double is None or not self.turn.agent:
            self.caller.interrupts(meanwhile.keys, after=meanwhile.after)
            return
        asked = times_asked(double)
        self.caller.interrupts(
            meanwhile.keys, after=meanwhile.after, once=lambda: times_asked(double) > asked
        )

    def _guarded(self, verb: Callable[[], str]) -> None:
        try:
            verb()
        except WrongVerbError as error:
            raise self._stopped("verb", error) from error
        except EndlessLineError as error:
            raise self._stopped("endless", error) from error

    def _stopped(self, kind: Kind, error: Exception) -> _Stopped:
        result = TurnResult(self.turn, "failed", self.caller.heard, self.caller.dead_air)
        return _Stopped(result, [Mismatch(kind, str(error))], error)

    def _observed(self, before: int, raw: str) -> Observed:
        caller = self.caller
        exchanges = caller.exchanges[before:]
        return Observed(
            caller.heard, exchanges, raw, caller.ended, caller.dead_air, caller.question, _pieces(caller)
        )

    def _judge(self, expected: Expectation, observed: Observed) -> TurnResult:
        found = [*protocol_mismatches(observed.exchanges), *mismatches(expected, observed)]
        status: Status = "failed" if found else "passed"
        result = TurnResult(
            self.turn,
            status,
            observed.heard,
            observed.dead_air,
            _warnings(expected, observed),
            mismatches=tuple(found),
        )
        if found:
            raise _Stopped(result, found, _raised(observed.exchanges))
        return result


def _raised(exchanges: Sequence[Exchange]) -> BaseException | None:
    """Return what the application raised; what a connection to it raised has no place in it."""
    problems = (problem for exchange in exchanges for problem in exchange.problems)
    return next((problem.cause for problem in problems if problem.code == "exception"), None)


def _pieces(caller: Caller) -> tuple[str, ...]:
    """Return what was heard since the caller last did something, sentence by sentence."""
    events = takewhile(lambda event: not isinstance(event, Verb), reversed(caller.transcript))
    return tuple(str(event) for event in events if isinstance(event, Sound | SystemSound))[::-1]


def _with_course(result: TurnResult, caller: Caller, events: int, exchanges: int) -> TurnResult:
    """Return ``result`` with all that came after the first ``events`` and ``exchanges`` of the call."""
    return replace(result, events=tuple(caller.transcript[events:]), exchanges=caller.exchanges[exchanges:])


def _do(caller: Caller, action: Action) -> str:
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


def _warnings(expected: Expectation, observed: Observed) -> tuple[str, ...]:
    within = expected.within
    if within is None or not within.warn < observed.dead_air <= within.fail:
        return ()
    return (f"{observed.dead_air:.1f} s of silence, more than {within.warn:g} s",)
