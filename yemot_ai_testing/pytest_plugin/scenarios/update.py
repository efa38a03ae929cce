"""Rewrites scenario files at the end of a run (``--yemot-update``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pytest

from yemot_ai_testing.scenario.update import ScenarioUpdate

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["UpdatePlugin"]


class UpdatePlugin:
    """The plugin of a run that rewrites its scenarios.

    Attributes:
        update: the changes that the run collects.
    """

    def __init__(self) -> None:
        self.update = ScenarioUpdate()

    @classmethod
    def from_config(cls, config: pytest.Config) -> Self:
        """Return the plugin of a run.

        Raises:
            pytest.UsageError: the run has several processes, which would write the same files.
        """
        if config.getoption("numprocesses", None) or config.getoption("dist", "no") != "no":
            raise pytest.UsageError(
                "--yemot-update rewrites files, which several processes would overwrite: leave out -n"
            )
        return cls()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the files; fail the run if a change was refused, because its call would fail again."""
        self.update.write()
        if self.update.refused:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print what was rewritten."""
        terminalreporter.section("--yemot-update")
        for line in [*self.update.refused, *self.update.written] or ["nothing was rewritten"]:
            terminalreporter.line(line)
