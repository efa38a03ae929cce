from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.contract import fault_table, figures
from yemot_ai_testing.codex.binary import BinaryNotFoundError, locate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def real_binary() -> Path:
    """The real Codex; a machine without one is told so, and never passes silently."""
    try:
        return locate(os.environ.get("YEMOT_CODEX") or "real")
    except BinaryNotFoundError as error:
        if os.environ.get("YEMOT_WITHOUT_REAL_CODEX") == "1":
            pytest.skip(str(error))
        pytest.fail(f"{error} (or set YEMOT_WITHOUT_REAL_CODEX=1 to go without)")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the trials found: faults × catching checks × executables, and figures."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    tables = {"planted faults": fault_table.lines(reports), "what a turn carries": figures.lines(reports)}
    for title, lines in tables.items():
        for number, line in enumerate(lines):
            if number == 0:
                terminalreporter.section(title)
            terminalreporter.write_line(line)
