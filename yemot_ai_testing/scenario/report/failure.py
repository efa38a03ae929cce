"""The message of a failed scenario: what differs, the turn as written, the call, the way to play it again."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Final, TypeAlias

from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.scenario.play.timeline import TimelineEvent
from yemot_ai_testing.scenario.report.call_record import CallRecord
from yemot_ai_testing.scenario.report.text import conversation_lines, escape_controls

__all__ = ["FailureLine", "failure_lines", "failure_report", "headline"]

FailureLine: TypeAlias = tuple[TimelineEvent | None, str]
"""A line, with its event if it is one of the conversation."""

MAX_MESSAGE_LINES: Final = 3
MAX_SOURCE_LINES: Final = 5
FIRST_LINES, LAST_LINES = 20, 40
"""Of a call that never ends; a shorter one is shown whole."""


def failure_report(call: CallRecord, cause: BaseException | None = None) -> str:
    """Return position, kind, the turn as written, the call up to the failure, hints, the replay command.

    Args:
        call: a failed call.
        cause: the exception that caused the failure, if there is one.
    """
    return "\n".join(line for _, line in failure_lines(call, cause))


def failure_lines(call: CallRecord, cause: BaseException | None = None) -> list[FailureLine]:
    """Return the lines of ``failure_report``."""
    notes = [
        headline(call),
        *(f"  {line}" for line in "\n".join(call.messages).splitlines()[:MAX_MESSAGE_LINES]),
        *_raise_site(cause),
        *_annotated_source(call)[:MAX_SOURCE_LINES],
    ]
    more = [*call.hints, f"replay: {call.replay}"]
    return [
        *((None, line) for line in notes),
        *_conversation(call),
        *((None, f"  warning: {escape_controls(warning)}") for warning in call.warnings),
        *((None, line) for line in more),
    ]


def headline(call: CallRecord) -> str:
    """Return the position and the kind of a failure, and its turn."""
    turn_count = sum(turn.line > 0 for turn in call.turns)
    where = f"turn {call.failed_turn} of {turn_count}" if call.failed_turn else "after the call"
    where += f" ({call.ending})" if call.ending else ""
    where += f" · failed {call.failed_plays} of {call.plays} times" if call.plays > 1 else ""
    return f"{call.failure_location}: {call.kind} · {where}"


def _conversation(call: CallRecord) -> Iterator[FailureLine]:
    """Yield the call; of a failed turn nothing that came after it, such as the hang-up by the toolkit."""
    timeline = [event for event in call.timeline if event.turn or not call.failed_turn]
    if timeline:
        so_far = " so far" if call.failed_turn else ""
        yield None, f"the call of {call.phone or 'a withheld number'}{so_far}:"
        lines = list(conversation_lines(timeline))
        left_out = len(lines) - FIRST_LINES - LAST_LINES
        if left_out <= 0:
            yield from lines
            return
        yield from lines[:FIRST_LINES]
        yield None, f"   … {left_out} more lines …"
        yield from lines[-LAST_LINES:]


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
    return lines if index < MAX_SOURCE_LINES else [lines[0], lines[index]]


def _shorten(text: str, limit: int = 100) -> str:
    return text if len(text) <= limit else f"…{text[-limit:]}"
