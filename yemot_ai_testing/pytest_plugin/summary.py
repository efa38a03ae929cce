"""The end of a run of scenarios: calls as conversations, the silences, how many calls there were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_ai_testing.pytest_plugin.isolation import GUARD, GuardedRun
from yemot_ai_testing.scenario.report.call_record import CallRecord
from yemot_ai_testing.scenario.report.dead_air import slow_turns, told
from yemot_ai_testing.scenario.report.failure import tally
from yemot_ai_testing.scenario.report.text import Line, lines_of, printable

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["summarise"]

SLOW_TURNS, SLOW_TURNS_VERBOSE = 3, 10


def summarise(terminal: TerminalReporter, calls: list[CallRecord]) -> None:
    """Write what was played.

    Failed calls are told as conversations, under ``-v`` all; then the silences and the slowest turns. Under
    ``-q`` there is only the tally.
    """
    played = [call for call in calls if call.state != "error"]
    if not played:
        return
    verbosity = terminal.config.get_verbosity()
    if verbosity >= 0:
        _write_calls(terminal, [call for call in played if verbosity > 0 or call.state == "failed"])
        _write_silences(terminal, played, SLOW_TURNS if verbosity == 0 else SLOW_TURNS_VERBOSE)
    turns = sum(call.agent_turns for call in played)
    fake_only = sum(call.state == "fake only" for call in played)
    terminal.line("")
    guarded: GuardedRun | None = terminal.config.pluginmanager.get_plugin(GUARD)
    counted = tally(len(played), turns, fake_only)
    terminal.line(counted if guarded is None else f"{counted} · {guarded.tally}", bold=True)


def _write_calls(terminal: TerminalReporter, calls: list[CallRecord]) -> None:
    if calls:
        terminal.section("calls")
    for call in calls:
        terminal.line("")
        terminal.line(call.title, bold=True, red=call.state == "failed")
        for line in lines_of(call.beats):
            terminal.line(str(line), **_colour(line))
        for warning in call.warnings:
            terminal.line(f"  warning: {printable(warning)}", yellow=True)


def _write_silences(terminal: TerminalReporter, calls: list[CallRecord], most: int) -> None:
    summary = told(calls)
    if summary:
        terminal.line("")
        terminal.line(summary)
    for slow in slow_turns(calls, most=most):
        terminal.line(f"  {slow.seconds:5.1f} s  {slow.path}:{slow.line}  {printable(slow.name)}")


def _colour(line: Line) -> dict[str, bool]:
    if line.grade:
        return {"red": True, "bold": True} if line.grade == "too_long" else {"yellow": True}
    if line.who in {"line", "platform"}:
        return {"cyan": True}
    return {} if line.who == "caller" else {"light": True}
