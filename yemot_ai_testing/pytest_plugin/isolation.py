"""The guard as pytest sees it: it stands from the configuration to the end, and fails whom it refused."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Iterable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from yemot_ai_testing.isolation import audit_hook as hook
from yemot_ai_testing.isolation.environment import isolated_environment
from yemot_ai_testing.isolation.guard import IsolationGuard
from yemot_ai_testing.isolation.tally import IsolationCounts

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["PLUGIN_NAME", "IsolationPlugin"]

PLUGIN_NAME = "yemot_guard"
"""The name under which a guarded run is registered as a plugin."""

_WORKER_OUTPUT_KEY = "yemot_guard"
_OUTSIDE_TESTS = "refused outside of tests"


class IsolationPlugin:
    """One process of a run in which nothing leaves the machine.

    Args:
        allowed: hosts and programs that are let out, by name.
        is_controller: this process only starts others that run the tests (xdist's controller).
    """

    def __init__(self, allowed: Iterable[str], *, is_controller: bool) -> None:
        self._resources = ExitStack()
        self._is_controller = is_controller
        self._worker_counts = IsolationCounts()
        self._refused_outside_tests: list[str] = []
        folder = Path(tempfile.mkdtemp(prefix="yemot-ai-guard-")).resolve()
        self._resources.callback(shutil.rmtree, folder, ignore_errors=True)
        self.guard = IsolationGuard(folder, allowed)
        self._activation = self._resources.enter_context(ExitStack())
        self._activation.enter_context(hook.activate(self.guard))
        if not is_controller:
            self._activation.enter_context(isolated_environment(self.guard))

    @property
    def counts(self) -> IsolationCounts:
        """What the whole run has let out so far, xdist's workers included."""
        return self.guard.counts.plus(self._worker_counts)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Stand aside where other processes run the tests: starting them is no test's doing."""
        if self._is_controller:
            self._activation.close()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Know which test runs."""
        self._refused_outside_tests += self.guard.take_refusals()
        self.guard.test_location = _test_location(item)
        try:
            return (yield)
        finally:
            self.guard.test_location = f"after {self.guard.test_location}"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """Fail a test whose fixtures were refused something."""
        yield from self._fail_if_refused(item, "setup")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Fail a test that was refused something, whatever it made of the error."""
        yield from self._fail_if_refused(item, "call")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        """Fail a test that was refused something while it was taken down."""
        yield from self._fail_if_refused(item, "teardown")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the controller what was counted; what no test can answer for fails the run."""
        self._refused_outside_tests += self.guard.take_refusals()
        if self._refused_outside_tests and session.exitstatus in {
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        }:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_WORKER_OUTPUT_KEY] = {
                "tally": asdict(self.guard.counts),
                "between": self._refused_outside_tests,
            }

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - xdist's own
        """Add what a worker has counted."""
        sent = getattr(node, "workeroutput", {}).get(_WORKER_OUTPUT_KEY)
        if sent:
            self._worker_counts = self._worker_counts.plus(IsolationCounts(**sent["tally"]))
            self._refused_outside_tests += sent["between"]

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Tell what was refused while no test ran."""
        if self._refused_outside_tests:
            terminalreporter.section(_OUTSIDE_TESTS, red=True)
            for refused in self._refused_outside_tests:
                terminalreporter.line(refused)

    def pytest_unconfigure(self) -> None:
        """Stand down."""
        self._resources.close()

    def _fail_if_refused(self, item: pytest.Item, when: str) -> Generator[None, None, None]:
        try:
            yield
        except BaseException:
            refused = self.guard.take_refusals()
            if refused:
                item.add_report_section(when, "refused", "\n".join(refused))
            raise
        refused = self.guard.take_refusals()
        if refused:
            pytest.fail("\n".join(refused), pytrace=False)


def _test_location(item: pytest.Item) -> str:
    """Return where a test stands, as an editor jumps to it, and its name."""
    path, line, name = item.location
    return f"{path}:{1 if line is None else line + 1}: {name}"
