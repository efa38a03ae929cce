"""Runs the isolation guard from configuration to the end of a run; fails the tests that it refused."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

import pytest

from yemot_ai_testing.isolation.audit_hook import activate
from yemot_ai_testing.isolation.environment import isolated_environment
from yemot_ai_testing.isolation.fence import Fence, imported_in_c
from yemot_ai_testing.isolation.guard import IsolationCounts, IsolationGuard
from yemot_ai_testing.processes.owned_folder import owned_folder
from yemot_ai_testing.pytest_plugin.network_fence import raise_fence
from yemot_ai_testing.pytest_plugin.option_table import SCENARIO_SUFFIX
from yemot_ai_testing.pytest_plugin.options import isolates_only_scenarios, run_settings

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["IsolationPlugin"]

_WORKER_OUTPUT_KEY = "yemot_isolation"
_NOT_TESTS = "for scenarios; --yemot-block-network is for Python tests, too"
_OUTSIDE_TESTS = "refused outside of tests"


class IsolationPlugin:
    """The plugin of an isolated run, in one process.

    Args:
        allowed: names of hosts and programs that are allowed.
        fence: what holds the network.
        is_controller: this process runs no tests; it is xdist's controller.
        only_scenarios: Python tests run too, and are not isolated.
    """

    def __init__(
        self, allowed: Iterable[str], fence: Fence, *, is_controller: bool, only_scenarios: bool = False
    ) -> None:
        self._fence = fence
        self._only_scenarios = only_scenarios
        self._imported_by_workers: frozenset[str] = frozenset()
        self._resources = ExitStack()
        self._is_controller = is_controller
        self._worker_counts = IsolationCounts()
        self._refused_outside_tests: list[str] = []
        folder = self._resources.enter_context(owned_folder("yemot-ai-isolation-"))
        self.guard = IsolationGuard(folder, allowed, by_kernel=fence.by_kernel)
        self._activation = self._resources.enter_context(ExitStack())
        if not only_scenarios:
            self._activate(self._activation)

    @classmethod
    def from_config(cls, config: pytest.Config) -> Self:
        """Return the plugin of a run."""
        settings = run_settings(config)
        hosts = settings.remote_hosts
        allowed = {*config.getoption("yemot_allow"), *config.getini("yemot_allow"), *hosts}
        only_scenarios = isolates_only_scenarios(config)
        fence = Fence(_NOT_TESTS) if only_scenarios else raise_fence(config, settings, allowed)
        is_controller = config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput")
        return cls(allowed, fence, is_controller=is_controller, only_scenarios=only_scenarios)

    @property
    def counts(self) -> IsolationCounts:
        """The counts of the run so far, with those of xdist's workers."""
        return self.guard.counts.plus(self._worker_counts)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Deactivate the guard in xdist's controller, which has to start the workers."""
        if self._is_controller:
            self._activation.close()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Set the current test of the guard."""
        self._refused_outside_tests += self.guard.take_refusals()
        self.guard.test_location = _test_location(item)
        self.guard.unreached_ports.clear()
        with ExitStack() as stack:
            if self._only_scenarios and item.path.name.endswith(SCENARIO_SUFFIX):
                self._activate(stack)
            try:
                return (yield)
            finally:
                self.guard.test_location = f"after {self.guard.test_location}"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """Fail a test if an attempt of its fixtures was refused."""
        yield from self._fail_if_refused(item, "setup")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Fail a test if an attempt was refused, even if the test handled the error."""
        yield from self._fail_if_refused(item, "call")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        """Fail a test if an attempt during its teardown was refused."""
        yield from self._fail_if_refused(item, "teardown")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send the counts to xdist's controller; fail the run if an attempt outside of tests was refused."""
        self._refused_outside_tests += self.guard.take_refusals()
        if self._refused_outside_tests and session.exitstatus in {
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        }:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_WORKER_OUTPUT_KEY] = {
                "counts": asdict(self.guard.counts),
                "outside_tests": self._refused_outside_tests,
                "imported": sorted(imported_in_c()),
            }

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - a class of xdist, which may be missing
        """Add what a worker counted, refused and imported."""
        output = getattr(node, "workeroutput", {}).get(_WORKER_OUTPUT_KEY)
        if output:
            self._worker_counts = self._worker_counts.plus(IsolationCounts(**output["counts"]))
            self._refused_outside_tests += output["outside_tests"]
            self._imported_by_workers |= frozenset(output["imported"])

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print what held the network, and the attempts that were refused while no test ran."""
        imported = self._imported_by_workers | imported_in_c()
        terminalreporter.line(
            self._fence.describe(imported), yellow=bool(imported) and not self._fence.by_kernel
        )
        if self._refused_outside_tests:
            terminalreporter.section(_OUTSIDE_TESTS, red=True)
            for refused in self._refused_outside_tests:
                terminalreporter.line(refused)

    def pytest_unconfigure(self) -> None:
        """Deactivate the guard and remove its folder."""
        self._resources.close()

    def _activate(self, stack: ExitStack) -> None:
        stack.enter_context(activate(self.guard))
        if not self._is_controller:
            stack.enter_context(isolated_environment(self.guard))

    def _fail_if_refused(self, item: pytest.Item, when: str) -> Generator[None, None, None]:
        try:
            yield
        except BaseException:
            refused = self.guard.take_refusals()
            if refused:
                item.add_report_section(when, "refused", "\n".join(refused))
            if self.guard.unreached_ports:
                item.add_report_section(when, "network", _unreached_text(self.guard.unreached_ports))
            raise
        refused = self.guard.take_refusals()
        if refused:
            pytest.fail("\n".join(refused), pytrace=False)


def _unreached_text(ports: Iterable[int]) -> str:
    named = ", ".join(str(port) for port in sorted(ports))
    return (
        f"nothing listens at port {named} in the network of this run. A server that was started before it "
        "cannot be reached: start it in the run, use its Unix socket, or add --yemot-isolation=python"
    )


def _test_location(item: pytest.Item) -> str:
    """Return ``file:line: name`` of a test."""
    path, line, name = item.location
    return f"{path}:{1 if line is None else line + 1}: {name}"
