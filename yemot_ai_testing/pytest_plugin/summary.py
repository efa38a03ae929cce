"""Prints the end of a run of scenarios: calls as conversations, dead air, slow turns, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_ai_testing.pytest_plugin.isolation import PLUGIN_NAME, IsolationPlugin
from yemot_ai_testing.scenario.report.call_record import CallRecord
from yemot_ai_testing.scenario.report.dead_air import dead_air_summary, slow_turns
from yemot_ai_testing.scenario.report.failure import summary_line
from yemot_ai_testing.scenario.report.text import ConversationLine, escape_controls, timeline_lines

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["write_summary"]

SLOW_TURNS, SLOW_TURNS_VERBOSE = 3, 10


def write_summary(terminal: TerminalReporter, calls: list[CallRecord]) -> None:
    """Print the summary.

    It shows failed calls as conversations (with ``-v`` all calls), then the dead air and the slowest turns.
    With ``-q`` it shows the counts only.
    """
    played = [call for call in calls if call.state != "error"]
    if not played:
        return
    verbosity = terminal.config.get_verbosity()
    if verbosity >= 0:
        _write_calls(terminal, [call for call in played if verbosity > 0 or call.state == "failed"])
        _write_dead_air(terminal, played, SLOW_TURNS if verbosity == 0 else SLOW_TURNS_VERBOSE)
    turns = sum(call.agent_turns for call in played)
    fake_only = sum(call.state == "fake only" for call in played)
    terminal.line("")
    isolation: IsolationPlugin | None = terminal.config.pluginmanager.get_plugin(PLUGIN_NAME)
    line = summary_line(len(played), turns, fake_only)
    terminal.line(line if isolation is None else f"{line} · {isolation.counts}", bold=True)


def _write_calls(terminal: TerminalReporter, calls: list[CallRecord]) -> None:
    if calls:
        terminal.section("calls")
    for call in calls:
        terminal.line("")
        terminal.line(call.title, bold=True, red=call.state == "failed")
        for line in timeline_lines(call.timeline):
            terminal.line(str(line), **_markup(line))
        for warning in call.warnings:
            terminal.line(f"  warning: {escape_controls(warning)}", yellow=True)


def _write_dead_air(terminal: TerminalReporter, calls: list[CallRecord], limit: int) -> None:
    summary = dead_air_summary(calls)
    if summary:
        terminal.line("")
        terminal.line(summary)
    for slow in slow_turns(calls, limit=limit):
        terminal.line(f"  {slow.seconds:5.1f} s  {slow.path}:{slow.line}  {escape_controls(slow.name)}")


def _markup(line: ConversationLine) -> dict[str, bool]:
    if line.grade:
        return {"red": True, "bold": True} if line.grade == "too_long" else {"yellow": True}
    if line.origin in {"line", "platform"}:
        return {"cyan": True}
    return {} if line.origin == "caller" else {"light": True}
