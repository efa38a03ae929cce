"""The fixtures of the plugin: doubles and callers, each made when a test asks for it.

A test that ends well and whose double was not asked exactly what is scripted fails after all.
"""

# ruff: noqa: PLC0415 - every import below the top is one that a run without the fixture must not pay for

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from yemot_ai_testing.pytest_plugin.options import missing_package_error, run_settings

if TYPE_CHECKING:
    from yemot_ai_testing.codex.fake.double import FakeCodex
    from yemot_ai_testing.doubles.anthropic import AnthropicMock
    from yemot_ai_testing.doubles.model_service.server import ModelServer
    from yemot_ai_testing.doubles.openai import OpenAIMock
    from yemot_ai_testing.line.caller import Caller
    from yemot_ai_testing.scenario.play.leftovers import ModelDouble

__all__ = [
    "anthropic_mock",
    "fake_codex",
    "model_server",
    "openai_mock",
    "script_mismatches",
    "yemot_caller",
    "yemot_codex",
    "yemot_snapshot",
]

D = TypeVar("D", bound="ModelDouble")
_DOUBLES: pytest.StashKey[list[ModelDouble]] = pytest.StashKey()


def script_mismatches(item: pytest.Item) -> list[str]:
    """Return what the doubles of a test were, or were not, asked beside their scripts."""
    return [wrong for double in item.stash.get(_DOUBLES, ()) if (wrong := _script_mismatch(double))]


@pytest.fixture
def fake_codex(request: pytest.FixtureRequest) -> Iterator[FakeCodex]:
    """A scripted executable named ``codex``, first on ``PATH``."""
    from yemot_ai_testing.codex.fake.double import FakeCodex

    with FakeCodex() as codex:
        yield _register_double(request, codex)


@pytest.fixture
def model_server(request: pytest.FixtureRequest) -> Iterator[ModelServer]:
    """A scripted model service on this machine."""
    from yemot_ai_testing.doubles.model_service.server import ModelServer

    with ModelServer() as server:
        yield _register_double(request, server)


@pytest.fixture
def openai_mock(request: pytest.FixtureRequest) -> Iterator[OpenAIMock]:
    """OpenAI's Responses API and Chat Completions, scripted, in this process."""
    try:
        from yemot_ai_testing.doubles.openai import OpenAIMock
    except ModuleNotFoundError as error:
        raise missing_package_error(error.name or "respx") from error

    with OpenAIMock() as mock:
        yield _register_double(request, mock)


@pytest.fixture
def anthropic_mock(request: pytest.FixtureRequest) -> Iterator[AnthropicMock]:
    """Anthropic's Messages API, scripted, in this process."""
    try:
        from yemot_ai_testing.doubles.anthropic import AnthropicMock
    except ModuleNotFoundError as error:
        raise missing_package_error(error.name or "respx") from error

    with AnthropicMock() as mock:
        yield _register_double(request, mock)


@pytest.fixture
def yemot_codex(request: pytest.FixtureRequest) -> Iterator[ModelDouble]:
    """The Codex that the marker or ``--yemot-codex`` names: ``fake_codex``, or another, or a real one."""
    spec = _marker_arguments(request).get("codex") or run_settings(request.config).codex
    if spec == "fake":
        yield request.getfixturevalue("fake_codex")
        return
    from yemot_ai_testing.scenario.play.target import codex_double, resolve_codex

    with _fail_without_traceback():
        resolve_codex(spec)
    with codex_double(spec) as double:
        yield _register_double(request, double)


@pytest.fixture
def yemot_caller(request: pytest.FixtureRequest) -> Iterator[Caller]:
    """A caller who has not dialled yet; who is called says the marker, else the options.

    A Codex double stands behind every application that is called in this process. A test that fails shows
    the call as a conversation.
    """
    from yemot_ai_testing.line.caller import Caller
    from yemot_ai_testing.scenario.format.model import ServerCommand
    from yemot_ai_testing.scenario.play.target import load_app
    from yemot_ai_testing.scenario.report.text import render_transcript

    marked = _marker_arguments(request)
    setting = run_settings(request.config)
    target = marked.pop("url", None) or marked.pop("app", None) or setting.target(None)
    arguments = {name: value for name, value in marked.items() if name not in {"app", "url", "codex"}}
    with ExitStack() as stack:
        if isinstance(target, ServerCommand):
            from yemot_ai_testing.pytest_plugin.scenario_items import servers_for_run

            with _fail_without_traceback():
                served = servers_for_run(request.config).get_or_start(target)
            stack.enter_context(served.use_codex(request.getfixturevalue("yemot_codex")))
            target = served.server.url
        elif not (isinstance(target, str) and "://" in target):
            request.getfixturevalue("yemot_codex")
            with _fail_without_traceback():
                target = load_app(target, setting.root) if isinstance(target, str) else target
        caller = stack.enter_context(Caller(target, **{"remote": setting.remote, **arguments}))
        yield caller
        if caller.dialled:
            request.node.add_report_section("teardown", "phone call", render_transcript(caller.transcript))


@pytest.fixture
def yemot_snapshot(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401 - syrupy's own, which may not be installed
    """A syrupy snapshot that compares raw answers: ``assert caller.raw == yemot_snapshot``."""
    try:
        from yemot_ai_testing.pytest_plugin.snapshots import snapshot_of
    except ModuleNotFoundError as error:
        raise missing_package_error("syrupy") from error
    return snapshot_of(request.node)


def _register_double(request: pytest.FixtureRequest, double: D) -> D:
    """Let the test fail unless this double is asked what is scripted."""
    request.node.stash.setdefault(_DOUBLES, []).append(double)
    return double


@contextmanager
def _fail_without_traceback() -> Iterator[None]:
    """Fail a test with what the toolkit has to say; where in the toolkit it is said is of no use."""
    from yemot_ai_testing.codex.binary import BinaryNotFoundError
    from yemot_ai_testing.errors import ToolkitError

    try:
        yield
    except (BinaryNotFoundError, ToolkitError) as error:
        pytest.fail(str(error), pytrace=False)


def _script_mismatch(double: ModelDouble) -> str:
    try:
        double.assert_complete()
    except AssertionError as error:
        return str(error)
    return ""


def _marker_arguments(request: pytest.FixtureRequest) -> dict[str, Any]:
    marker = request.node.get_closest_marker("yemot")
    return dict(marker.kwargs) if marker else {}
