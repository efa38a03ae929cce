"""Play one turn of a scenario: script the model, let the caller act, compare what is heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile

from yemot_ai_testing.errors import (
    CallOverError,
    EndlessLineError,
    NeverDueError,
    ToolkitError,
    WrongVerbError,
)
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.exchange import LineExchange, LineProblem
from yemot_ai_testing.line.schedule import check_performed
from yemot_ai_testing.line.transcript import CallerActed, Sound, SystemSound
from yemot_ai_testing.scenario.format.model import CallerAction, Expectation, ScenarioTurn
from yemot_ai_testing.scenario.play.checks.script_mismatches import with_step_text
from yemot_ai_testing.scenario.play.checks.turn_checks import (
    ObservedTurn,
    expectation_mismatches,
    is_mistaken_move,
    move_mismatches,
    problem_text,
    protocol_mismatches,
)
from yemot_ai_testing.scenario.play.checks.verb_hints import as_scenario_keys
from yemot_ai_testing.scenario.play.ending import Ender, who_ended
from yemot_ai_testing.scenario.play.leftovers import ModelDouble, model_call_count
from yemot_ai_testing.scenario.play.result import Mismatch, MismatchKind
from yemot_ai_testing.scenario.play.server_actions import ServerActionError, ServerActions

__all__ = ["TurnRun", "perform_action"]

MAYBE_HINT = "; if the agent may end it, write hears: {ends: maybe} in the turn where it may"


def perform_action(caller: Caller, action: CallerAction) -> str:
    """Do what ``action`` says, and return what is heard then.

    Raises:
        WrongVerbError: the line does not accept it now.
        EndlessLineError: the line does not wait for the caller again.
    """
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


@dataclass(slots=True)
class TurnRun:
    """One turn, and after ``run`` its differences, their cause, and its warnings.

    ``agent_ended``: the agent ended the call, as it may in this turn; nothing comes after it.
    """

    turn: ScenarioTurn
    caller: Caller
    double: ModelDouble | None
    server_actions: ServerActions
    mismatches: list[Mismatch] = field(default_factory=list)
    cause: BaseException | None = None
    warnings: tuple[str, ...] = ()
    agent_ended: bool = False

    def run(self, *, dials: bool) -> None:
        """Play the turn; the first one dials, and its verb follows the greeting, if the call continues."""
        action, expected = self.turn.action, self.turn.hears or Expectation()
        if dials and action is not None:
            self._perform(self.caller.dial, Expectation())
            if self.mismatches:
                return
            if expected.ends == "maybe" and self.caller.ended:
                self._perform(lambda: "", expected)
                return
        if action is not None:
            verb: Callable[[], str] = partial(perform_action, self.caller, action)
        elif dials:
            verb = self.caller.dial
        else:
            verb = self._wait
        if self._schedule_server_actions() and self._script_model():
            self._schedule_interruption()
            self._perform(verb, expected)

    def _wait(self) -> str:
        """Let the caller be silent; after the call there is nothing to wait for, and nothing can happen."""
        caller = self.caller
        if not caller.ended:
            return caller.silent()
        check_performed(caller.schedule.stop(), seconds=0.0, waits_for=caller.waits_for)
        if self.turn.interruption is not None:
            keys = self.turn.interruption.keys
            verb = "hangs up" if keys is None else f"presses {keys}"
            raise CallOverError(verb, waits_for=caller.waits_for)
        return ""

    def _schedule_server_actions(self) -> bool:
        """Schedule what happens at the server; return False if that is impossible."""
        try:
            for action in self.turn.server_actions:
                function = self.server_actions.prepare(action)
                self.caller.schedule.call(function, after=action.after, name=str(action))
        except ServerActionError as error:
            self._fail("meanwhile", error)
        return not self.mismatches

    @property
    def _ender(self) -> Ender | None:
        return who_ended(self.caller.transcript) if self.caller.ended else None

    def _fail(self, kind: MismatchKind, error: ToolkitError) -> None:
        after_end = isinstance(error, WrongVerbError | NeverDueError) and self._ender == "agent"
        self.mismatches.append(
            Mismatch(kind, as_scenario_keys(str(error)) + (MAYBE_HINT if after_end else ""))
        )
        self.cause = error.__cause__ or error

    def _script_model(self) -> bool:
        """Add the steps of the turn to the script; return False if the double cannot take one."""
        if self.double is None:
            return True
        for step in self.turn.agent:
            try:
                self.double.add(step)
            except TypeError as error:
                self.mismatches.append(Mismatch("script", f"agent: {with_step_text(str(error), step)}"))
        return not self.mismatches

    def _schedule_interruption(self) -> None:
        double, interruption = self.double, self.turn.interruption
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

    def _perform(self, verb: Callable[[], str], expected: Expectation) -> None:
        """Do a verb and compare what is heard then."""
        caller = self.caller
        exchange_count, problem_count, raw = len(caller.exchanges), len(caller.problems), caller.raw
        may_end = expected.ends == "maybe" and not caller.ended
        try:
            verb()
        except (NeverDueError, WrongVerbError) as error:
            if not (may_end and self._ender == "agent"):  # else the call was over before it was due
                self._fail("meanwhile" if isinstance(error, NeverDueError) else "verb", error)
        except ServerActionError as error:
            self._fail("meanwhile", error)
        except EndlessLineError as error:
            self._fail("endless", error)
        problems = caller.problems[problem_count:]
        self.mismatches[:0] = move_mismatches(problems)
        if any(mismatch.kind in {"verb", "endless"} for mismatch in self.mismatches):
            return
        exchanges = caller.exchanges[exchange_count:]
        sentences = _heard_sentences(caller)
        observed = ObservedTurn(
            caller.heard, exchanges, raw, self._ender, caller.dead_air, caller.question, sentences
        )
        self.agent_ended = expected.ends == "maybe" and observed.ender == "agent"
        self.mismatches += [*protocol_mismatches(exchanges), *expectation_mismatches(expected, observed)]
        self.cause = self.cause or _app_exception(exchanges)
        self.warnings += _silence_warnings(expected, observed)
        self.warnings += _line_warnings(problems, exchanges)


def _app_exception(exchanges: Sequence[LineExchange]) -> BaseException | None:
    """Return the exception of the application; connection errors are not its exceptions."""
    problems = (problem for exchange in exchanges for problem in exchange.problems)
    return next((problem.cause for problem in problems if problem.code == "exception"), None)


def _heard_sentences(caller: Caller) -> tuple[str, ...]:
    """Return what was heard since the last action of the caller, one item for each sound."""
    events = takewhile(lambda event: not isinstance(event, CallerActed), reversed(caller.transcript))
    return tuple(str(event) for event in events if isinstance(event, Sound | SystemSound))[::-1]


def _line_warnings(problems: Sequence[LineProblem], exchanges: Sequence[LineExchange]) -> tuple[str, ...]:
    """Return the problems that do not fail the turn, each kind with the first response that has it."""
    failures = [
        problem for exchange in exchanges for problem in exchange.problems if problem.level == "error"
    ]
    first: dict[tuple[str, str], LineProblem] = {}
    for problem in problems:
        if problem not in failures and not is_mistaken_move(problem):
            first.setdefault((problem.code, problem.message), problem)
    return tuple(map(problem_text, first.values()))


def _silence_warnings(expected: Expectation, observed: ObservedTurn) -> tuple[str, ...]:
    within = expected.within
    if within is None or within.grade(observed.dead_air) != "long":
        return ()
    return (f"{observed.dead_air:.1f} s of silence, more than {within.warn:g} s",)
