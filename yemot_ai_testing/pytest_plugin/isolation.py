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
from yemot_ai_testing.isolation.environment import inherited
from yemot_ai_testing.isolation.guard import Guard
from yemot_ai_testing.isolation.tally import Tally

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["GUARD", "GuardedRun"]

GUARD = "yemot_guard"
"""The name under which a guarded run is registered as a plugin."""

_SENT = "yemot_guard"
_BETWEEN = "refused outside of tests"


class GuardedRun:
    """One process of a run in which nothing leaves the machine.

    Args:
        allowed: hosts and programs that are let out, by name.
        spawns: this process only starts others that run the tests (xdist's controller).
    """

    def __init__(self, allowed: Iterable[str], *, spawns: bool) -> None:
        self._open = ExitStack()
        self._spawns = spawns
        self._others = Tally()
        self._between: list[str] = []
        folder = Path(tempfile.mkdtemp(prefix="yemot-ai-guard-")).resolve()
        self._open.callback(shutil.rmtree, folder, ignore_errors=True)
        self.guard = Guard(folder, allowed)
        self._watch = self._open.enter_context(ExitStack())
        self._watch.enter_context(hook.standing(self.guard))
        if not spawns:
            self._watch.enter_context(inherited(self.guard))

    @property
    def tally(self) -> Tally:
        """What the whole run has let out so far, xdist's workers included."""
        return self.guard.tally.plus(self._others)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Stand aside where other processes run the tests: starting them is no test's doing."""
        if self._spawns:
            self._watch.close()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Know which test runs."""
        self._between += self.guard.refused()
        self.guard.place = _place(item)
        try:
            return (yield)
        finally:
            self.guard.place = f"after {self.guard.place}"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """Fail a test whose fixtures were refused something."""
        yield from self._checked(item, "setup")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Fail a test that was refused something, whatever it made of the error."""
        yield from self._checked(item, "call")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        """Fail a test that was refused something while it was taken down."""
        yield from self._checked(item, "teardown")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the controller what was counted; what no test can answer for fails the run."""
        self._between += self.guard.refused()
        if self._between and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_SENT] = {"tally": asdict(self.guard.tally), "between": self._between}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - xdist's own
        """Add what a worker has counted."""
        sent = getattr(node, "workeroutput", {}).get(_SENT)
        if sent:
            self._others = self._others.plus(Tally(**sent["tally"]))
            self._between += sent["between"]

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Tell what was refused while no test ran."""
        if self._between:
            terminalreporter.section(_BETWEEN, red=True)
            for refused in self._between:
                terminalreporter.line(refused)

    def pytest_unconfigure(self) -> None:
        """Stand down."""
        self._open.close()

    def _checked(self, item: pytest.Item, when: str) -> Generator[None, None, None]:
        try:
            yield
        except BaseException:
            refused = self.guard.refused()
            if refused:
                item.add_report_section(when, "refused", "\n".join(refused))
            raise
        refused = self.guard.refused()
        if refused:
            pytest.fail("\n".join(refused), pytrace=False)


def _place(item: pytest.Item) -> str:
    """Return where a test stands, as an editor jumps to it, and its name."""
    path, line, name = item.location
    return f"{path}:{1 if line is None else line + 1}: {name}"
