"""The outcome of a recorded turn, by our reader and by the recording itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from yemot_ai.errors import AnswerCutError, ProviderError
from yemot_ai.providers.codex.events import EventReader

if TYPE_CHECKING:
    from yemot_ai_testing.codex.recordings import Recording

__all__ = ["ANSWERED", "ReaderOutcome", "is_turn", "outcome_by_reader", "outcome_by_recording"]

ANSWERED = "answer"
"""The outcome of a turn with an answer; otherwise it is the ``kind`` of a ``ProviderError``."""


@dataclass(frozen=True, slots=True)
class ReaderOutcome:
    """The outcome of a turn.

    Attributes:
        kind: ``answer``, the ``kind`` of an error, or empty for an unknown error.
        text: the answer.
        counters: the names of its usage counters.
    """

    kind: str
    text: str = ""
    counters: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.kind or "an error"


def is_turn(recording: Recording) -> bool:
    """Return whether the recording is a turn that writes events, which our reader must understand."""
    return recording.argv[:1] == ("exec",) and "--json" in recording.argv and "--help" not in recording.argv


def outcome_by_reader(recording: Recording) -> ReaderOutcome:
    """Return the outcome of a turn by our reader."""
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
        return ReaderOutcome(error.kind)
    if outcome.cut:
        return ReaderOutcome(AnswerCutError.kind)
    return ReaderOutcome(ANSWERED, outcome.text, frozenset(outcome.usage or ()))


def outcome_by_recording(recording: Recording) -> ReaderOutcome:
    """Return the outcome of a turn by the recording alone, without code of the reader.

    A turn with exit code 0 and ``turn.completed`` is completed; its answer is the last message of the
    agent. The kind of a failure is the scripted one.
    """
    events = [line.event for line in recording.stdout]
    if recording.exit_code != 0 or not any(event.get("type") == "turn.completed" for event in events):
        return ReaderOutcome(recording.fate)
    expected = _resumed_thread(recording)
    threads = {event["thread_id"] for event in events if event.get("type") == "thread.started"}
    if expected and threads - {expected}:
        return ReaderOutcome("session_lost")
    items = [event["item"] for event in events if event.get("type") == "item.completed"]
    messages = [str(item["text"]) for item in items if item.get("type") == "agent_message"]
    return ReaderOutcome(ANSWERED, messages[-1]) if messages else ReaderOutcome("empty")


def _resumed_thread(recording: Recording) -> str:
    """Return the thread that the command line resumes; empty for none."""
    argv = recording.argv
    following = argv[argv.index("resume") + 1 :] if "resume" in argv else ()
    return next((word for word in following[:1] if not word.startswith("-")), "")
