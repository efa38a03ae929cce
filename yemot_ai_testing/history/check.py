"""The checker: every rule, over one history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.index import HistoryIndex
from yemot_ai_testing.history.rules import hangup as leaving
from yemot_ai_testing.history.rules import heard as hearing
from yemot_ai_testing.history.rules import model_calls as asking
from yemot_ai_testing.history.rules import responses as answering
from yemot_ai_testing.history.rules import streaming as listening
from yemot_ai_testing.history.violation import Budget, Violation

__all__ = ["RULES", "check"]

RULES: Final[tuple[Callable[[HistoryIndex, Budget], Iterator[Violation]], ...]] = (
    # Where one event breaks several rules, the first of these names it best.
    leaving.model_stops_after_hangup,
    leaving.nothing_spoken_after_hangup,
    leaving.nothing_saved_after_hangup,
    leaving.no_sessions_left_open,
    asking.no_unspoken_prompts,
    asking.asked_at_most_once,
    asking.sessions_are_isolated,
    asking.single_writer,
    asking.conversation_is_remembered,
    answering.responses_are_valid,
    answering.responses_are_in_time,
    answering.calls_terminate,
    hearing.answers_match_utterances,
    hearing.answered_at_most_once,
    hearing.every_utterance_is_answered,
    hearing.repeated_requests_are_idempotent,
    listening.sentences_spoken_once_in_order,
    listening.every_sentence_is_spoken,
    listening.interruption_ends_answer,
)


def check(history: History, budget: Budget | None = None) -> list[Violation]:
    """Return what may not have happened, in the order in which it did.

    Args:
        history: what happened; one that still goes on may be checked, too.
        budget: how much time things may take; 10 s a request unless given.
    """
    events = history.events
    index = HistoryIndex(events)
    found = [violation for rule in RULES for violation in rule(index, budget or Budget())]
    return sorted(found, key=lambda violation: violation.at)
