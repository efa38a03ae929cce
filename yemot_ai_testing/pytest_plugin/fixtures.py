"""The fixtures of the plugin: doubles and callers.

A double checks its script after a test that passed; a test that failed reports only its own error.
"""

# ruff: noqa: PLC0415 - the imports in functions cost time that only users of the fixtures need

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from yemot_ai_testing.pytest_plugin.options import import_feature, run_settings

if TYPE_CHECKING:
    from yemot_ai_testing.codex.fake.double import FakeCodex
    from yemot_ai_testing.doubles.model_service.server import ModelServer
    from yemot_ai_testing.doubles.sdk_mocks import AnthropicMock, OpenAIMock
    from yemot_ai_testing.line.caller import Caller
    from yemot_ai_testing.scenario.play.leftovers import ModelDouble
    from yemot_ai_testing.scenario.play.tools.runs import ToolRuns

__all__ = [
    "anthropic_mock",
    "fake_codex",
    "model_server",
    "openai_mock",
    "yemot_caller",
    "yemot_codex",
    "yemot_snapshot",
    "yemot_tools",
]

TEST_PASSED: pytest.StashKey[bool] = pytest.StashKey()


@pytest.fixture
def fake_codex(request: pytest.FixtureRequest) -> Iterator[FakeCodex]:
    """A scripted executable named ``codex``, first on ``PATH``."""
    yield from _checked_double(request, "codex.fake.double:FakeCodex")


@pytest.fixture
def model_server(request: pytest.FixtureRequest) -> Iterator[ModelServer]:
    """A scripted model service on this machine."""
    yield from _checked_double(request, "doubles.model_service.server:ModelServer")


@pytest.fixture
def openai_mock(request: pytest.FixtureRequest) -> Iterator[OpenAIMock]:
    """OpenAI's Responses API and Chat Completions, scripted, in this process."""
    yield from _checked_double(request, "doubles.sdk_mocks:OpenAIMock")


@pytest.fixture
def anthropic_mock(request: pytest.FixtureRequest) -> Iterator[AnthropicMock]:
    """Anthropic's Messages API, scripted, in this process."""
    yield from _checked_double(request, "doubles.sdk_mocks:AnthropicMock")


@pytest.fixture
def yemot_codex(request: pytest.FixtureRequest) -> Iterator[ModelDouble]:
    """The Codex that the marker or ``--yemot-codex`` names; by default it is ``fake_codex``."""
    spec = _marker_arguments(request).get("codex") or run_settings(request.config).codex
    if spec == "fake":
        yield request.getfixturevalue("fake_codex")
        return
    from yemot_ai_testing.scenario.play.target import codex_double, resolve_codex

    with _fail_without_traceback():
        resolve_codex(spec)
    with codex_double(spec) as double:
        yield double
        _check_after_test(request, double)


@pytest.fixture
def yemot_tools() -> Iterator[ToolRuns]:
    """The calls of tools in this test, and ``replace``, which lets something run in the place of a tool.

    Iterating yields a ``ToolRun`` for each call: its name, arguments, result, call id, and how often it ran.
    It sees the tools of this process, in calls that the test itself makes, also with ``yemot_caller``.
    """
    from yemot_ai.tools.observation import observe_tools
    from yemot_ai_testing.scenario.play.tools.runs import ToolRuns

    tools = ToolRuns()
    with observe_tools(tools):
        yield tools


@pytest.fixture
def yemot_caller(request: pytest.FixtureRequest, yemot_tools: ToolRuns) -> Iterator[Caller]:
    """A caller who has not dialled yet; the marker, else the options, name what it calls.

    An application that is called in this process gets the doubles of a scenario: Codex, OpenAI and Anthropic
    take the steps of ``yemot_codex``, and no key is needed. The report of a failed test shows
    the call as a conversation.
    """
    from yemot_ai_testing.line.caller import Caller
    from yemot_ai_testing.pytest_plugin.reports.call_log import record_test
    from yemot_ai_testing.scenario.format.model import ServerCommand
    from yemot_ai_testing.scenario.play.target import load_app, target_name
    from yemot_ai_testing.scenario.play.tools.runs import declared_tools, line_time
    from yemot_ai_testing.scenario.report.text import render_transcript

    arguments = _marker_arguments(request)
    settings = run_settings(request.config)
    target = arguments.pop("url", None) or arguments.pop("app", None) or settings.target(None)
    options = {name: value for name, value in arguments.items() if name not in {"app", "url", "codex"}}
    called, model = target_name(target), None
    with ExitStack() as stack:
        if isinstance(target, ServerCommand):
            from yemot_ai_testing.pytest_plugin.scenarios.servers import servers_for_run

            with _fail_without_traceback():
                running = servers_for_run(request.config).get_or_start(target)
            stack.enter_context(running.use_codex(request.getfixturevalue("yemot_codex")))
            target = running.server.url
        elif not (isinstance(target, str) and "://" in target):
            from yemot_ai_testing.scenario.play.model_double import (
                open_double,
                service_environment,
                warm_up_services,
            )

            model = stack.enter_context(service_environment())
            open_double(request.getfixturevalue("yemot_codex"), model)
            with _fail_without_traceback():
                target = load_app(target, settings.root) if isinstance(target, str) else target
            warm_up_services(target)
        caller = stack.enter_context(
            Caller(target, **{"remote": settings.remote, **settings.line, **options})
        )
        with _fail_without_traceback():
            yemot_tools.observe(declared_tools(target), line_time(caller))
        record_test(request.node, caller, target, called, yemot_tools)
        yield caller
        if caller.dialled:
            text = render_transcript(caller.transcript, yemot_tools.calls)
            request.node.add_report_section("teardown", "phone call", text)
        if model is not None:
            _check_after_test(request, model)


@pytest.fixture
def yemot_snapshot(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401 - a class of syrupy, which may be missing
    """A syrupy snapshot of raw responses: ``assert caller.raw == yemot_snapshot``."""
    return import_feature("pytest_plugin.snapshots:snapshot_of")(request.node)


def _checked_double(request: pytest.FixtureRequest, name: str) -> Iterator[Any]:
    """Enter a double; check its script at the end if the test passed."""
    from yemot_ai_testing.doubles.scripted_double import unchecked

    with unchecked(import_feature(name)()) as double:
        yield double
        _check_after_test(request, double)


def _check_after_test(request: pytest.FixtureRequest, double: ModelDouble) -> None:
    if not request.node.stash.get(TEST_PASSED, False):
        return
    try:
        double.assert_complete()
    except AssertionError as error:
        mismatch = str(error)
    else:
        return
    pytest.fail(mismatch, pytrace=False)  # outside ``except``: a chained exception would be printed too


@contextmanager
def _fail_without_traceback() -> Iterator[None]:
    """Fail the test with the message of a toolkit error, without a traceback into the toolkit."""
    from yemot_ai_testing.codex.binary import BinaryNotFoundError
    from yemot_ai_testing.errors import ToolkitError

    try:
        yield
    except (BinaryNotFoundError, ToolkitError) as error:
        pytest.fail(str(error), pytrace=False)


def _marker_arguments(request: pytest.FixtureRequest) -> dict[str, Any]:
    marker = request.node.get_closest_marker("yemot")
    return dict(marker.kwargs) if marker else {}
