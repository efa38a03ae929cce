"""One load test: checks the line by a call, makes all calls, and judges what happened."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.history import CallerSpoke, History, Violation, ViolationKind, check
from yemot_ai_testing.history.questions import input_of
from yemot_ai_testing.line.exchange import LineProblem
from yemot_ai_testing.line.transports.urls import http_url, is_loopback
from yemot_ai_testing.load.caller import open_caller
from yemot_ai_testing.load.locust_process import Distribution, Outputs, run_calls
from yemot_ai_testing.load.model_side import ModelSide, serve_model, start_server
from yemot_ai_testing.load.plan import LoadPlan
from yemot_ai_testing.load.report import LoadReport
from yemot_ai_testing.processes.owned_folder import owned_folder
from yemot_ai_testing.scenario.format.model import ServerCommand

__all__ = ["EXACTLY_ONCE", "Load"]

EXACTLY_ONCE: Final[frozenset[ViolationKind]] = frozenset(
    {"answered_twice", "asked_twice", "crossed_calls", "ignored", "stale", "two_writers", "unheard"}
)
"""The kinds of violations that are judged: an utterance is asked once, and its caller hears the answer."""

NOT_JUDGED: Final = (
    "the model's side was not seen: --model-port N for a server that is pointed at it, or --serve COMMAND"
)


@dataclass(frozen=True, slots=True)
class Load:
    """What is loaded, and how.

    Attributes:
        plan: the calls; with ``command`` its URL does not matter.
        command: the server to start; None for a running one.
        model_port: the port of a model for a running server; 0 for none.
        model_seconds: how long a model takes for an answer.
        distribution: where the callers run.
        outputs: what Locust writes.
        on_done: called every second with the number of calls that are over.
    """

    plan: LoadPlan
    command: ServerCommand | None = None
    model_port: int = 0
    model_seconds: float = 1.0
    distribution: Distribution = field(default_factory=Distribution)
    outputs: Outputs = field(default_factory=Outputs)
    on_done: Callable[[int], object] = abs

    def run(self) -> LoadReport:
        """Make all calls.

        Raises:
            AppError: the URL is that of another machine, nothing listens there, or it is no line.
            ServerFailedError: the server does not start, or Locust has failed.
            ScenarioLoadError: the scenario file has mistakes.
        """
        self.outputs.check()
        with self._open() as (plan, model), owned_folder("yemot-ai-locust-") as folder:
            if model is not None:
                model.prepare(_utterances(plan) + 2)
            check_line(plan)
            if model is not None:
                model.forget()
            before = len(model.runs) if model is not None else 0
            started_at = time.monotonic()
            result, interrupted = run_calls(plan, folder, self.distribution, self.outputs, self.on_done)
            seconds = time.monotonic() - started_at
            report = LoadReport(plan, result, seconds, interrupted, self.outputs.html)
            _judge(report, model, before)
            report.unseen_model = bool(self.model_port and report.utterances and not report.asked)
            return report

    @contextlib.contextmanager
    def _open(self) -> Iterator[tuple[LoadPlan, ModelSide | None]]:
        with contextlib.ExitStack() as stack:
            if self.command is not None:
                url, model = stack.enter_context(start_server(self.command, self.model_seconds))
                yield replace(self.plan, url=url), model
            elif self.model_port:
                yield self.plan, stack.enter_context(serve_model(self.model_port, self.model_seconds))
            else:
                yield self.plan, None


def check_line(plan: LoadPlan) -> None:
    """Call once, and check that a line answers.

    Raises:
        AppError: the URL is that of another machine, nothing listens there, or it is no line.
        ScenarioLoadError: the scenario file has mistakes.
    """
    planned = plan.call(1)
    try:
        host = http_url(plan.url).hostname
    except ValueError as error:
        raise AppError(f"{plan.url!r} is no URL: {error}; --serve COMMAND starts a server") from error
    if not plan.remote and not is_loopback(host or ""):
        raise AppError(
            f"{plan.url} is not on this machine: a load test of a server of others is an attack; "
            "--i-own-this-server allows it"
        )
    with open_caller(plan, planned) as caller:
        caller.dial()
        problem = next((one for one in caller.problems if one.level == "error"), None)
        if problem is not None:
            raise AppError(_no_line(plan.url, problem))
        asks = caller.question is not None and input_of(caller.question) == "speech"
        if not plan.scenarios and not asks:
            raise AppError(
                f"callers speak, but after dialling {caller.waits_for}: --scenario FILE says what they do "
                "instead, --extension NAME dials another extension"
            )


def _no_line(url: str, problem: LineProblem) -> str:
    """Return why a server cannot be loaded, with the way out."""
    if problem.code == "unreachable":
        return f"{url}: {problem.message}: {problem.hint}"
    page = "a page (HTML); " if problem.body.lstrip().startswith("<") else ""
    way_out = problem.hint or "the URL is the api_link of the extension"
    return f"{url} does not answer as a line: {page}{problem.code}: {problem.message}: {way_out}"


def _utterances(plan: LoadPlan) -> int:
    calls = [plan.call(number) for number in range(1, plan.calls + 1)]
    return sum(action.verb == "says" for call in calls for action in call.actions)


def _judge(report: LoadReport, model: ModelSide | None, codex_before: int) -> None:
    """Judge the history of callers and models, and add what was found to the report."""
    history = History.loads(report.result.history)
    report.utterances = sum(isinstance(event, CallerSpoke) for event in history.events)
    if model is None:
        report.not_judged = NOT_JUDGED
        return
    merged, report.asked = model.merge(report.result.history, codex_before=codex_before)
    if not report.utterances:
        report.not_judged = "no utterance has a number, such as `says: אמירה 7001` in a scenario"
    elif not report.asked:
        report.not_judged = f"the model was never asked: {model.way}"
    else:
        report.violations = _violations(merged)


def _violations(history: History) -> list[Violation]:
    """Return the violations of exactly once, in seconds since the first event."""
    events, since_start = history.events, History()
    for event in events:
        since_start.add(replace(event, at=event.at - events[0].at))
    return [one for one in check(since_start) if one.kind in EXACTLY_ONCE]
