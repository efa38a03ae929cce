"""Rules about what an application does outside of its calls, and what calls leave in its process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from yemot_ai_testing.history.correlation import utterance_ids
from yemot_ai_testing.history.events import EffectRecorded, LeftoversCounted
from yemot_ai_testing.history.index import HistoryIndex
from yemot_ai_testing.history.views import CallView
from yemot_ai_testing.history.violation import Budget, Violation

__all__ = ["effects_happen_once", "nothing_is_left_running"]


def effects_happen_once(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """An effect happens once in a call; one that names an utterance, once each time it was said."""
    for call in index.calls.values():
        done: dict[str, list[int]] = defaultdict(list)
        for position, event in call.effects:
            done[event.effect].append(position)
            if len(done[event.effect]) > _allowed(call, event, position):
                message = f"{event.effect!r} was done {len(done[event.effect])} times in {call.name}"
                named = utterance_ids(event.effect)
                subject = call.name, named[-1] if named else ""
                yield index.violation("done_twice", message, position, subject, *done[event.effect][:-1])
                break


def _allowed(call: CallView, event: EffectRecorded, position: int) -> int:
    """Return how often the effect may have happened at a position."""
    named = utterance_ids(event.effect)
    said = (one.utterance_id for one in call.utterances if one.spoken_index < position)
    return max(1, sum(utterance_id in named for utterance_id in said))


def nothing_is_left_running(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """Calls that have ended leave no threads and tasks; a pool of threads grows less than their number."""
    for position, event in enumerate(index.events):
        if isinstance(event, LeftoversCounted) and 2 * max(event.threads, event.tasks) >= event.calls > 0:
            kind, count = (
                ("threads", event.threads) if event.threads >= event.tasks else ("tasks", event.tasks)
            )
            message = f"{event.calls} calls have ended, and {count} {kind} of theirs still run"
            yield index.violation("left_running", message, position)
