"""Faults of a session store, for applications with a ``YemotAI``."""

from __future__ import annotations

from dataclasses import replace

from yemot_ai.sessions import Session
from yemot_ai_testing.mutation.mutation import StoreFault, store_mutation

SHARED_ID = "0"


def _without_tombstone(session: Session) -> Session | None:
    return None if session.ended else session


def _without_conversations(session: Session) -> Session:
    turns = tuple(replace(turn, forgotten=turn.is_done) for turn in session.turns)
    return replace(session, threads={}, turns=turns)


def _lost_after_two_answers(session: Session) -> Session | None:
    return None if sum(turn.is_done for turn in session.turns) > 1 else session


end_not_stored = store_mutation(
    "That a call is over is not stored: it stays open.",
    StoreFault(save=lambda session: replace(session, ended=False)),
)
no_trace_of_ended_calls = store_mutation(
    "A request that comes after the end of a call begins a new one.",
    StoreFault(save=_without_tombstone),
)
answers_not_stored = store_mutation(
    "Answers are not stored: a repeated request asks the model again.",
    StoreFault(save=lambda session: replace(session, turns=(), recent=())),
)
conversations_not_stored = store_mutation(
    "The model's conversations are not stored: it forgets what was said.",
    StoreFault(save=_without_conversations),
)
state_not_stored = store_mutation(
    "What a handler keeps in call.state is lost.",
    StoreFault(save=lambda session: replace(session, state={})),
)
lost_at_a_restart = store_mutation(
    "After two answers the call is forgotten, as by a server that restarts.",
    StoreFault(load=_lost_after_two_answers),
)
one_session_for_all = store_mutation(
    "All calls share one session.",
    StoreFault(key=lambda _: SHARED_ID),
)
caller_not_stored = store_mutation(
    "The number of the caller is not stored.",
    StoreFault(save=lambda session: replace(session, phone="")),
)
