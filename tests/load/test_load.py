from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import settings

from tests.load import worker
from tests.load.processes import run_in_processes
from tests.load.tasks import run_as_tasks
from tests.load.threads import TURN_TIMEOUT, run_in_threads
from yemot_ai.sessions import MemoryStore, Session
from yemot_ai_testing.history import Budget, CallerSpoke, History, ModelAsked, check
from yemot_ai_testing.history.correlation import FIRST_UTTERANCE_ID
from yemot_ai_testing.property.load_plan import TABLE_HEADER, table_row

Property = Callable[[str, object], None]

CALLS, NIGHTLY = 300, 10_000
UTTERANCE_IDS = range(FIRST_UTTERANCE_ID, 10_000_000)


def calls() -> int:
    return NIGHTLY if settings.get_current_profile_name() == "nightly" else CALLS


def assert_valid(label: str, history: History, budget: Budget, record_property: Property) -> None:
    violations = check(history, budget)
    record_property("table", (TABLE_HEADER, table_row(label, history, violations)))
    assert sum(isinstance(event, CallerSpoke) for event in history.events) > calls() // 2
    assert not violations, f"{len(violations)} violations; the first: {violations[0]}"


@pytest.mark.generated
def test_calls_in_threads_do_not_affect_each_other(record_property: Property) -> None:
    history = run_in_threads(7, calls(), UTTERANCE_IDS)
    assert_valid("32 threads", history, Budget(hangup=1.0, turn=TURN_TIMEOUT), record_property)


def test_calls_as_tasks_in_random_order_do_not_affect_each_other(record_property: Property) -> None:
    history = run_as_tasks(7, calls(), UTTERANCE_IDS)
    assert_valid("tasks, seeded", history, Budget(), record_property)


@pytest.mark.generated
def test_calls_in_killed_processes_do_not_affect_each_other(
    record_property: Property, redis_url: str
) -> None:
    history = run_in_processes(7, calls(), UTTERANCE_IDS, f"{redis_url}?db=1")
    budget = Budget(hangup=2.0, lease=worker.LEASE, turn=worker.TURN_TIMEOUT)
    assert_valid("3 processes, Redis", history, budget, record_property)
    assert len({event.worker for event in history.events if isinstance(event, ModelAsked)}) > 3


class LastWriterWins(MemoryStore):
    """Saves without a compare-and-set: loads and stores in two steps."""

    immediate = False

    async def load(self, call_id: str) -> Session | None:
        loaded = await super().load(call_id)
        await asyncio.sleep(0)
        return loaded

    async def save(self, session: Session, *, ttl: float) -> Session:
        stored = await super().load(session.call_id)
        return await super().save(replace(session, version=stored.version if stored else 0), ttl=ttl)


@pytest.mark.generated
def test_a_store_without_compare_and_set_is_found() -> None:
    history = run_as_tasks(7, CALLS, UTTERANCE_IDS, LastWriterWins)
    assert "two_writers" in {violation.kind for violation in check(history)}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_gives_the_same_history(seed: int) -> None:
    first, again = (run_as_tasks(seed, 20, UTTERANCE_IDS).dumps() for _ in range(2))
    assert first == again
    assert first != run_as_tasks(seed + 10, 20, UTTERANCE_IDS).dumps()
