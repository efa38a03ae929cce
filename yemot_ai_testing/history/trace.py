"""A violation told as a story: the events that belong to it, in their order, and no others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, assert_never

from yemot_ai_testing.history.events import (
    CallerInterrupted,
    CallerSpoke,
    ConversationReset,
    FaultInjected,
    HistoryEvent,
    LoopDetected,
    ModelAnswered,
    ModelAsked,
    ModelWrote,
    OpenCallsCounted,
    ProcessStalled,
    RequestSent,
    ResponseReceived,
    SessionSaved,
    WorkerRestarted,
)

__all__ = ["MAX_LINES", "event_lines", "one_line", "shorten"]

MAX_LINES: Final = 15
"""A longer story is one that nobody reads."""

MAX_WIDTH: Final = 60


def event_lines(
    events: Sequence[HistoryEvent], indexes: Collection[int], *, required: Collection[int]
) -> tuple[str, ...]:
    """Return the story of the chosen events.

    Args:
        events: the whole history.
        indexes: positions of the events that belong to the story.
        required: those that must not be left out, should it be too long.
    """
    positions = sorted({*indexes, *required})
    kept = positions if len(positions) <= MAX_LINES else _select(positions, frozenset(required))
    lines, before = [], -1
    for position in kept:
        left_out = sum(before < other < position for other in positions)
        if before >= 0 and left_out:
            lines.append(f"{'…':>9}  ({left_out} more)")
        lines.append(f"{events[position].at:>7.1f} s  {one_line(describe_event(events[position]))}")
        before = position
    return tuple(lines[:MAX_LINES])


def _select(positions: list[int], subject: frozenset[int]) -> list[int]:
    """Keep what it is about and what came right before; each gap costs a line, too."""
    kept = set(sorted(subject)[-MAX_LINES // 2 :])
    for position in reversed(positions):
        gaps = len(kept) + 1
        if len(kept) + min(gaps, 3) >= MAX_LINES:
            break
        kept.add(position)
    return sorted(kept)


def one_line(text: str) -> str:
    """Return a text that may hold anything as one line that shows it."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def shorten(text: str) -> str:
    """Return the end of a long text, where the newest stands."""
    return text if len(text) <= MAX_WIDTH else f"…{text[1 - MAX_WIDTH :]}"


def describe_event(event: HistoryEvent) -> str:  # noqa: C901, PLR0911, PLR0912 - one sentence an event
    """Say what an event was."""
    match event:
        case CallerSpoke():
            return f"{event.call} says {event.utterance_id}"
        case RequestSent():
            what = "the hang-up" if event.is_hangup else f"request {event.request_id}"
            again = " once more" if event.is_repeat else ""
            at = f" to {event.worker}" if event.worker else ""
            return f"{what} of {event.call} goes out{again}{at}: {shorten(event.fingerprint)}"
        case ResponseReceived():
            return f"request {event.request_id} brings {shorten(event.fault or event.body) or 'nothing'}"
        case ModelAsked():
            where = f"in {event.session}" if event.session else "in a new conversation"
            by = f" by {event.worker}" if event.worker else ""
            about = event.utterance_id or repr(shorten(event.prompt))
            return f"the model is asked {about} {where}{by} (ask {event.model_call_id})"
        case ModelWrote():
            return f"ask {event.model_call_id} writes: {shorten(event.text)}"
        case ModelAnswered():
            how = f"ends: {event.error}" if event.error else f"is answered in {event.session}"
            return f"ask {event.model_call_id} {how}"
        case SessionSaved():
            what = (
                "that it is over"
                if event.call_ended
                else f"version {event.version} over {event.base_version}"
            )
            return f"of {event.call} is stored {what}"
        case FaultInjected():
            return f"a fault on purpose: {event.kind}"
        case WorkerRestarted():
            return f"the worker {event.worker} is replaced" if event.worker else "the worker is replaced"
        case ProcessStalled():
            return f"{event.worker or 'the process'} has stood still for {event.seconds:.1f} s"
        case ConversationReset():
            return f"{event.call} asks to begin anew"
        case CallerInterrupted():
            return f"{event.call} presses a key while the answer to {event.utterance_id} is spoken"
        case LoopDetected():
            return f"{event.call} {event.reason}"
        case OpenCallsCounted():
            return f"{event.open_sessions} open sessions are counted, and {event.open_calls} open calls"
        case _:
            assert_never(event)
