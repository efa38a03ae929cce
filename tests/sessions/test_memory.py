from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from yemot_ai import errors
from yemot_ai._runtime.engine import run_without_waiting
from yemot_ai.errors import (
    AuthenticationError,
    ProviderCrashError,
    ProviderError,
    RateLimitedError,
    SessionConflictError,
)
from yemot_ai.sessions import MemoryStore, Session, Turn, TurnFailure, TurnStatus, update_session
from yemot_ai.transcription import EmptyRecordingError, RecordingNotReadyError


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def store(now: list[float]) -> MemoryStore:
    return MemoryStore(now=lambda: now[0])


def test_what_was_saved_is_loaded_with_the_next_version(store: MemoryStore) -> None:
    saved = run_without_waiting(store.save(Session("c1", phone="050"), ttl=10))

    assert saved == replace(Session("c1", phone="050"), version=1)
    assert run_without_waiting(store.load("c1")) == saved


def test_an_unknown_call_has_no_session(store: MemoryStore) -> None:
    assert run_without_waiting(store.load("c1")) is None


def test_a_save_over_a_newer_version_is_refused(store: MemoryStore) -> None:
    run_without_waiting(store.save(Session("c1"), ttl=10))

    with pytest.raises(SessionConflictError) as caught:
        run_without_waiting(store.save(Session("c1"), ttl=10))
    assert (caught.value.call_id, caught.value.expected) == ("c1", 0)


def test_an_expired_session_can_be_replaced_by_a_new_one(store: MemoryStore, now: list[float]) -> None:
    run_without_waiting(store.save(Session("c1"), ttl=10))
    now[0] = 10.0

    assert run_without_waiting(store.load("c1")) is None
    assert run_without_waiting(store.save(Session("c1"), ttl=10)).version == 1


def test_saving_sweeps_what_has_expired(store: MemoryStore, now: list[float]) -> None:
    for number in range(20):
        run_without_waiting(store.save(Session(f"old-{number}"), ttl=10))
    now[0] = 11.0
    for number in range(12):
        run_without_waiting(store.save(Session(f"new-{number}"), ttl=10))

    async def list_calls() -> list[str]:
        return [call_id async for call_id in store.call_ids()]

    assert all(call_id.startswith("new") for call_id in asyncio.run(list_calls()))


def test_what_is_kept_for_long_does_not_hide_what_has_expired(store: MemoryStore, now: list[float]) -> None:
    run_without_waiting(store.save(Session("caller:050"), ttl=1e6))
    for number in range(20):
        run_without_waiting(store.save(Session(f"old-{number}"), ttl=10))
    now[0] = 11.0
    for number in range(12):
        run_without_waiting(store.save(Session(f"new-{number}"), ttl=10))
    now[0] = 0.0  # what has expired is listed again, unless it was swept

    async def list_calls() -> list[str]:
        return [call_id async for call_id in store.call_ids()]

    assert asyncio.run(list_calls())[0] == "caller:050"
    assert not any(call_id.startswith("old") for call_id in asyncio.run(list_calls()))


def test_a_session_saved_for_another_time_is_kept_once(store: MemoryStore) -> None:
    saved = run_without_waiting(store.save(Session("c1"), ttl=10))
    run_without_waiting(store.save(saved, ttl=20))

    async def list_calls() -> list[str]:
        return [call_id async for call_id in store.call_ids()]

    assert asyncio.run(list_calls()) == ["c1"]
    assert getattr(run_without_waiting(store.load("c1")), "version", 0) == 2


def test_a_deleted_session_is_gone_and_deleting_twice_is_no_error(store: MemoryStore) -> None:
    run_without_waiting(store.save(Session("c1"), ttl=10))
    run_without_waiting(store.delete("c1"))
    run_without_waiting(store.delete("c1"))

    assert run_without_waiting(store.load("c1")) is None


def test_updates_at_the_same_time_lose_nothing(store: MemoryStore) -> None:
    def count(session: Session) -> Session:
        return replace(session, next_turn=session.next_turn + 1)

    async def many() -> None:
        def work() -> None:
            for _ in range(200):
                run_without_waiting(update_session(store, "c1", count, ttl=10))

        await asyncio.gather(*(asyncio.to_thread(work) for _ in range(8)))

    asyncio.run(many())

    session = run_without_waiting(store.load("c1"))
    assert session is not None
    assert session.next_turn == 1601


def test_an_update_that_changes_nothing_saves_nothing(store: MemoryStore) -> None:
    run_without_waiting(store.save(Session("c1"), ttl=10))

    assert run_without_waiting(update_session(store, "c1", lambda session: session, ttl=10)).version == 1


def test_a_hold_excludes_and_serves_in_order_of_arrival(store: MemoryStore) -> None:
    order: list[int] = []

    async def work(number: int) -> None:
        async with store.hold("key"):
            order.append(number)
            await asyncio.sleep(0)
            order.append(number)

    async def many() -> None:
        await asyncio.gather(*(work(number) for number in range(5)))

    asyncio.run(many())

    assert order == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_a_cancelled_waiter_does_not_block_the_hold(store: MemoryStore) -> None:
    async def run_steps() -> bool:
        async def wait() -> None:
            async with store.hold("key"):
                raise AssertionError("it was given up")

        async with store.hold("key"):
            waiting = asyncio.ensure_future(wait())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait({waiting})
        async with store.hold("key"):
            return waiting.cancelled()

    assert asyncio.run(run_steps())


def test_a_turn_takes_its_place_in_the_ledger() -> None:
    session = Session("c1").with_turn(Turn("a", "1")).with_turn(Turn("b", "2"))
    session = session.with_turn(Turn("a", "1", status=TurnStatus.ANSWERED, answer="x"))

    assert [(turn.id, turn.answer) for turn in session.turns] == [("a", "x"), ("b", "")]


def test_a_tombstone_keeps_nothing_of_what_was_said() -> None:
    session = Session("c1", phone="050", state={"a": 1}).with_turn(Turn("a", "סוד")).with_thread("call", "t1")

    over = session.tombstone()

    assert over.ended
    assert (over.phone, over.turns, over.threads, over.state) == ("", (), {}, {})


@pytest.mark.parametrize(
    "error",
    [
        RateLimitedError("slow down", retry_after=3.5, provider="openai"),
        ProviderCrashError("it died", exit_code=-9, stderr_tail="oops", provider="codex"),
        AuthenticationError("no", provider="codex"),
    ],
    ids=lambda error: error.kind,
)
def test_a_failure_is_rebuilt_as_it_was(error: RateLimitedError | ProviderCrashError) -> None:
    rebuilt = TurnFailure.from_error(error).to_error()

    assert type(rebuilt) is type(error)
    assert str(rebuilt) == str(error)
    assert vars(rebuilt) == vars(error)


def test_a_failure_of_an_unknown_kind_is_still_a_provider_error() -> None:
    assert str(TurnFailure("from_the_future", "hm").to_error()) == "hm"


def _leaves() -> list[type[ProviderError]]:
    every = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    return [kind for kind in every if issubclass(kind, ProviderError)]


@pytest.mark.parametrize("kind", _leaves(), ids=lambda kind: kind.__name__)
def test_a_failure_is_stored_by_its_kind_and_is_the_same_error_again(kind: type[ProviderError]) -> None:
    raised = kind.__new__(kind, "hm")
    raised.__dict__.update(provider="p", retry_after=3)
    failure = TurnFailure.from_error(raised)

    assert failure.kind == kind.kind
    assert type(failure.to_error()) is kind
    assert vars(failure.to_error()) == vars(raised)


@pytest.mark.parametrize("kind", _leaves(), ids=lambda kind: kind.__name__)
def test_a_failure_that_was_stored_by_its_python_path_is_the_same_error(kind: type[ProviderError]) -> None:
    assert type(TurnFailure(f"yemot_ai.errors.{kind.__name__}", "hm").to_error()) is kind


@pytest.mark.parametrize("kind", [EmptyRecordingError, RecordingNotReadyError])
def test_an_error_of_a_recording_is_read_by_the_python_path_it_had(kind: type[ProviderError]) -> None:
    failure = TurnFailure(f"yemot_ai.recordings.{kind.__name__}", "hm")

    assert type(failure.to_error()) is kind


def test_every_provider_error_has_its_own_kind() -> None:
    every: list[type[ProviderError]] = [*_leaves(), EmptyRecordingError, RecordingNotReadyError]
    kinds = [kind.kind for kind in every]
    assert len(set(kinds)) == len(kinds)
