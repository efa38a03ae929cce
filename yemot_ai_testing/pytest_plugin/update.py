"""``--yemot-update`` as pytest sees it: what it refuses, when it writes, and what it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from yemot_ai_testing.scenario.update import ScenarioUpdate

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["UPDATE_KEY", "UpdatePlugin"]

UPDATE_KEY: Final = pytest.StashKey[ScenarioUpdate]()
"""What a run rewrites, if it was asked to."""


class UpdatePlugin:
    """The hooks of a run that rewrites its scenarios.

    Args:
        config: of the run.

    Raises:
        pytest.UsageError: several processes would write the same files.
    """

    def __init__(self, config: pytest.Config) -> None:
        if config.getoption("numprocesses", None) or config.getoption("dist", "no") != "no":
            raise pytest.UsageError(
                "--yemot-update rewrites files, and several processes would undo each other's: leave out -n"
            )
        self._update = config.stash[UPDATE_KEY] = ScenarioUpdate()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the files; where that is not possible, calls have passed that would not pass again."""
        self._update.write()
        if self._update.refused:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Tell what was rewritten."""
        terminalreporter.section("--yemot-update")
        for line in [*self._update.refused, *self._update.written] or ["nothing was rewritten"]:
            terminalreporter.line(line)
