"""Selects and collects scenarios: alone (``--yemot-scenario``), or with all tests (``--yemot-also``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from yemot_ai_testing.codex.binary import BinaryNotFoundError, CodexSpecError
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.pytest_plugin.option_table import SCENARIO_SUFFIX
from yemot_ai_testing.pytest_plugin.options import plays_only_scenarios, run_settings
from yemot_ai_testing.pytest_plugin.reports.call_log import CallLog, log_of_run
from yemot_ai_testing.pytest_plugin.reports.summary import write_summary
from yemot_ai_testing.pytest_plugin.scenarios.items import ScenarioFile
from yemot_ai_testing.scenario.play.target import RunSettings, import_attribute, resolve_codex

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["ScenarioPlugin"]


class ScenarioPlugin:
    """The plugin of a run that plays scenarios.

    Args:
        log: the calls of the run.
        is_exclusive: only scenarios are collected.
    """

    def __init__(self, log: CallLog, *, is_exclusive: bool) -> None:
        self._log = log
        self._is_exclusive = is_exclusive

    @classmethod
    def from_config(cls, config: pytest.Config) -> Self:
        """Return the plugin of a run, and give pytest the paths of its scenarios.

        The options are checked here, so that a mistake does not fail each scenario.

        Raises:
            pytest.UsageError: there is no such path, application or Codex, or a path is no scenario file.
        """
        named = [
            str(config.invocation_params.dir / path)
            for path in config.getoption("yemot_scenario") or ()
            if path
        ]
        paths = named or [str(path) for path in config.getini("yemot_scenarios")]
        _check_paths(paths)
        settings = run_settings(config)
        _check_target(settings)
        _check_codex(settings.codex)
        is_exclusive = plays_only_scenarios(config)
        if config.args_source is config.ArgsSource.ARGS:
            paths = named
        elif is_exclusive and paths:
            config.args.clear()
        config.args += [path for path in paths if path not in config.args]
        return cls(log_of_run(config), is_exclusive=is_exclusive)

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Ignore all files but scenario files, unless Python tests run too."""
        if not self._is_exclusive or collection_path.is_dir() or _is_scenario_file(collection_path):
            return None
        return True

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collect ``*.call.yaml`` files."""
        return ScenarioFile.from_parent(parent, path=file_path) if _is_scenario_file(file_path) else None

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print the calls and their counts."""
        write_summary(terminalreporter, self._log.calls)


def _is_scenario_file(path: Path) -> bool:
    return path.name.endswith(SCENARIO_SUFFIX)


def _check_paths(paths: list[str]) -> None:
    for path in map(Path, paths):
        if not path.exists():
            raise pytest.UsageError(f"--yemot-scenario: there is no {path}")
        if not _is_scenario_file(path) and not path.is_dir():
            raise pytest.UsageError(
                f"--yemot-scenario: {path} is neither a *{SCENARIO_SUFFIX} file nor a folder"
            )


def _check_target(settings: RunSettings) -> None:
    options = [f"--yemot-{name}" for name in ("app", "url", "serve") if getattr(settings, name)]
    if len(options) > 1:
        raise pytest.UsageError(f"{' and '.join(options)} each name what is called: leave one out")
    for option, url in {"--yemot-url": settings.url, "yemot_url": settings.default_url}.items():
        if url and "://" not in url:
            raise pytest.UsageError(f"{option}={url}: write a whole URL, such as http://127.0.0.1:8000/yemot")
    option = "--yemot-serve"
    try:
        settings.target(None)
        if settings.app and not settings.url and "://" not in settings.app:
            option = f"--yemot-app={settings.app}"
            import_attribute(settings.app, settings.root)
    except AppError as error:
        raise pytest.UsageError(f"{option}: {error}") from error


def _check_codex(spec: str) -> None:
    try:
        resolve_codex(spec)
    except (BinaryNotFoundError, CodexSpecError) as error:
        raise pytest.UsageError(f"--yemot-codex={spec}: {error}") from error
