"""A violation told as a story: the events that belong to it, in their order, and no others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, assert_never

from yemot_ai_testing.history.events import (
    Asked,
    Circled,
    Counted,
    Event,
    Faulted,
    Got,
    Interrupted,
    Reset,
    Restarted,
    Said,
    Saved,
    Sent,
    Stalled,
    Told,
    Wrote,
)

__all__ = ["LINES", "one_line", "short", "told"]

LINES: Final = 15
"""A longer story is one that nobody reads."""

WIDTH: Final = 60


def told(events: Sequence[Event], chosen: Collection[int], *, subject: Collection[int]) -> tuple[str, ...]:
    """Return the story of the chosen events.

    Args:
        events: the whole history.
        chosen: positions of the events that belong to the story.
        subject: those that must not be left out, should it be too long.
    """
    positions = sorted({*chosen, *subject})
    kept = positions if len(positions) <= LINES else _shortened(positions, frozenset(subject))
    lines, before = [], -1
    for position in kept:
        left_out = sum(before < other < position for other in positions)
        if before >= 0 and left_out:
            lines.append(f"{'…':>9}  ({left_out} more)")
        lines.append(f"{events[position].at:>7.1f} s  {one_line(sentence(events[position]))}")
        before = position
    return tuple(lines[:LINES])


def _shortened(positions: list[int], subject: frozenset[int]) -> list[int]:
    """Keep what it is about and what came right before; each gap costs a line, too."""
    kept = set(sorted(subject)[-LINES // 2 :])
    for position in reversed(positions):
        gaps = len(kept) + 1
        if len(kept) + min(gaps, 3) >= LINES:
            break
        kept.add(position)
    return sorted(kept)


def one_line(text: str) -> str:
    """Return a text that may hold anything as one line that shows it."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def short(text: str) -> str:
    """Return the end of a long text, where the newest stands."""
    return text if len(text) <= WIDTH else f"…{text[1 - WIDTH :]}"


def sentence(event: Event) -> str:  # noqa: C901, PLR0911, PLR0912 - one sentence an event
    """Say what an event was."""
    match event:
        case Said():
            return f"{event.call} says {event.utterance}"
        case Sent():
            what = "the hang-up" if event.hangup else f"request {event.request}"
            again = " once more" if event.copy else ""
            at = f" to {event.worker}" if event.worker else ""
            return f"{what} of {event.call} goes out{again}{at}: {short(event.content)}"
        case Got():
            return f"request {event.request} brings {short(event.fault or event.body) or 'nothing'}"
        case Asked():
            where = f"in {event.session}" if event.session else "in a new conversation"
            by = f" by {event.worker}" if event.worker else ""
            about = event.utterance or repr(short(event.prompt))
            return f"the model is asked {about} {where}{by} (ask {event.ask})"
        case Wrote():
            return f"ask {event.ask} writes: {short(event.text)}"
        case Told():
            how = f"ends: {event.error}" if event.error else f"is answered in {event.session}"
            return f"ask {event.ask} {how}"
        case Saved():
            what = "that it is over" if event.ended else f"version {event.version} over {event.base}"
            return f"of {event.call} is stored {what}"
        case Faulted():
            return f"a fault on purpose: {event.kind}"
        case Restarted():
            return f"the worker {event.worker} is replaced" if event.worker else "the worker is replaced"
        case Stalled():
            return f"{event.worker or 'the process'} has stood still for {event.seconds:.1f} s"
        case Reset():
            return f"{event.call} asks to begin anew"
        case Interrupted():
            return f"{event.call} presses a key while the answer to {event.utterance} is spoken"
        case Circled():
            return f"{event.call} {event.why}"
        case Counted():
            return f"{event.sessions} open sessions are counted, and {event.calls} open calls"
        case _:
            assert_never(event)
