"""The trace of a violation: the events that belong to it, in order, as lines of text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, assert_never

from yemot_ai_testing.history.events import (
    CallerInterrupted,
    CallerSpoke,
    ConversationReset,
    EffectRecorded,
    FaultInjected,
    HistoryEvent,
    KeyPressed,
    LeftoversCounted,
    LoopDetected,
    ModelAnswered,
    ModelAsked,
    ModelWrote,
    OpenCallsCounted,
    ProcessStalled,
    RequestSent,
    ResponseReceived,
    SessionSaved,
    ToolCalled,
    ToolReturned,
    WorkerRestarted,
)

__all__ = ["MAX_LINES", "event_lines", "one_line", "shorten"]

MAX_LINES: Final = 15
"""The maximum number of lines of a trace."""

MAX_WIDTH: Final = 60


def event_lines(
    events: Sequence[HistoryEvent], indexes: Collection[int], *, required: Collection[int]
) -> tuple[str, ...]:
    """Return the trace of the chosen events.

    Args:
        events: the whole history.
        indexes: positions of the events of the trace.
        required: positions that are kept if the trace is too long.
    """
    positions = sorted({*indexes, *required})
    selected = positions if len(positions) <= MAX_LINES else _select(positions, frozenset(required))
    lines, previous = [], -1
    for position in selected:
        left_out = sum(previous < other < position for other in positions)
        if previous >= 0 and left_out:
            lines.append(f"{'…':>9}  ({left_out} more)")
        lines.append(f"{events[position].at:>7.1f} s  {one_line(describe_event(events[position]))}")
        previous = position
    return tuple(lines[:MAX_LINES])


def _select(positions: list[int], required: frozenset[int]) -> list[int]:
    """Return the required positions and the last ones before them; each gap takes a line, too."""
    selected = set(sorted(required)[-MAX_LINES // 2 :])
    for position in reversed(positions):
        gaps = len(selected) + 1
        if len(selected) + min(gaps, 3) >= MAX_LINES:
            break
        selected.add(position)
    return sorted(selected)


def one_line(text: str) -> str:
    """Return ``text`` on one line, with its unprintable characters escaped."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def shorten(text: str) -> str:
    """Return the last ``MAX_WIDTH`` characters of a text: the end has the newest values."""
    return text if len(text) <= MAX_WIDTH else f"…{text[1 - MAX_WIDTH :]}"


def describe_event(event: HistoryEvent) -> str:  # noqa: C901, PLR0911, PLR0912 - one sentence an event
    """Return one sentence about an event."""
    match event:
        case CallerSpoke():
            return f"{event.call} says {event.utterance_id}"
        case RequestSent():
            what = "the hang-up" if event.is_hangup else f"request {event.request_id}"
            again = " again" if event.is_repeat else ""
            at = f" to {event.worker}" if event.worker else ""
            return f"{what} of {event.call} is sent{again}{at}: {shorten(event.fingerprint)}"
        case ResponseReceived():
            return f"request {event.request_id} gets {shorten(event.fault or event.body) or 'nothing'}"
        case ModelAsked():
            where = f"in {event.session}" if event.session else "in a new conversation"
            by = f" by {event.worker}" if event.worker else ""
            about = event.utterance_id or repr(shorten(event.prompt))
            with_results = (
                f", with the results of {len(event.tool_results)} tools" if event.tool_results else ""
            )
            return f"the model is asked {about} {where}{by}{with_results} (model call {event.model_call_id})"
        case ModelWrote():
            return f"model call {event.model_call_id} writes: {shorten(event.text)}"
        case ModelAnswered():
            called = ", ".join(f"{name} {shorten(arguments)}" for _, name, arguments in event.tool_calls)
            answered = f"calls {called}" if called else f"is answered in {event.session}"
            return f"model call {event.model_call_id} {f'ends: {event.error}' if event.error else answered}"
        case SessionSaved():
            what = (
                "that it is over"
                if event.call_ended
                else f"version {event.version} over {event.base_version}"
            )
            return f"of {event.call} is saved {what}"
        case FaultInjected():
            return f"fault injected: {event.kind}"
        case WorkerRestarted():
            return f"the worker {event.worker} is replaced" if event.worker else "the worker is replaced"
        case ProcessStalled():
            return f"{event.worker or 'the process'} did not run for {event.seconds:.1f} s"
        case ConversationReset():
            return f"{event.call} asks for a new conversation"
        case CallerInterrupted():
            return f"{event.call} presses a key while the answer to {event.utterance_id} is spoken"
        case KeyPressed():
            what = f"presses {event.keys}" if event.keys else "presses no key"
            return f"{event.call} {what}{' to confirm' * event.confirms}"
        case EffectRecorded():
            return f"{event.call} has an effect: {shorten(event.effect)}"
        case LeftoversCounted():
            return (
                f"after {event.calls} calls there are {event.threads} more threads, {event.tasks} more tasks"
            )
        case ToolCalled():
            by = f" by {event.worker}" if event.worker else ""
            return f"{event.call} runs {event.name} {shorten(event.arguments)}{by} (run {event.run_id})"
        case ToolReturned():
            how = f"raises {event.error}" if event.error else f"returns {shorten(event.result)}"
            return f"run {event.run_id} {how}"
        case LoopDetected():
            return f"{event.call} {event.reason}"
        case OpenCallsCounted():
            return f"{event.open_sessions} open sessions are counted, and {event.open_calls} open calls"
        case _:
            assert_never(event)
