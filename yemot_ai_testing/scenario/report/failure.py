"""A failure as a person can act on it, and the line that ends a run."""

from __future__ import annotations

import shlex
import traceback

from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.scenario.play.result import ScenarioFailure, ScenarioResult
from yemot_ai_testing.scenario.report.text import conversation_lines

__all__ = ["failure_report", "summary_line"]

MAX_LINES = 15


def summary_line(calls: int, agent_turns: int, fake_only: int = 0) -> str:
    """Return the line that ends a run."""
    words = [_pluralize(calls, "call"), _pluralize(agent_turns, "agent turn")]
    return " · ".join([*words, f"{fake_only} fake only"] if fake_only else words)


def failure_report(result: ScenarioResult, failure: ScenarioFailure, *, replay: tuple[str, ...]) -> str:
    """Return at most 15 lines: where, of which kind, the turn as written, the call so far, how to replay.

    Args:
        result: the whole of it.
        failure: why it failed.
        replay: the command that plays this scenario again.
    """
    head = [
        _headline(result, failure),
        *(f"  {line}" for line in "\n".join(failure.messages).splitlines()[:3]),
        *_raise_site(failure),
    ]
    source = _annotated_source(result, failure)[:5]
    tail = [f"replay: {shlex.join(replay)}"]
    room = MAX_LINES - len(head) - len(source) - len(tail) - 1
    lines = [str(line) for line in conversation_lines(result)]
    story = ["the call so far:", *lines[-room:]] if lines and room > 0 else []
    return "\n".join([*head, *source, *story, *tail])


def _headline(outcome: ScenarioResult, failure: ScenarioFailure) -> str:
    where = f"{failure.location}: {failure.kind}"
    if failure.turn is None:
        return f"{where} · after the call"
    return f"{where} · turn {failure.turn} of {len(outcome.turns)}"


def _raise_site(failure: ScenarioFailure) -> list[str]:
    """Return where the application raised, if it did; what the toolkit itself raised, it has told."""
    cause = None if isinstance(failure.cause, ToolkitError) else failure.cause
    frames = traceback.extract_tb(cause.__traceback__) if cause else []
    return [f"  raised at {frames[-1].filename}:{frames[-1].lineno}"] if frames else []


def _annotated_source(outcome: ScenarioResult, failure: ScenarioFailure) -> list[str]:
    """Return the failed turn in the user's own YAML, what was heard beside its ``hears``."""
    if failure.turn is None:
        return []
    result = outcome.turns[failure.turn - 1]
    lines = list(result.turn.source)
    if not lines:
        return []
    beside = 0 if result.turn.hears_line is None else result.turn.hears_line - result.turn.location.line
    lines[beside] = f"{lines[beside]}   # heard: {_shorten(result.heard) or 'nothing'}"
    return lines if beside < len(lines[:5]) else [lines[0], lines[beside]]


def _shorten(text: str, limit: int = 100) -> str:
    return text if len(text) <= limit else f"…{text[-limit:]}"


def _pluralize(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
