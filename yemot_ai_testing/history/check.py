"""The checker: apply all rules to a history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.index import HistoryIndex
from yemot_ai_testing.history.rules import (
    effects,
    hangup,
    heard,
    model_calls,
    responses,
    streaming,
    tools,
    wording,
)
from yemot_ai_testing.history.violation import Budget, Violation

__all__ = ["RULES", "check"]

RULES: Final[tuple[Callable[[HistoryIndex, Budget], Iterator[Violation]], ...]] = (
    # Where one event breaks several rules, the first of them describes it best.
    hangup.model_stops_after_hangup,
    hangup.no_tool_starts_after_hangup,
    hangup.nothing_spoken_after_hangup,
    hangup.nothing_saved_after_hangup,
    hangup.no_sessions_left_open,
    tools.tools_run_once,
    tools.results_are_of_their_calls,
    tools.results_reach_the_model,
    effects.effects_happen_once,
    effects.nothing_is_left_running,
    model_calls.no_unspoken_prompts,
    model_calls.asked_at_most_once,
    model_calls.sessions_are_isolated,
    model_calls.asked_in_time,
    model_calls.transient_failures_are_retried,
    model_calls.single_writer,
    model_calls.conversation_is_remembered,
    responses.responses_are_valid,
    responses.responses_are_in_time,
    responses.calls_terminate,
    heard.answers_match_utterances,
    heard.answered_at_most_once,
    heard.every_utterance_is_answered,
    heard.repeated_requests_are_idempotent,
    streaming.sentences_spoken_once_in_order,
    streaming.every_sentence_is_spoken,
    streaming.interruption_ends_answer,
    wording.answers_are_spoken_in_full,
    wording.greetings_are_spoken_once,
    wording.numbers_of_callers_are_private,
)


def check(history: History, budget: Budget | None = None) -> list[Violation]:
    """Return the violations of all rules, ordered by time.

    Args:
        history: the events; may be checked while it is still being recorded.
        budget: the limits of time and tries; by default 10 s a request.
    """
    events = history.events
    index = HistoryIndex(events)
    violations = [violation for rule in RULES for violation in rule(index, budget or Budget())]
    return sorted(violations, key=lambda violation: violation.at)
