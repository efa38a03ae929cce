"""The end of a run of scenarios: every call as a conversation, then how many there were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from yemot_ai_testing.scenario.items import AGENT_TURNS, CALL, WARNINGS
from yemot_ai_testing.scenario.report import tally

if TYPE_CHECKING:
    import pytest
    from _pytest.terminal import TerminalReporter

__all__ = ["summarise"]

FAKE_ONLY = "fake only"


def summarise(terminal: TerminalReporter) -> None:
    """Write the conversations (unless ``-q``) and the tally."""
    calls = list(_calls(terminal))
    if not calls:
        return
    if terminal.config.get_verbosity() >= 0:
        terminal.section("calls")
        for call in calls:
            _write(terminal, str(call[CALL]), call[WARNINGS])
    turns = sum(int(call[AGENT_TURNS]) for call in calls)
    fake_only = sum(FAKE_ONLY in str(call[CALL]).partition("\n")[0] for call in calls)
    terminal.line("")
    terminal.line(tally(len(calls), turns, fake_only), bold=True)


def _write(terminal: TerminalReporter, call: str, warnings: list[str]) -> None:
    heading, *lines = call.splitlines()
    terminal.line("")
    terminal.line(heading, bold=True)
    for line in lines:
        terminal.line(line, **_colour(line))
    for warning in warnings:
        terminal.line(f"  warning: {warning}", yellow=True)


def _colour(line: str) -> dict[str, bool]:
    label = line[9:18].strip()
    if label in {"line", "yemot"}:
        return {"cyan": True}
    if label in {"· · ·", "→", "end"}:
        return {"light": True}
    return {}


def _calls(terminal: TerminalReporter) -> Iterator[dict[str, Any]]:
    reports: list[pytest.TestReport] = [
        report
        for outcome in ("passed", "failed", "skipped")
        for report in terminal.stats.get(outcome, [])
        if getattr(report, "when", None) == "call"
    ]
    for report in sorted(reports, key=lambda report: report.location[:2]):
        noted = dict(report.user_properties)
        if CALL in noted:
            yield noted
