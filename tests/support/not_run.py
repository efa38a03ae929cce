"""Tests whose program is missing: skipped, and named in the last lines of the run; failures with CI=true."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NoReturn

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["not_run", "write_not_run"]

NOT_RUN: Final = "NOT RUN: "


def not_run(tests: str, error: Exception, *, installable: bool = True) -> NoReturn:
    """Skip a test because something is missing; fail it if ``CI=true`` and it can be installed.

    Args:
        tests: which tests these are: ``the tests of the page``.
        error: its message says what to install, or what the machine does not allow.
        installable: whether it is a program, not a permission of the machine.
    """
    if installable and os.environ.get("CI") == "true":
        raise pytest.fail.Exception(str(error), pytrace=False)
    pytest.skip(f"{NOT_RUN}{tests}\n{error}")


def write_not_run(terminalreporter: TerminalReporter) -> None:
    """Write which tests were not run, and why."""
    reasons = {
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", ())
        if isinstance(report.longrepr, tuple)
    }
    for reason in sorted(reason for reason in reasons if reason.startswith(NOT_RUN)):
        title, _, message = reason.partition("\n")
        terminalreporter.section(title, red=True, bold=True)
        terminalreporter.write_line(message)
