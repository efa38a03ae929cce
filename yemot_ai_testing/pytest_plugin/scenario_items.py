"""Scenarios as pytest sees them: a file of items, each named in the user's language."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from yemot_ai_testing.errors import ScenarioFailedError, ScenarioLoadError, ToolkitError
from yemot_ai_testing.pytest_plugin.update import UPDATE_KEY
from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play.result import EXPECTATION_KINDS
from yemot_ai_testing.scenario.play.runner import play
from yemot_ai_testing.scenario.play.target import RunSettings, open_target
from yemot_ai_testing.scenario.report.call_record import CallRecord
from yemot_ai_testing.scenario.report.dead_air import percentile
from yemot_ai_testing.scenario.report.failure import failure_report
from yemot_ai_testing.scenario.report.text import render_result

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr, TracebackStyle

    from yemot_ai_testing.scenario.format.model import CallFile, Scenario
    from yemot_ai_testing.scenario.play.result import ScenarioResult
    from yemot_ai_testing.scenario.play.runner import PlayTarget
    from yemot_ai_testing.scenario.play.servers import Servers

__all__ = [
    "AGENT_TURNS_PROPERTY",
    "CALL_PROPERTY",
    "CALL_RECORD_KEY",
    "WARNINGS_PROPERTY",
    "ScenarioFile",
    "ScenarioItem",
    "servers_for_run",
]

CALL_PROPERTY, LOCATION_PROPERTY, WARNINGS_PROPERTY, FAILURE_PROPERTY = (
    "yemot_call",
    "yemot_place",
    "yemot_warnings",
    "yemot_failure",
)
TURNS_PROPERTY, AGENT_TURNS_PROPERTY, DEAD_AIR_PROPERTY = (
    "yemot_turns",
    "yemot_agent_turns",
    "yemot_dead_air_p95",
)
"""The names under which JUnit reports tell of a call: its conversation, file and line, how often the caller
acted and the model was asked, its silences in seconds, and the kind of its failure."""

CALL_RECORD_KEY = pytest.StashKey[CallRecord]()
"""What is kept of an item's call for the end of the run."""

SERVERS_KEY: Final = pytest.StashKey["Servers"]()


class ScenarioFile(pytest.File):
    """A ``*.call.yaml`` file."""

    run_settings: RunSettings

    @classmethod
    def create(cls, parent: pytest.Collector, path: Path, run_settings: RunSettings) -> ScenarioFile:
        """Return the collector of ``path``."""
        made: ScenarioFile = cls.from_parent(parent, path=path)
        made.run_settings = run_settings
        return made

    def collect(self) -> Iterable[pytest.Item]:
        """Load the file; all its mistakes are one collection error."""
        try:
            loaded = load(_display_path(self.path, self.config))
            _check_supported(loaded, self.run_settings)
        except ScenarioLoadError as error:
            raise self.CollectError(str(error)) from error
        for scenario in loaded.scenarios:
            yield ScenarioItem.create(self, scenario)


class ScenarioItem(pytest.Item):
    """One call."""

    scenario: Scenario
    run_settings: RunSettings
    obj: Any  # syrupy asks every item for it

    @classmethod
    def create(cls, parent: ScenarioFile, scenario: Scenario) -> ScenarioItem:
        """Return the item that plays ``scenario``."""
        made: ScenarioItem = cls.from_parent(parent, name=scenario.name)
        made.scenario, made.run_settings, made.obj = scenario, parent.run_settings, play
        made.add_marker("yemot")
        return made

    def runtest(self) -> None:
        """Play the call.

        Raises:
            ScenarioFailedError: it did not go as written.
        """
        with open_target(self.run_settings, self.scenario.app, servers_for_run(self.config)) as stage:
            outcome = self._play(stage)
            if stage.output is not None:
                self.add_report_section("call", "server", stage.output())
        if self.config.getoption("yemot_snapshot") or self.config.getini("yemot_snapshot"):
            from yemot_ai_testing.pytest_plugin.snapshots_ import check_snapshot  # noqa: PLC0415 - needs syrupy

            outcome = check_snapshot(outcome, self)
        self._store_record(outcome)
        if outcome.fake_only is not None:
            # Told at the scenario's own line; skip() would name this one.
            raise pytest.skip.Exception(f"fake only: {outcome.fake_only}", _use_item_location=True)
        failure = outcome.failure
        if failure is not None:
            report = failure_report(outcome, failure, replay=self.replay_argv)
            raise ScenarioFailedError(report, kind=failure.kind) from failure.cause

    def _play(self, target: PlayTarget) -> ScenarioResult:
        update = self.config.stash.get(UPDATE_KEY, None)
        if update is None:
            return play(self.scenario, target)
        return update.collect(play(self.scenario, target, continue_after=EXPECTATION_KINDS), self.path)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: TracebackStyle | None = None
    ) -> str | TerminalRepr:
        """Return what the toolkit has to say; anything else as pytest shows it."""
        if isinstance(excinfo.value, ToolkitError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    @property
    def replay_command(self) -> str:
        """The command that plays this call again, as a shell takes it."""
        return shlex.join(self.replay_argv)

    @property
    def replay_argv(self) -> tuple[str, ...]:
        """The command that plays this call again."""
        setting, option = self.run_settings, self.config.getoption
        given = {"url": setting.url, "app": setting.app, "serve": setting.serve}
        options = [f"--yemot-{name}={value}" for name, value in given.items() if value]
        if setting.codex != "fake":
            options.append(f"--yemot-codex={setting.codex}")
        options += [f"--yemot-allow={name}" for name in option("yemot_allow")]
        if option("yemot_snapshot"):
            options.append("--yemot-snapshot")
        if option("yemot_guard") is False:
            options.append("--no-yemot-guard")
        return ("pytest", f"{self.scenario.location.path}::{self.name}", *options, "--yemot-scenario")

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the scenario stands."""
        return self.path, self.scenario.location.line - 1, self.name

    def _store_record(self, outcome: ScenarioResult) -> None:
        """Keep what happened for whoever reports it."""
        self.stash[CALL_RECORD_KEY] = CallRecord.from_result(outcome, replay=self.replay_command)
        self.user_properties += [
            (CALL_PROPERTY, render_result(outcome)),
            (LOCATION_PROPERTY, f"{outcome.scenario.location.path}:{outcome.scenario.location.line}"),
            (TURNS_PROPERTY, len(outcome.turns)),
            (AGENT_TURNS_PROPERTY, outcome.agent_turns),
            (DEAD_AIR_PROPERTY, round(percentile(outcome.dead_air or [0.0], 95), 1)),
            (WARNINGS_PROPERTY, list(outcome.warnings)),
        ]
        if outcome.failure is not None:
            self.user_properties.append((FAILURE_PROPERTY, outcome.failure.kind))


def _display_path(path: Path, config: pytest.Config) -> Path:
    """Return ``path`` as a person at the command line would write it."""
    here = config.invocation_params.dir
    return path.relative_to(here) if path.is_relative_to(here) else path


def servers_for_run(config: pytest.Config) -> Servers:
    """Return the servers of this run, which end with it."""
    if SERVERS_KEY not in config.stash:
        # Imported here: most runs start none.
        from yemot_ai_testing.scenario.play.servers import Servers  # noqa: PLC0415 - see above

        config.stash[SERVERS_KEY] = Servers()
        config.add_cleanup(config.stash[SERVERS_KEY].close)
    return config.stash[SERVERS_KEY]


def _check_supported(loaded: CallFile, run_settings: RunSettings) -> None:
    """Refuse what needs more of an application than its kind can give.

    Raises:
        ScenarioLoadError: a scenario scripts a model that is not ours, or counts what nobody can see.
    """
    problems = [
        problem
        for scenario in loaded.scenarios
        for problem in _unsupported_parts(scenario, run_settings.target(scenario.app))
    ]
    if problems:
        raise ScenarioLoadError(problems)


def _unsupported_parts(scenario: Scenario, target: str | ServerCommand) -> Iterator[str]:
    afterwards = scenario.afterwards
    if isinstance(target, ServerCommand):
        if afterwards and "sessions_open" in afterwards.counts:
            yield f"{afterwards.location}: afterwards: nobody sees the sessions_open of a server: leave it out"
    elif "://" in target:
        if afterwards:
            yield (
                f"{afterwards.location}: afterwards: nothing can be counted behind {target}; "
                "leave it out, or call the application in this process (--yemot-app)"
            )
        for turn in scenario.turns:
            if turn.agent:
                yield (
                    f"{turn.location}: agent: there is no double behind {target}; its model is its own, "
                    "so leave agent: out, or start the server from here (serve:)"
                )
