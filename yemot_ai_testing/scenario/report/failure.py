"""The message of a failed scenario, and the last line of a run."""

from __future__ import annotations

import shlex
import traceback

from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.scenario.play.result import ScenarioFailure, ScenarioResult
from yemot_ai_testing.scenario.report.text import conversation_lines

__all__ = ["failure_report", "summary_line"]

MAX_LINES = 15


def summary_line(calls: int, agent_turns: int, fake_only: int = 0) -> str:
    """Return the last line of a run."""
    parts = [_pluralize(calls, "call"), _pluralize(agent_turns, "agent turn")]
    return " · ".join([*parts, f"{fake_only} fake only"] if fake_only else parts)


def failure_report(result: ScenarioResult, failure: ScenarioFailure, *, replay: tuple[str, ...]) -> str:
    """Return at most 15 lines: position, kind, the turn as written, the call so far, the replay command.

    Args:
        result: the result of the scenario.
        failure: its failure.
        replay: the command that plays the scenario again.
    """
    head = [
        _headline(result, failure),
        *(f"  {line}" for line in "\n".join(failure.messages).splitlines()[:3]),
        *_raise_site(failure),
    ]
    source = _annotated_source(result, failure)[:5]
    tail = [f"replay: {shlex.join(replay)}"]
    available = MAX_LINES - len(head) - len(source) - len(tail) - 1
    lines = [str(line) for line in conversation_lines(result)]
    conversation = ["the call so far:", *lines[-available:]] if lines and available > 0 else []
    return "\n".join([*head, *source, *conversation, *tail])


def _headline(result: ScenarioResult, failure: ScenarioFailure) -> str:
    headline = f"{failure.location}: {failure.kind}"
    if failure.turn is None:
        return f"{headline} · after the call"
    return f"{headline} · turn {failure.turn} of {len(result.turns)}"


def _raise_site(failure: ScenarioFailure) -> list[str]:
    """Return where the application raised, if it did; errors of the toolkit explain themselves."""
    cause = None if isinstance(failure.cause, ToolkitError) else failure.cause
    frames = traceback.extract_tb(cause.__traceback__) if cause else []
    return [f"  raised at {frames[-1].filename}:{frames[-1].lineno}"] if frames else []


def _annotated_source(result: ScenarioResult, failure: ScenarioFailure) -> list[str]:
    """Return the failed turn as the user wrote it, with what was heard as a comment at ``hears``."""
    if failure.turn is None:
        return []
    turn_result = result.turns[failure.turn - 1]
    turn = turn_result.turn
    lines = list(turn.source)
    if not lines:
        return []
    index = 0 if turn.hears_line is None else turn.hears_line - turn.location.line
    lines[index] = f"{lines[index]}   # heard: {_shorten(turn_result.heard) or 'nothing'}"
    return lines if index < len(lines[:5]) else [lines[0], lines[index]]


def _shorten(text: str, limit: int = 100) -> str:
    return text if len(text) <= limit else f"…{text[-limit:]}"


def _pluralize(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
