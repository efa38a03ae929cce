"""The pytest plugin: options, one marker, fixtures, and the hooks of every run.

Each feature of a run is a plugin object of its own (``FEATURES``). It works without the ``testing`` extra,
and imports heavy modules only when they are used, so that a project with this package installed has no cost
in its other test runs.
"""

# ruff: noqa: PLC0415 - the imports in functions cost time that only their users need

from __future__ import annotations

import sys
from collections.abc import Generator

import pytest

# Its state is that of the process, and a pytest run inside a pytest run unloads the modules that it imports
# first. By this name, because pytest looks for fixtures in each object of this module, and asking the package
# for a name that it lacks imports the library.
from yemot_ai_testing.isolation import audit_hook  # noqa: F401 - see above
from yemot_ai_testing.pytest_plugin.current_test import set_current_test
from yemot_ai_testing.pytest_plugin.fixtures import *  # noqa: F403 - pytest looks for the fixtures here
from yemot_ai_testing.pytest_plugin.fixtures import TEST_PASSED
from yemot_ai_testing.pytest_plugin.nesting import begin_run, end_run
from yemot_ai_testing.pytest_plugin.option_table import add_options
from yemot_ai_testing.pytest_plugin.options import import_feature, is_isolated, runs_scenarios
from yemot_ai_testing.pytest_plugin.report_options import (
    collects_calls,
    measures,
    writes_github,
    writes_junit,
    writes_page,
)
from yemot_ai_testing.pytest_plugin.usage import check_usage

MARKER = (
    "yemot(app=None, url=None, codex=None, **caller): the application or URL that yemot_caller calls, the "
    "Codex behind it, and further arguments of Caller"
)
FEATURES = {
    "yemot_isolation": (is_isolated, "isolation:IsolationPlugin"),
    "yemot_calls": (collects_calls, "reports.call_log:CallLog"),
    "yemot_scenarios": (runs_scenarios, "scenarios.selection:ScenarioPlugin"),
    "yemot_left_out": (lambda _config: True, "scenarios.left_out:LeftOutPlugin"),
    "yemot_reached": (collects_calls, "reports.reached:ReachedPlugin"),
    "yemot_baseline": (measures, "scenarios.baseline:BaselinePlugin"),
    "yemot_html": (writes_page, "reports.html:HtmlReportPlugin"),
    "yemot_junit": (writes_junit, "reports.junit:JUnitPlugin"),
    "yemot_github": (writes_github, "reports.github:GitHubPlugin"),
    "yemot_update": (lambda config: config.getoption("yemot_update"), "scenarios.update:UpdatePlugin"),
}
"""Name in the plugin manager: whether a run has the feature, and the plugin class, in ``pytest_plugin``."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and their ini keys."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and the plugins of this run's features."""
    begin_run(config)
    check_usage(config)
    config.addinivalue_line("markers", MARKER)
    for name, (is_active, plugin) in FEATURES.items():
        if is_active(config):
            config.pluginmanager.register(import_feature(f"pytest_plugin.{plugin}").from_config(config), name)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the run."""
    end_run(config)


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
