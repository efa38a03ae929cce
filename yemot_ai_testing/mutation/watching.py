"""Find out, in a run without a fault, which faults would change something: the others need no run.

Until a fault changes something, everything happens as without it. So it is enough to ask each fault what it
would do with what really happens.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from yemot_ai.providers import AnswerPart
from yemot_ai.sessions import Session
from yemot_ai_testing.line.transports.transport import Pairs, TransportResponse
from yemot_ai_testing.mutation.marks import Marks
from yemot_ai_testing.mutation.mutation import Ask, ModelQuestion, Mutation, StoreFault
from yemot_ai_testing.mutation.planted_ai import plant_provider, plant_store
from yemot_ai_testing.mutation.planted_application import is_changed, plant_application
from yemot_ai_testing.mutation.turn import ApplicationFault, Send, Turn

__all__ = ["plant_watchers"]


class _OtherRequestError(Exception):
    """A fault would send another request than the line."""


def plant_watchers(mutations: Sequence[Mutation], marks: Marks) -> None:
    """Mark each mutation that would change something in this process; nothing is changed."""
    by_seam = {
        seam: [mutation for mutation in mutations if mutation.seam == seam]
        for seam in ("application", "provider", "store")
    }
    plant_application(_application_watcher(by_seam["application"], marks), marks, "")
    plant_provider(_provider_watcher(by_seam["provider"], marks), marks, "")
    plant_store(_store_watcher(by_seam["store"], marks), marks, "")


def _application_watcher(mutations: Sequence[Mutation], marks: Marks) -> ApplicationFault:
    def watch(turn: Turn, send: Send) -> TransportResponse:
        response = send(turn.pairs)
        for mutation in mutations:
            if not marks.is_reached(mutation.id) and _changes(mutation.fault, turn, response):
                marks.reach(mutation.id)
        return response

    return watch


def _changes(fault: ApplicationFault, turn: Turn, response: TransportResponse) -> bool:
    is_sent = False

    def send(pairs: Pairs) -> TransportResponse:
        nonlocal is_sent
        if is_sent or tuple(pairs) != tuple(turn.pairs):
            raise _OtherRequestError
        is_sent = True
        return response

    try:
        return is_changed(turn, response, fault(turn, send)) or not is_sent
    except _OtherRequestError:
        return True


def _provider_watcher(
    mutations: Sequence[Mutation], marks: Marks
) -> Callable[[ModelQuestion, Ask], AsyncIterator[AnswerPart]]:
    async def watch(question: ModelQuestion, ask: Ask) -> AsyncIterator[AnswerPart]:
        for mutation in mutations:  # what they would do is known only when they ask the model
            marks.reach(mutation.id)
        async for part in ask(question):
            yield part

    return watch


def _store_watcher(mutations: Sequence[Mutation], marks: Marks) -> StoreFault:
    def mark_if(mutation: Mutation, is_changed: bool) -> None:  # noqa: FBT001 - the condition
        if is_changed:
            marks.reach(mutation.id)

    def key(call_id: str) -> str:
        for mutation in mutations:
            mark_if(mutation, mutation.fault.key(call_id) != call_id)
        return call_id

    def load(session: Session) -> Session:
        for mutation in mutations:
            mark_if(mutation, mutation.fault.load(session) != session)
        return session

    def save(session: Session) -> Session:
        for mutation in mutations:
            mark_if(mutation, mutation.fault.save(session) != session)
        return session

    return StoreFault(key, load, save)
