"""The message of a failed scenario."""

from __future__ import annotations

import traceback

from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.scenario.report.call_record import CallRecord
from yemot_ai_testing.scenario.report.text import conversation_lines

__all__ = ["failure_report"]

MAX_LINES = 15


def failure_report(call: CallRecord, cause: BaseException | None = None) -> str:
    """Return at most 15 lines: position, kind, the turn as written, the call so far, the replay command.

    Args:
        call: a failed call.
        cause: the exception that caused the failure, if there is one.
    """
    head = [
        _headline(call),
        *(f"  {line}" for line in "\n".join(call.messages).splitlines()[:3]),
        *_raise_site(cause),
    ]
    source = _annotated_source(call)[:5]
    available = MAX_LINES - len(head) - len(source) - 2
    lines = [line for _, line in conversation_lines(call.timeline)]
    conversation = ["the call so far:", *lines[-available:]] if lines and available > 0 else []
    return "\n".join([*head, *source, *conversation, f"replay: {call.replay}"])


def _headline(call: CallRecord) -> str:
    turn_count = sum(turn.line > 0 for turn in call.turns)
    where = f"turn {call.failed_turn} of {turn_count}" if call.failed_turn else "after the call"
    where += f" ({call.ending})" if call.ending else ""
    return f"{call.failure_location}: {call.kind} · {where}"


def _raise_site(cause: BaseException | None) -> list[str]:
    """Return where the application raised, if it did; errors of the toolkit explain themselves."""
    frames = (
        [] if cause is None or isinstance(cause, ToolkitError) else traceback.extract_tb(cause.__traceback__)
    )
    return [f"  raised at {frames[-1].filename}:{frames[-1].lineno}"] if frames else []


def _annotated_source(call: CallRecord) -> list[str]:
    """Return the failed turn as the user wrote it, with what was heard as a comment at ``hears``."""
    if not call.failed_turn:
        return []
    turn = call.turns[call.failed_turn - 1]
    lines, index = list(turn.source), turn.hears_index
    if not lines:
        return []
    lines[index] = f"{lines[index]}   # heard: {_shorten(turn.heard) or 'nothing'}"
    return lines if index < len(lines[:5]) else [lines[0], lines[index]]


def _shorten(text: str, limit: int = 100) -> str:
    return text if len(text) <= limit else f"…{text[-limit:]}"
