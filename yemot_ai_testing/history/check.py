"""The checker: every rule, over one history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.index import Index
from yemot_ai_testing.history.rules import hangup as leaving
from yemot_ai_testing.history.rules import heard as hearing
from yemot_ai_testing.history.rules import model_calls as asking
from yemot_ai_testing.history.rules import responses as answering
from yemot_ai_testing.history.rules import streaming as listening
from yemot_ai_testing.history.violation import Budget, Violation

__all__ = ["RULES", "check"]

RULES: Final[tuple[Callable[[Index, Budget], Iterator[Violation]], ...]] = (
    # Where one event breaks several rules, the first of these names it best.
    leaving.ran_no_more,
    leaving.spoke_no_more,
    leaving.stored_no_more,
    leaving.left_nothing_open,
    asking.asked_what_was_said,
    asking.asked_once,
    asking.sessions_kept_apart,
    asking.written_by_one,
    asking.remembered,
    answering.understood,
    answering.in_time,
    answering.comes_to_an_end,
    hearing.answered_by_its_own,
    hearing.answered_once,
    hearing.answered,
    hearing.repeated_alike,
    listening.sentences_once_and_in_order,
    listening.all_sentences,
    listening.nothing_after_an_interruption,
)


def check(history: History, budget: Budget | None = None) -> list[Violation]:
    """Return what may not have happened, in the order in which it did.

    Args:
        history: what happened; one that still goes on may be checked, too.
        budget: how much time things may take; 10 s a request unless given.
    """
    events = history.events
    index = Index(events)
    found = [violation for rule in RULES for violation in rule(index, budget or Budget())]
    return sorted(found, key=lambda violation: violation.at)
