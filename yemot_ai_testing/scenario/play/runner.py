"""Play a scenario: a ``Caller`` does the verbs of its turns, the double the steps of ``agent:``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from yemot_ai import CallSummary
from yemot_ai.errors.code_errors import observe_code_errors
from yemot_ai.tools.observation import observe_tools
from yemot_ai_testing.doubles.script import FakeOnlyError
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.scenario.format.model import ExpectedLeftovers, Scenario, ScenarioTurn
from yemot_ai_testing.scenario.play.checks.app_errors import AppErrors
from yemot_ai_testing.scenario.play.checks.script_mismatches import (
    ScriptCheck,
    script_messages,
    unknown_calls,
)
from yemot_ai_testing.scenario.play.leftovers import LeftoverCounts
from yemot_ai_testing.scenario.play.outcome import CallOutcome, check_problem, observe_summaries
from yemot_ai_testing.scenario.play.result import (
    Mismatch,
    MismatchKind,
    PlayedTurn,
    ScenarioFailure,
    ScenarioResult,
)
from yemot_ai_testing.scenario.play.server_actions import ServerActions
from yemot_ai_testing.scenario.play.target import PlayTarget, use_order
from yemot_ai_testing.scenario.play.tools.expectations import tools_mismatch
from yemot_ai_testing.scenario.play.tools.runs import ToolRuns, line_time, tools_of
from yemot_ai_testing.scenario.play.turn_run import TurnRun, perform_action

__all__ = ["perform_action", "play_scenario"]


def play_scenario(
    scenario: Scenario, target: PlayTarget, *, continue_after: frozenset[MismatchKind] = frozenset()
) -> ScenarioResult:
    """Play ``scenario`` and return its result; failures of the call are returned, not raised.

    Args:
        scenario: the call.
        target: what it is played against.
        continue_after: kinds of failure after which the call continues, so that all of them are found; of
            several failures the first of another kind is reported.

    Raises:
        AppError: the application cannot be called as the scenario says: it has no such tool, or cannot order
            its tasks.
    """
    _warm_up(target.app)
    tools, afterwards = tools_of(scenario, target.app), scenario.afterwards
    is_checked = afterwards is not None and bool(afterwards.check)
    observed = observe_summaries(target.app) if is_checked else nullcontext(list[CallSummary]())
    with observe_code_errors() as errors, observe_tools(tools), observed as summaries:
        run = _ScenarioRun(scenario, target, continue_after, AppErrors(scenario, errors), tools, summaries)
        return run.run()


def _warm_up(app: object) -> None:
    if hasattr(app, "ai"):
        # Imported here: a run that only talks to a server does not need it.
        from yemot_ai_testing.scenario.play.model_double import warm_up_services  # noqa: PLC0415 - see above

        warm_up_services(app)


@dataclass(slots=True)
class _ScenarioRun:
    scenario: Scenario
    target: PlayTarget
    continue_after: frozenset[MismatchKind]
    app_errors: AppErrors
    tools: ToolRuns
    summaries: list[CallSummary]
    tool_counts: list[int] = field(default_factory=list)
    results: list[PlayedTurn] = field(default_factory=list)
    failure: ScenarioFailure | None = None

    def run(self) -> ScenarioResult:
        target, spec = self.target, self.scenario.caller
        line: Any = {**target.line, **dict(spec.line)}
        if self.scenario.order is not None:
            use_order(target.app, self.scenario.order)
        caller = Caller(
            target.app, spec.phone, spec.extension, spec.method, strict=False, remote=target.remote, **line
        )
        self.tools.now = line_time(caller)
        errors = None if isinstance(target.app, str) else self.app_errors.errors
        leftovers = LeftoverCounts(target.app, target.double, grace=target.grace, errors=errors)
        try:
            self._run_turns(caller, leftovers)
        except FakeOnlyError as error:
            return self._result(caller, leftovers, fake_only=str(error))
        finally:
            self._hang_up(caller)
            leftovers.end_turn()
        self.failure = self.app_errors.after_call(self.failure)
        self._check_script()
        self._check_afterwards(caller, leftovers)
        return self._result(caller, leftovers)

    def _run_turns(self, caller: Caller, leftovers: LeftoverCounts) -> None:
        for number, turn in enumerate(self.scenario.turns, start=1):
            event_count, exchange_count = len(caller.transcript), len(caller.exchanges)
            self.tool_counts.append(len(self.tools))
            actions = ServerActions(self.target.app, lambda: caller.call_id, self.target.root)
            run = TurnRun(turn, caller, self.target.double, actions)
            script = ScriptCheck.start(turn, self.target.app, self.target.double)
            try:
                run.run(dials=number == 1)
            finally:
                leftovers.end_turn()
            if run.mismatches and run.mismatches[0].kind != "script":
                run.mismatches[:0] = script.mismatches()
            run.mismatches[:0] = (*unknown_calls(turn, self.tools.known), *self.app_errors.take_mismatches())
            played = PlayedTurn(
                turn,
                "failed" if run.mismatches else "passed",
                caller.heard,
                caller.dead_air,
                run.warnings,
                tuple(caller.transcript[event_count:]),
                caller.exchanges[exchange_count:],
                tuple(run.mismatches),
            )
            self.results.append(played)
            if run.mismatches:
                self._fail(run.mismatches, turn, number, run.cause)
            if run.agent_ended or not self._may_continue:
                return

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
            messages = script_messages(error, self.target.app, self.target.double)
            self.failure = ScenarioFailure("script", self.scenario.location, messages)

    def _check_afterwards(self, caller: Caller, leftovers: LeftoverCounts) -> None:
        afterwards = self.scenario.afterwards
        if not self._may_continue or afterwards is None:
            return
        messages = tuple(filter(None, self._afterwards_messages(afterwards, caller, leftovers)))
        if messages:
            self.failure = ScenarioFailure("afterwards", afterwards.location, messages)

    def _afterwards_messages(
        self, afterwards: ExpectedLeftovers, caller: Caller, leftovers: LeftoverCounts
    ) -> Iterator[str]:
        yield from (mismatch.message for mismatch in leftovers.mismatches(afterwards.counts))
        if afterwards.tools is not None:
            observed = not isinstance(self.target.app, str)
            yield (
                tools_mismatch(afterwards.tools, tuple(self.tools), self.tools.known)
                if observed
                else "tools: cannot be seen here"
            )
        if afterwards.check:
            last = self.summaries[-1] if self.summaries else None
            outcome = CallOutcome(
                caller.call_id,
                caller.transcript,
                last.state if last else {},
                last.turns if last else (),
                tuple(self.tools),
            )
            yield check_problem(afterwards.check, outcome, self.target.app, self.target.root)

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
        tools, parts = tuple(self.tools), pairwise([*self.tool_counts, None])
        played = zip(self.results, parts, strict=False)
        results = (
            *(replace(turn, tools=tools[first:last]) for turn, (first, last) in played),
            *(PlayedTurn(turn, "not_run") for turn in not_run),
        )
        agent_turns = leftovers.count("agent_turns") or 0
        return ScenarioResult(
            self.scenario, results, caller.transcript, self.failure, agent_turns, fake_only, caller.exchanges
        )
