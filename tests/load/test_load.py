from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import settings

from tests.load import worker
from tests.load.processes import carried_by_processes
from tests.load.tasks import carried_by_tasks
from tests.load.threads import TURN, carried_by_threads
from tests.support.redis_server import RedisServer
from yemot_ai.sessions import MemoryStore, Session
from yemot_ai_testing.history import Budget, CallerSpoke, History, ModelAsked, check
from yemot_ai_testing.history.correlation import FIRST_UTTERANCE_ID
from yemot_ai_testing.property.load_plan import TABLE_HEADER, table_row

Property = Callable[[str, object], None]

CALLS, NIGHTLY = 300, 10_000
MARKS = range(FIRST_UTTERANCE_ID, 10_000_000)


def calls() -> int:
    return NIGHTLY if settings.get_current_profile_name() == "nightly" else CALLS


def judged(how: str, history: History, budget: Budget, record_property: Property) -> None:
    violations = check(history, budget)
    record_property("table", (TABLE_HEADER, table_row(how, history, violations)))
    assert sum(isinstance(event, CallerSpoke) for event in history.events) > calls() // 2
    assert not violations, f"{len(violations)} violations; the first: {violations[0]}"


def test_calls_in_threads_meet_nobody(record_property: Property) -> None:
    history = carried_by_threads(7, calls(), MARKS)
    judged("32 threads", history, Budget(hangup=1.0, turn=TURN), record_property)


def test_calls_as_tasks_in_any_order_meet_nobody(record_property: Property) -> None:
    history = carried_by_tasks(7, calls(), MARKS)
    judged("tasks, seeded", history, Budget(), record_property)


def test_calls_over_processes_that_are_killed_meet_nobody(record_property: Property) -> None:
    server = RedisServer().start()
    try:
        history = carried_by_processes(7, calls(), MARKS, server.url)
    finally:
        server.close()
    budget = Budget(hangup=2.0, lease=worker.LEASE, turn=worker.TURN)
    judged("3 processes, Redis", history, budget, record_property)
    assert len({event.worker for event in history.events if isinstance(event, ModelAsked)}) > 3


class LastWriterWins(MemoryStore):
    """Looks and stores in two steps, and does not look again."""

    immediate = False

    async def load(self, call_id: str) -> Session | None:
        loaded = await super().load(call_id)
        await asyncio.sleep(0)
        return loaded

    async def save(self, session: Session, *, ttl: float) -> Session:
        stored = await super().load(session.call_id)
        return await super().save(replace(session, version=stored.version if stored else 0), ttl=ttl)


def test_a_store_in_which_the_last_writer_wins_is_found() -> None:
    history = carried_by_tasks(7, CALLS, MARKS, LastWriterWins)
    assert "two_writers" in {violation.kind for violation in check(history)}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_is_the_same_evening(seed: int) -> None:
    first, again = (carried_by_tasks(seed, 20, MARKS).dumps() for _ in range(2))
    assert first == again
    assert first != carried_by_tasks(seed + 10, 20, MARKS).dumps()
