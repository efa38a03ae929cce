"""Makes one pytest item of each scenario of a ``*.call.yaml`` file."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from yemot_ai_testing.errors import AppError, ScenarioFailedError, ScenarioLoadError, ToolkitError
from yemot_ai_testing.pytest_plugin.options import run_settings
from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play.result import EXPECTATION_KINDS
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.server_actions import unsupported_reason
from yemot_ai_testing.scenario.play.target import open_target
from yemot_ai_testing.scenario.play.verb_hints import as_scenario_keys
from yemot_ai_testing.scenario.report.call_record import CallRecord
from yemot_ai_testing.scenario.report.dead_air import dead_air_figures
from yemot_ai_testing.scenario.report.failure import failure_report

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr, TracebackStyle

    from yemot_ai_testing.pytest_plugin.update import UpdatePlugin
    from yemot_ai_testing.scenario.format.model import Scenario
    from yemot_ai_testing.scenario.play.result import ScenarioResult
    from yemot_ai_testing.scenario.play.servers import Servers
    from yemot_ai_testing.scenario.play.target import PlayTarget

__all__ = ["ScenarioFile", "ScenarioItem", "servers_for_run"]

LOCAL_URL: Final = "http://127.0.0.1/"
SERVERS_KEY: Final = pytest.StashKey["Servers"]()


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
        return item

    def runtest(self) -> None:
        """Play the call.

        Raises:
            ScenarioFailedError: the call did not meet the expectations of the scenario.
        """
        with open_target(
            run_settings(self.config), self.scenario.app, servers_for_run(self.config)
        ) as target:
            result = self._play(target)
            if target.output is not None:
                self.add_report_section("call", "server", target.output())
        if self.config.getoption("yemot_snapshot") or self.config.getini("yemot_snapshot"):
            from yemot_ai_testing.pytest_plugin.snapshots import check_snapshot  # noqa: PLC0415 - needs syrupy

            result = check_snapshot(result, self)
        call = self.call = CallRecord.from_result(result, replay=self.replay_command)
        self.user_properties += _junit_properties(call)
        if result.fake_only is not None:
            # With pytest.skip() the report would name this line instead of the scenario's.
            raise pytest.skip.Exception(f"fake only: {result.fake_only}", _use_item_location=True)
        failure = result.failure
        if failure is not None:
            report = failure_report(call, failure.cause)
            raise ScenarioFailedError(report, kind=failure.kind) from failure.cause

    def _play(self, target: PlayTarget) -> ScenarioResult:
        plugin: UpdatePlugin | None = self.config.pluginmanager.get_plugin("yemot_update")
        if plugin is None:
            return play_scenario(self.scenario, target)
        result = play_scenario(self.scenario, target, continue_after=EXPECTATION_KINDS)
        return plugin.update.collect(result, self.path)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: TracebackStyle | None = None
    ) -> str | TerminalRepr:
        """Return the message of a toolkit error without a traceback; leave other errors to pytest."""
        if isinstance(excinfo.value, AppError):
            return as_scenario_keys(str(excinfo.value))
        if isinstance(excinfo.value, ToolkitError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    @property
    def replay_command(self) -> str:
        """The command that plays this call again, quoted for a shell."""
        settings, option = run_settings(self.config), self.config.getoption
        targets = {"url": settings.url, "app": settings.app, "serve": settings.serve}
        options = [f"--yemot-{name}={value}" for name, value in targets.items() if value]
        if settings.codex != "fake":
            options.append(f"--yemot-codex={settings.codex}")
        options += [f"--yemot-allow={name}" for name in option("yemot_allow")]
        if option("yemot_snapshot"):
            options.append("--yemot-snapshot")
        if option("yemot_block_network") is False:
            options.append("--no-yemot-block-network")
        node_id = f"{self.scenario.location.path}::{self.name}"
        return shlex.join(["pytest", node_id, *options, "--yemot-scenario"])

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


def _display_path(path: Path, config: pytest.Config) -> Path:
    """Return ``path`` relative to the working directory if it is in it."""
    folder = config.invocation_params.dir
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def servers_for_run(config: pytest.Config) -> Servers:
    """Return the servers of this run; they are stopped at its end."""
    if SERVERS_KEY not in config.stash:
        from yemot_ai_testing.scenario.play.servers import Servers  # noqa: PLC0415 - most runs start none

        config.stash[SERVERS_KEY] = Servers()
        config.add_cleanup(config.stash[SERVERS_KEY].close)
    return config.stash[SERVERS_KEY]


def _unsupported_parts(scenario: Scenario, target: str | ServerCommand) -> Iterator[str]:
    """Yield what is scripted, counted or acted upon, but out of reach of this process or behind a URL."""
    url = LOCAL_URL if isinstance(target, ServerCommand) else target if "://" in target else None
    for turn in scenario.turns:
        for action in turn.server_actions:
            reason = unsupported_reason(action, url)
            if reason is not None:
                yield f"{turn.location}: meanwhile: {action}: {reason}"
    afterwards = scenario.afterwards
    if isinstance(target, ServerCommand):
        if afterwards and "sessions_open" in afterwards.counts:
            location = afterwards.location
            yield f"{location}: afterwards: sessions_open cannot be counted in a server: leave it out"
    elif "://" in target:
        if afterwards:
            yield (
                f"{afterwards.location}: afterwards: nothing can be counted behind {target}; "
                "leave it out, or call the application in this process (--yemot-app)"
            )
        for turn in scenario.turns:
            if turn.agent:
                yield (
                    f"{turn.location}: agent: there is no double behind {target}, which has its own model; "
                    "leave agent: out, or let the toolkit start the server (serve:)"
                )
