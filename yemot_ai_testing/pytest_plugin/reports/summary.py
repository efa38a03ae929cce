"""Prints the end of a run of scenarios: calls as conversations, dead air, slow turns, counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from yemot_ai_testing.pytest_plugin.reports.failed_call import markup
from yemot_ai_testing.scenario.report.call_record import CallRecord
from yemot_ai_testing.scenario.report.dead_air import dead_air_summary, slow_turns
from yemot_ai_testing.scenario.report.text import conversation_lines, escape_controls

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from yemot_ai_testing.pytest_plugin.isolation import IsolationPlugin

__all__ = ["write_summary"]

SLOW_TURNS, SLOW_TURNS_VERBOSE = 3, 10


def write_summary(terminal: TerminalReporter, calls: list[CallRecord]) -> None:
    """Print the summary.

    It shows how often repeated calls failed, the dead air and the slowest turns; with ``-v`` first the calls
    that did not fail, as conversations (each failure has its own). With ``-q`` it shows the counts only.
    """
    played = [call for call in calls if call.state != "error"]
    if not played:
        return
    verbosity = terminal.config.get_verbosity()
    if verbosity >= 0:
        _write_calls(terminal, [call for call in played if verbosity > 0 and call.state != "failed"])
        _write_repeats(terminal, played)
        _write_dead_air(terminal, played, SLOW_TURNS if verbosity == 0 else SLOW_TURNS_VERBOSE)
    terminal.line("")
    isolation: IsolationPlugin | None = terminal.config.pluginmanager.get_plugin("yemot_isolation")
    counts = [*_counts(calls), *([] if isolation is None else [str(isolation.counts)])]
    terminal.line(" · ".join(counts), bold=True)


def _counts(calls: list[CallRecord]) -> Iterator[str]:
    yield _pluralize(len(calls), "call")
    yield _pluralize(sum(call.agent_turns for call in calls), "agent turn")
    warnings = sum(len(call.warnings) for call in calls)
    if warnings:
        yield _pluralize(warnings, "warning")
    not_played = sum(len(call.not_run) for call in calls if call.ending)
    if not_played:
        yield f"{_pluralize(not_played, 'turn')} not played"
    fake_only = sum(call.state == "fake only" for call in calls)
    if fake_only:
        yield f"{fake_only} fake only"
    errors = sum(call.state == "error" for call in calls)
    if errors:
        yield _pluralize(errors, "error")


def _pluralize(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _write_calls(terminal: TerminalReporter, calls: list[CallRecord]) -> None:
    if calls:
        terminal.section("calls")
    for call in calls:
        terminal.line("")
        terminal.line(call.title, bold=True)
        for event, line in conversation_lines(call.timeline):
            terminal.line(line, **markup(event))
        if call.ending:
            terminal.line(f"  {call.ending}")
        for warning in call.warnings:
            terminal.line(f"  warning: {escape_controls(warning)}", yellow=True)


def _write_dead_air(terminal: TerminalReporter, calls: list[CallRecord], limit: int) -> None:
    summary = dead_air_summary(calls)
    if summary:
        terminal.line("")
        terminal.line(summary)
    for call, turn in slow_turns(calls, limit=limit):
        terminal.line(f"  {turn.dead_air:5.1f} s  {call.path}:{turn.line}  {escape_controls(call.name)}")


def _write_repeats(terminal: TerminalReporter, calls: list[CallRecord]) -> None:
    """Print the calls that failed, if calls were repeated; one that failed sometimes is flaky."""
    plays = max(call.plays for call in calls)
    if plays == 1:
        return
    terminal.line("")
    failed = [call for call in calls if call.failed_plays]
    terminal.line(
        f"each call was played {plays} times: {f'{len(failed)} failed' if failed else 'none failed'}"
    )
    for call in failed:
        flaky = "  flaky" if call.failed_plays < call.plays else ""
        name = f"{call.path}:{call.line}  {escape_controls(call.name)}"
        terminal.line(f"  failed {call.failed_plays} of {call.plays}{flaky}  {name}", yellow=bool(flaky))
