"""Makes one pytest item of each scenario of a ``*.call.yaml`` file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from yemot_ai_testing.errors import AppError, ScenarioFailedError, ScenarioLoadError, ToolkitError
from yemot_ai_testing.pytest_plugin.options import run_settings
from yemot_ai_testing.pytest_plugin.replay import replay_scenario
from yemot_ai_testing.pytest_plugin.reports.call_log import RECORD_KEY
from yemot_ai_testing.pytest_plugin.reports.failed_call import FailedCallRepr
from yemot_ai_testing.pytest_plugin.scenarios.play import play_item
from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play.checks.verb_hints import as_scenario_keys
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.server_actions import unsupported_reason
from yemot_ai_testing.scenario.report.call_record import CallRecord
from yemot_ai_testing.scenario.report.dead_air import dead_air_figures
from yemot_ai_testing.scenario.report.failure import failure_report

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr, TracebackStyle

    from yemot_ai_testing.scenario.format.model import Scenario

__all__ = ["ScenarioFile", "ScenarioItem"]

LOCAL_URL: Final = "http://127.0.0.1/"


class ScenarioFile(pytest.File):
    """A ``*.call.yaml`` file."""

    def collect(self) -> Iterable[pytest.Item]:
        """Load the file; one collection error has all its mistakes."""
        try:
            scenarios = load(_display_path(self.path, self.config)).scenarios
        except ScenarioLoadError as error:
            raise self.CollectError(str(error)) from error
        target_of = run_settings(self.config).target
        problems = [part for one in scenarios for part in _unsupported_parts(one, target_of(one.app))]
        if problems:
            raise self.CollectError(str(ScenarioLoadError(problems)))
        for scenario in scenarios:
            yield ScenarioItem.create(self, scenario)


class ScenarioItem(pytest.Item):
    """One call.

    Attributes:
        scenario: the scenario.
        call: the record of the call; None until it was played.
    """

    scenario: Scenario
    call: CallRecord | None = None
    obj: Any  # syrupy reads it from every item

    @classmethod
    def create(cls, parent: ScenarioFile, scenario: Scenario) -> ScenarioItem:
        """Return the item that plays ``scenario``."""
        item: ScenarioItem = cls.from_parent(parent, name=scenario.name)
        item.scenario, item.obj = scenario, play_scenario
        item.add_marker("yemot")
        item.stash[RECORD_KEY] = item.record
        return item

    def runtest(self) -> None:
        """Play the call.

        Raises:
            ScenarioFailedError: the call did not meet the expectations of the scenario.
        """
        played = play_item(self, self.scenario, self.replay_command)
        for output in played.outputs:
            self.add_report_section("call", "server", output)
        call, failure = played.call, played.failure
        self.call = call
        self.user_properties += _junit_properties(call)
        if played.fake_only is not None:
            # With pytest.skip() the report would name this line instead of the scenario's.
            raise pytest.skip.Exception(f"fake only: {played.fake_only}", _use_item_location=True)
        if failure is not None:
            report = failure_report(call, failure.cause)
            raise ScenarioFailedError(report, kind=failure.kind) from failure.cause

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: TracebackStyle | None = None
    ) -> str | TerminalRepr:
        """Return the message of a toolkit error without a traceback; leave other errors to pytest."""
        error = excinfo.value
        if isinstance(error, ScenarioFailedError) and self.call is not None:
            return cast("TerminalRepr", FailedCallRepr.from_call(self.call, error.__cause__))
        if isinstance(error, AppError):
            return as_scenario_keys(str(error))
        if isinstance(error, ToolkitError):
            return str(error)
        return super().repr_failure(excinfo, style)

    @property
    def replay_command(self) -> str:
        """The command that plays this call again, quoted for a shell."""
        node_id = f"{self.scenario.location.path}::{self.name}"
        return replay_scenario(self.config, node_id)

    def record(self, report: pytest.TestReport) -> CallRecord:
        """Return the record of the call, or of why there was none."""
        return self.call or CallRecord.from_scenario(
            self.scenario, "error", report.longreprtext.splitlines(), replay=self.replay_command
        )

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return path, line (from 0) and name of the scenario."""
        return self.path, self.scenario.location.line - 1, self.name


def _junit_properties(call: CallRecord) -> Iterator[tuple[str, object]]:
    """Yield the properties of a call in JUnit reports."""
    yield "yemot_call", str(call)
    yield "yemot_place", f"{call.path}:{call.line}"
    yield "yemot_turns", sum(turn.line > 0 for turn in call.turns)
    yield "yemot_agent_turns", call.agent_turns
    yield "yemot_dead_air_p95", round(dead_air_figures([call]).get("p95", 0.0), 1)
    yield "yemot_warnings", call.warnings
    if call.ending:
        yield "yemot_ending", call.ending
    if call.kind:
        yield "yemot_failure", call.kind
        yield "yemot_failure_place", call.failure_location


def _display_path(path: Path, config: pytest.Config) -> Path:
    """Return ``path`` relative to the working directory if it is in it."""
    folder = config.invocation_params.dir
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def _unsupported_parts(scenario: Scenario, target: str | ServerCommand) -> Iterator[str]:
    """Yield what is scripted, counted or acted upon, but out of reach of this process or behind a URL."""
    url = LOCAL_URL if isinstance(target, ServerCommand) else target if "://" in target else None
    for turn in scenario.turns:
        for action in turn.server_actions:
            reason = unsupported_reason(action, url)
            if reason is not None:
                yield f"{turn.location}: meanwhile: {action}: {reason}"
    if url is not None:
        yield from _unseen_tools(scenario)
    afterwards = scenario.afterwards
    if isinstance(target, ServerCommand):
        if afterwards and "sessions_open" in afterwards.counts:
            location = afterwards.location
            yield f"{location}: afterwards: sessions_open cannot be counted in a server: leave it out"
    elif url is not None:
        yield from _parts_behind(scenario, url)


def _parts_behind(scenario: Scenario, url: str) -> Iterator[str]:
    """Yield what cannot be counted or scripted, because the server is not started by the toolkit."""
    afterwards = scenario.afterwards
    if afterwards and afterwards.counts:
        yield (
            f"{afterwards.location}: afterwards: nothing can be counted behind {url}; "
            "leave it out, or call the application in this process (--yemot-app)"
        )
    for turn in scenario.turns:
        if turn.agent:
            yield (
                f"{turn.location}: agent: there is no double behind {url}, which has its own model; "
                "leave agent: out, or let the toolkit start the server (serve:)"
            )


def _unseen_tools(scenario: Scenario) -> Iterator[str]:
    """Yield the parts about tools, which only run in a server."""
    way_out = "leave it out, or call the application in this process (app:)"
    for tool in scenario.tools:
        yield f"{tool.location}: tool: {tool.name} runs in a server, where nothing can replace it; {way_out}"
    afterwards = scenario.afterwards
    if afterwards and afterwards.tools is not None:
        yield f"{afterwards.location}: afterwards: tools that run in a server cannot be seen; {way_out}"
