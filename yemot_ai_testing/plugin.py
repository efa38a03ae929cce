"""The pytest plugin: options, one marker, and fixtures.

It imports without the ``testing`` extra, and whatever is heavy only when it is used: a project that has
this package installed pays nothing for it in its other runs.
"""

# ruff: noqa: PLC0415 - every import below the top is one that a run without scenarios must not pay for

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Each stands for this whole process, and a run inside of a run forgets what it was the first to import.
import yemot_ai_testing.isolation.audit_hook  # noqa: F401 - see above
from yemot_ai_testing.pytest_plugin.current_test import set_current_test
from yemot_ai_testing.pytest_plugin.fixtures import (
    anthropic_mock,
    fake_codex,
    model_server,
    openai_mock,
    script_mismatches,
    yemot_caller,
    yemot_codex,
    yemot_snapshot,
)
from yemot_ai_testing.pytest_plugin.options import (
    SCENARIO_SUFFIX,
    add_options,
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
    "yemot(app=None, url=None, codex=None, **caller): what the yemot_caller of a test calls (a module:attr, "
    "an application, or an url), with which Codex, and further arguments of Caller"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and their ini keys."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and let a run of scenarios collect nothing else."""
    config.addinivalue_line("markers", MARKER)
    if _is_isolated(config):
        _register_isolation(config)
    if not _runs_scenarios(config):
        if config.getoption("yemot_update"):
            raise pytest.UsageError("--yemot-update rewrites scenarios: add --yemot-scenario")
        if config.getoption("yemot_html"):
            raise pytest.UsageError("--yemot-html shows scenarios: add --yemot-scenario")
        for path in (arg for arg in config.args if arg.partition("::")[0].endswith(SCENARIO_SUFFIX)):
            raise pytest.UsageError(f"{path} is a file of calls: add --yemot-scenario")
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
    """Leave everything but scenarios aside in a run of scenarios."""
    if not _runs_scenarios(config) or collection_path.is_dir():
        return None
    return None if collection_path.name.endswith(SCENARIO_SUFFIX) else True


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect ``*.call.yaml`` when scenarios are asked for."""
    if not _runs_scenarios(parent.config) or not file_path.name.endswith(SCENARIO_SUFFIX):
        return None
    from yemot_ai_testing.pytest_plugin.scenario_items import ScenarioFile

    return ScenarioFile.create(parent, file_path, run_settings(parent.config))


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Show each call as a conversation, and count what was played."""
    if _runs_scenarios(config):
        from yemot_ai_testing.pytest_plugin.summary import write_summary

        write_summary(terminalreporter, config.stash[CALL_RESULTS_KEY].calls)


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Tell what differs between two answers by meaning."""
    if op != "==" or "yemot_ai.protocol" not in sys.modules:
        return None
    from yemot_ai.protocol import Response

    if not isinstance(left, Response) or not isinstance(right, Response):
        return None
    from yemot_ai_testing.response_diff import compare

    return ["the answers differ (expected → received)", *compare(right, left)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Refuse a marker with an argument that it does not have."""
    if item.get_closest_marker("yemot") is not None:
        from yemot_ai_testing.pytest_plugin.marker import check_markers

        mistakes = check_markers(item)
        if mistakes:
            pytest.fail("\n".join(mistakes), pytrace=False)
    return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test whose doubles were not asked what was scripted."""
    with set_current_test(item):
        yield
    mismatches = script_mismatches(item)
    if mismatches:
        pytest.fail("\n".join(mismatches), pytrace=False)


def _register_results(config: pytest.Config) -> None:
    from yemot_ai_testing.pytest_plugin.results import CallResults

    ledger = config.stash[CALL_RESULTS_KEY] = CallResults()
    config.pluginmanager.register(ledger, "yemot_calls")
    if config.getoption("yemot_html") or config.getini("yemot_html"):
        try:
            from yemot_ai_testing.pytest_plugin.html import register_html_report
        except ModuleNotFoundError as error:
            raise missing_package_error(error.name or "Jinja2") from error
        register_html_report(config, ledger)


def _runs_scenarios(config: pytest.Config) -> bool:
    return bool(config.getoption("yemot_scenario", default=None))


def _is_isolated(config: pytest.Config) -> bool:
    """Tell whether the guard stands: by option, by ini key, or because scenarios are played."""
    wanted = (config.getoption("yemot_guard", default=None), config.getini("yemot_guard"))
    return next((one for one in wanted if one is not None), _runs_scenarios(config))


def _register_isolation(config: pytest.Config) -> None:
    from yemot_ai_testing.pytest_plugin.isolation import PLUGIN_NAME, IsolationPlugin

    setting = run_settings(config)
    allowed = {*config.getoption("yemot_allow"), *config.getini("yemot_allow"), *setting.remote_hosts}
    # xdist's controller runs no test.
    spawns = config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput")
    config.pluginmanager.register(IsolationPlugin(allowed, is_controller=spawns), PLUGIN_NAME)


def _scenario_paths(config: pytest.Config) -> list[str]:
    return _named_paths(config) or [str(path) for path in config.getini("yemot_scenarios")]


def _named_paths(config: pytest.Config) -> list[str]:
    here = config.invocation_params.dir
    return [str(here / path) for path in config.getoption("yemot_scenario") if path]


def _check_options(config: pytest.Config) -> None:
    """Refuse at once what would fail every scenario.

    Raises:
        pytest.UsageError: a path is not there, or holds no scenarios; the extra is missing; there is no
            such application, or no such Codex.
    """
    for path in _scenario_paths(config):
        if not Path(path).exists():
            raise pytest.UsageError(f"--yemot-scenario: there is no {path}")
        if not path.endswith(SCENARIO_SUFFIX) and not Path(path).is_dir():
            raise pytest.UsageError(
                f"--yemot-scenario: {path} is neither a *{SCENARIO_SUFFIX} file nor a folder"
            )
    try:
        import yaml  # noqa: F401 - only whether it is there
    except ModuleNotFoundError as error:
        raise missing_package_error("PyYAML") from error
    _check_target(run_settings(config))
    _check_app(run_settings(config))
    spec = run_settings(config).codex
    if spec != "fake":
        from yemot_ai_testing.codex.binary import BinaryNotFoundError
        from yemot_ai_testing.scenario.play.target import resolve_codex

        try:
            resolve_codex(spec)
        except BinaryNotFoundError as error:
            raise pytest.UsageError(f"--yemot-codex={spec}: {error}") from error


def _check_target(setting: RunSettings) -> None:
    given = [f"--yemot-{name}" for name in ("app", "url", "serve") if getattr(setting, name)]
    if len(given) > 1:
        raise pytest.UsageError(f"{' and '.join(given)} each say what is called: leave one out")
    for option, url in {"--yemot-url": setting.url, "yemot_url": setting.default_url}.items():
        if url and "://" not in url:
            raise pytest.UsageError(f"{option}={url}: write a whole url, such as http://127.0.0.1:8000/yemot")


def _check_app(setting: RunSettings) -> None:
    from yemot_ai_testing.errors import AppError
    from yemot_ai_testing.scenario.play.target import import_attribute

    try:
        setting.target(None)
    except AppError as error:
        raise pytest.UsageError(f"--yemot-serve: {error}") from error
    if setting.app is None or setting.url or "://" in setting.app:
        return
    try:
        import_attribute(setting.app, setting.root)
    except AppError as error:
        raise pytest.UsageError(f"--yemot-app={setting.app}: {error}") from error
