"""What our reader makes of a recording, and what the recording itself shows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yemot_ai.errors import ProviderError
from yemot_ai.providers.codex.events import EventReader

if TYPE_CHECKING:
    from yemot_ai_testing.codex.recordings import OutputLine, Recording

__all__ = ["ANSWERED", "TurnOutcome", "is_turn", "outcome_by_reader", "outcome_by_recording", "parse_event"]

ANSWERED = "answer"
"""What a turn comes to that has an answer; else it is the ``kind`` of a ``ProviderError``."""


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """What a turn came to.

    Attributes:
        kind: ``answer``, the ``kind`` of an error, or empty if nobody can say which error.
        text: the answer.
        counters: the names of the counters that came with it.
    """

    kind: str
    text: str = ""
    counters: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.kind or "an error"


def is_turn(recording: Recording) -> bool:
    """Whether it shows a turn that writes events: something that our reader has to understand."""
    return recording.argv[:1] == ("exec",) and "--json" in recording.argv and "--help" not in recording.argv


def outcome_by_reader(recording: Recording) -> TurnOutcome:
    """What our own reader makes of a turn."""
    reader = EventReader()
    for line in recording.stdout:
        reader.feed(line.text.encode())
    try:
        outcome = reader.finish(
            exit_code=recording.exit_code,
            stderr_tail="\n".join(recording.stderr),
            expected=_resumed_thread(recording),
        )
    except ProviderError as error:
        return TurnOutcome(error.kind)
    return TurnOutcome(ANSWERED, outcome.text, frozenset(outcome.usage))


def outcome_by_recording(recording: Recording) -> TurnOutcome:
    """What a turn came to, told from the recording alone, without any code of the reader.

    Completed is what ended with exit code 0 and ``turn.completed``; its answer is the last message of
    the agent. Why it failed tells what it was made to do.
    """
    events = [parse_event(line) for line in recording.stdout]
    if recording.exit_code != 0 or not any(event.get("type") == "turn.completed" for event in events):
        return TurnOutcome(recording.fate)
    expected = _resumed_thread(recording)
    threads = {event["thread_id"] for event in events if event.get("type") == "thread.started"}
    if expected and threads - {expected}:
        return TurnOutcome("session_lost")
    items = [event["item"] for event in events if event.get("type") == "item.completed"]
    said = [str(item["text"]) for item in items if item.get("type") == "agent_message"]
    return TurnOutcome(ANSWERED, said[-1]) if said else TurnOutcome("empty")


def parse_event(line: OutputLine) -> dict[str, Any]:
    """A line as an event; empty if it is none."""
    try:
        event = json.loads(line.text)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _resumed_thread(recording: Recording) -> str:
    """The thread that the command line names; empty for none."""
    words = recording.argv
    named = words[words.index("resume") + 1 :] if "resume" in words else ()
    return next((word for word in named[:1] if not word.startswith("-")), "")
