"""The pytest plugin: options, one marker, fixtures and hooks.

It works without the ``testing`` extra, and imports heavy modules only when they are used, so that a project
with this package installed has no cost in its other test runs.
"""

# ruff: noqa: PLC0415 - the imports in functions cost time that only runs of scenarios need

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Its state is that of the process, and a pytest run inside a pytest run unloads the modules that it imports
# first.
import yemot_ai_testing.isolation.audit_hook  # noqa: F401 - see above
from yemot_ai_testing.pytest_plugin.current_test import set_current_test
from yemot_ai_testing.pytest_plugin.fixtures import (
    TEST_PASSED,
    anthropic_mock,
    fake_codex,
    model_server,
    openai_mock,
    yemot_caller,
    yemot_codex,
    yemot_snapshot,
)
from yemot_ai_testing.pytest_plugin.options import (
    SCENARIO_SUFFIX,
    add_options,
    check_old_names,
    missing_package_error,
    run_settings,
)

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from yemot_ai_testing.pytest_plugin.results import CallResults
    from yemot_ai_testing.scenario.play.target import RunSettings

__all__ = [
    "anthropic_mock",
    "fake_codex",
    "model_server",
    "openai_mock",
    "yemot_caller",
    "yemot_codex",
    "yemot_snapshot",
]

CALL_RESULTS_KEY: pytest.StashKey[CallResults] = pytest.StashKey()
MARKER = (
    "yemot(app=None, url=None, codex=None, **caller): the application or URL that yemot_caller calls, the "
    "Codex behind it, and further arguments of Caller"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and their ini keys."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; check the options; set up a run of scenarios."""
    check_old_names(config)
    config.addinivalue_line("markers", MARKER)
    if _is_isolated(config):
        _register_isolation(config)
    if not _runs_scenarios(config):
        if config.getoption("yemot_update"):
            raise pytest.UsageError("--yemot-update rewrites scenarios: add --yemot-scenario")
        if config.getoption("yemot_html"):
            raise pytest.UsageError("--yemot-html shows scenarios: add --yemot-scenario")
        for path in (arg for arg in config.args if arg.partition("::")[0].endswith(SCENARIO_SUFFIX)):
            raise pytest.UsageError(f"{path} is a scenario file: add --yemot-scenario")
        return
    _check_options(config)
    _register_results(config)
    if config.getoption("yemot_update"):
        from yemot_ai_testing.pytest_plugin.update import UpdatePlugin

        config.pluginmanager.register(UpdatePlugin(config))
    if config.args_source is not config.ArgsSource.ARGS:
        config.args[:] = _scenario_paths(config) or config.args
    else:
        config.args += [path for path in _named_paths(config) if path not in config.args]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore all files but scenario files in a run of scenarios."""
    if not _runs_scenarios(config) or collection_path.is_dir():
        return None
    return None if collection_path.name.endswith(SCENARIO_SUFFIX) else True


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect ``*.call.yaml`` files in a run of scenarios."""
    if not _runs_scenarios(parent.config) or not file_path.name.endswith(SCENARIO_SUFFIX):
        return None
    from yemot_ai_testing.pytest_plugin.scenario_items import ScenarioFile

    return ScenarioFile.create(parent, file_path, run_settings(parent.config))


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Print the calls and their counts."""
    if _runs_scenarios(config):
        from yemot_ai_testing.pytest_plugin.summary import write_summary

        write_summary(terminalreporter, config.stash[CALL_RESULTS_KEY].calls)


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain the difference between two responses field by field."""
    if op != "==" or "yemot_ai.protocol" not in sys.modules:
        return None
    from yemot_ai.protocol import Response

    if not isinstance(left, Response) or not isinstance(right, Response):
        return None
    from yemot_ai_testing.response_diff import compare

    return ["the responses differ (expected → received)", *compare(right, left)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test whose marker has an unknown argument."""
    if item.get_closest_marker("yemot") is not None:
        from yemot_ai_testing.pytest_plugin.marker import check_markers

        errors = check_markers(item)
        if errors:
            pytest.fail("\n".join(errors), pytrace=False)
    return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Record whether the test passed; only then do its doubles check their scripts."""
    with set_current_test(item):
        result = yield
    item.stash[TEST_PASSED] = True
    return result


def _register_results(config: pytest.Config) -> None:
    from yemot_ai_testing.pytest_plugin.results import CallResults

    results = config.stash[CALL_RESULTS_KEY] = CallResults()
    config.pluginmanager.register(results, "yemot_calls")
    if config.getoption("yemot_html") or config.getini("yemot_html"):
        try:
            from yemot_ai_testing.pytest_plugin.html import register_html_report
        except ModuleNotFoundError as error:
            raise missing_package_error(error.name or "Jinja2") from error
        register_html_report(config, results)


def _runs_scenarios(config: pytest.Config) -> bool:
    return bool(config.getoption("yemot_scenario", default=None))


def _is_isolated(config: pytest.Config) -> bool:
    """Return whether network access is blocked: by option, by ini key, else in runs of scenarios."""
    values = (config.getoption("yemot_block_network", default=None), config.getini("yemot_block_network"))
    return next((value for value in values if value is not None), _runs_scenarios(config))


def _register_isolation(config: pytest.Config) -> None:
    from yemot_ai_testing.pytest_plugin.isolation import PLUGIN_NAME, IsolationPlugin

    hosts = run_settings(config).remote_hosts
    allowed = {*config.getoption("yemot_allow"), *config.getini("yemot_allow"), *hosts}
    is_controller = config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput")
    config.pluginmanager.register(IsolationPlugin(allowed, is_controller=is_controller), PLUGIN_NAME)


def _scenario_paths(config: pytest.Config) -> list[str]:
    return _named_paths(config) or [str(path) for path in config.getini("yemot_scenarios")]


def _named_paths(config: pytest.Config) -> list[str]:
    folder = config.invocation_params.dir
    return [str(folder / path) for path in config.getoption("yemot_scenario") if path]


def _check_options(config: pytest.Config) -> None:
    """Check the options, so that a mistake does not fail each scenario.

    Raises:
        pytest.UsageError: a path does not exist or is not a scenario file; the extra is not installed; there
            is no such application or no such Codex.
    """
    for path in _scenario_paths(config):
        if not Path(path).exists():
            raise pytest.UsageError(f"--yemot-scenario: there is no {path}")
        if not path.endswith(SCENARIO_SUFFIX) and not Path(path).is_dir():
            raise pytest.UsageError(
                f"--yemot-scenario: {path} is neither a *{SCENARIO_SUFFIX} file nor a folder"
            )
    try:
        import yaml  # noqa: F401 - only to see if it is installed
    except ModuleNotFoundError as error:
        raise missing_package_error("PyYAML") from error
    _check_target(run_settings(config))
    _check_app(run_settings(config))
    spec = run_settings(config).codex
    if spec != "fake":
        from yemot_ai_testing.codex.binary import BinaryNotFoundError, CodexSpecError
        from yemot_ai_testing.scenario.play.target import resolve_codex

        try:
            resolve_codex(spec)
        except (BinaryNotFoundError, CodexSpecError) as error:
            raise pytest.UsageError(f"--yemot-codex={spec}: {error}") from error


def _check_target(settings: RunSettings) -> None:
    options = [f"--yemot-{name}" for name in ("app", "url", "serve") if getattr(settings, name)]
    if len(options) > 1:
        raise pytest.UsageError(f"{' and '.join(options)} each name what is called: leave one out")
    for option, url in {"--yemot-url": settings.url, "yemot_url": settings.default_url}.items():
        if url and "://" not in url:
            raise pytest.UsageError(f"{option}={url}: write a whole URL, such as http://127.0.0.1:8000/yemot")


def _check_app(settings: RunSettings) -> None:
    from yemot_ai_testing.errors import AppError
    from yemot_ai_testing.scenario.play.target import import_attribute

    try:
        settings.target(None)
    except AppError as error:
        raise pytest.UsageError(f"--yemot-serve: {error}") from error
    if settings.app is None or settings.url or "://" in settings.app:
        return
    try:
        import_attribute(settings.app, settings.root)
    except AppError as error:
        raise pytest.UsageError(f"--yemot-app={settings.app}: {error}") from error
