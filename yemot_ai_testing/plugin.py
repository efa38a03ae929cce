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
from yemot_ai_testing.pytest_plugin.current_test import runs
from yemot_ai_testing.pytest_plugin.fixtures import (
    anthropic_mock,
    fake_codex,
    mismatches_of,
    model_server,
    openai_mock,
    yemot_caller,
    yemot_codex,
    yemot_snapshot,
)
from yemot_ai_testing.pytest_plugin.options import SUFFIX, add_options, missing, setting_of

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from yemot_ai_testing.pytest_plugin.results import Ledger
    from yemot_ai_testing.scenario.play.target import Setting

__all__ = [
    "anthropic_mock",
    "fake_codex",
    "model_server",
    "openai_mock",
    "yemot_caller",
    "yemot_codex",
    "yemot_snapshot",
]

LEDGER: pytest.StashKey[Ledger] = pytest.StashKey()
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
    if _is_guarded(config):
        _set_guard(config)
    if not _plays_scenarios(config):
        if config.getoption("yemot_update"):
            raise pytest.UsageError("--yemot-update rewrites scenarios: add --yemot-scenario")
        if config.getoption("yemot_html"):
            raise pytest.UsageError("--yemot-html shows scenarios: add --yemot-scenario")
        for path in (arg for arg in config.args if arg.partition("::")[0].endswith(SUFFIX)):
            raise pytest.UsageError(f"{path} is a file of calls: add --yemot-scenario")
        return
    _check(config)
    _keep_calls(config)
    if config.getoption("yemot_update"):
        from yemot_ai_testing.pytest_plugin.update import Updating

        config.pluginmanager.register(Updating(config))
    if config.args_source is not config.ArgsSource.ARGS:
        config.args[:] = _scenario_paths(config) or config.args
    else:
        config.args += [path for path in _named_paths(config) if path not in config.args]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave everything but scenarios aside in a run of scenarios."""
    if not _plays_scenarios(config) or collection_path.is_dir():
        return None
    return None if collection_path.name.endswith(SUFFIX) else True


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect ``*.call.yaml`` when scenarios are asked for."""
    if not _plays_scenarios(parent.config) or not file_path.name.endswith(SUFFIX):
        return None
    from yemot_ai_testing.pytest_plugin.scenario_items import ScenarioFile

    return ScenarioFile.of(parent, file_path, setting_of(parent.config))


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Show each call as a conversation, and count what was played."""
    if _plays_scenarios(config):
        from yemot_ai_testing.pytest_plugin.summary import summarise

        summarise(terminalreporter, config.stash[LEDGER].calls)


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
        from yemot_ai_testing.pytest_plugin.marker import check

        mistakes = check(item)
        if mistakes:
            pytest.fail("\n".join(mistakes), pytrace=False)
    return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test whose doubles were not asked what was scripted."""
    with runs(item):
        yield
    mismatches = mismatches_of(item)
    if mismatches:
        pytest.fail("\n".join(mismatches), pytrace=False)


def _keep_calls(config: pytest.Config) -> None:
    from yemot_ai_testing.pytest_plugin.results import Ledger

    ledger = config.stash[LEDGER] = Ledger()
    config.pluginmanager.register(ledger, "yemot_calls")
    if config.getoption("yemot_html") or config.getini("yemot_html"):
        try:
            from yemot_ai_testing.pytest_plugin.html import keep_page
        except ModuleNotFoundError as error:
            raise missing(error.name or "Jinja2") from error
        keep_page(config, ledger)


def _plays_scenarios(config: pytest.Config) -> bool:
    return bool(config.getoption("yemot_scenario", default=None))


def _is_guarded(config: pytest.Config) -> bool:
    """Tell whether the guard stands: by option, by ini key, or because scenarios are played."""
    wanted = (config.getoption("yemot_guard", default=None), config.getini("yemot_guard"))
    return next((one for one in wanted if one is not None), _plays_scenarios(config))


def _set_guard(config: pytest.Config) -> None:
    from yemot_ai_testing.pytest_plugin.isolation import GUARD, GuardedRun

    setting = setting_of(config)
    allowed = {*config.getoption("yemot_allow"), *config.getini("yemot_allow"), *setting.remote_hosts}
    # xdist's controller runs no test.
    spawns = config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput")
    config.pluginmanager.register(GuardedRun(allowed, spawns=spawns), GUARD)


def _scenario_paths(config: pytest.Config) -> list[str]:
    return _named_paths(config) or [str(path) for path in config.getini("yemot_scenarios")]


def _named_paths(config: pytest.Config) -> list[str]:
    here = config.invocation_params.dir
    return [str(here / path) for path in config.getoption("yemot_scenario") if path]


def _check(config: pytest.Config) -> None:
    """Refuse at once what would fail every scenario.

    Raises:
        pytest.UsageError: a path is not there, or holds no scenarios; the extra is missing; there is no
            such application, or no such Codex.
    """
    for path in _scenario_paths(config):
        if not Path(path).exists():
            raise pytest.UsageError(f"--yemot-scenario: there is no {path}")
        if not path.endswith(SUFFIX) and not Path(path).is_dir():
            raise pytest.UsageError(f"--yemot-scenario: {path} is neither a *{SUFFIX} file nor a folder")
    try:
        import yaml  # noqa: F401 - only whether it is there
    except ModuleNotFoundError as error:
        raise missing("PyYAML") from error
    _check_target(setting_of(config))
    _check_app(setting_of(config))
    spec = setting_of(config).codex
    if spec != "fake":
        from yemot_ai_testing.codex.binary import BinaryNotFoundError
        from yemot_ai_testing.scenario.play.target import codex_meant

        try:
            codex_meant(spec)
        except BinaryNotFoundError as error:
            raise pytest.UsageError(f"--yemot-codex={spec}: {error}") from error


def _check_target(setting: Setting) -> None:
    given = [f"--yemot-{name}" for name in ("app", "url", "serve") if getattr(setting, name)]
    if len(given) > 1:
        raise pytest.UsageError(f"{' and '.join(given)} each say what is called: leave one out")
    for option, url in {"--yemot-url": setting.url, "yemot_url": setting.default_url}.items():
        if url and "://" not in url:
            raise pytest.UsageError(f"{option}={url}: write a whole url, such as http://127.0.0.1:8000/yemot")


def _check_app(setting: Setting) -> None:
    from yemot_ai_testing.errors import AppError
    from yemot_ai_testing.scenario.play.target import named

    try:
        setting.target(None)
    except AppError as error:
        raise pytest.UsageError(f"--yemot-serve: {error}") from error
    if setting.app is None or setting.url or "://" in setting.app:
        return
    try:
        named(setting.app, setting.root)
    except AppError as error:
        raise pytest.UsageError(f"--yemot-app={setting.app}: {error}") from error
