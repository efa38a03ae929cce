"""Rewrites scenario files at the end of a run (``--yemot-update``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from yemot_ai_testing.scenario.update import ScenarioUpdate

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["UPDATE_KEY", "UpdatePlugin"]

UPDATE_KEY: Final = pytest.StashKey[ScenarioUpdate]()
"""The changes that the run collects; not set without ``--yemot-update``."""


class UpdatePlugin:
    """The plugin of a run that rewrites its scenarios.

    Args:
        config: the configuration of the run.

    Raises:
        pytest.UsageError: the run has several processes, which would write the same files.
    """

    def __init__(self, config: pytest.Config) -> None:
        if config.getoption("numprocesses", None) or config.getoption("dist", "no") != "no":
            raise pytest.UsageError(
                "--yemot-update rewrites files, which several processes would overwrite: leave out -n"
            )
        self._update = config.stash[UPDATE_KEY] = ScenarioUpdate()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the files; fail the run if a change was refused, because its call would fail again."""
        self._update.write()
        if self._update.refused:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print what was rewritten."""
        terminalreporter.section("--yemot-update")
        for line in [*self._update.refused, *self._update.written] or ["nothing was rewritten"]:
            terminalreporter.line(line)
