from __future__ import annotations

import asyncio
import threading

import pytest

from tests.property.engines.races import RACES
from yemot_ai_testing.errors import DeadlockError
from yemot_ai_testing.property.engines.order import Order
from yemot_ai_testing.property.engines.ordered import OrderedEngine
from yemot_ai_testing.property.engines.search import check_orders, find_order
from yemot_ai_testing.property.engines.seeded import seeded_engine

TASKS = 3


class Slots:
    """A lock whose waiters poll it; ``release`` is what a task forgets when it is cancelled."""

    def __init__(self) -> None:
        self.held = False

    async def acquire(self) -> None:
        async with asyncio.timeout(60):
            while self.held:  # noqa: ASYNC110 - a lock in a file or a server is polled
                await asyncio.sleep(1)
        self.held = True


def keeps_the_lock(engine: OrderedEngine) -> None:
    """Run tasks that do not release their lock when they are cancelled."""
    slots = Slots()

    async def worker() -> None:
        await slots.acquire()
        for _ in range(3):
            await asyncio.sleep(0)
        slots.held = False

    async def main() -> None:
        await asyncio.gather(*(worker() for _ in range(TASKS)), return_exceptions=True)
        assert not slots.held

    engine.run(main())


def releases_the_lock(engine: OrderedEngine) -> None:
    slots = Slots()

    async def worker() -> None:
        await slots.acquire()
        try:
            for _ in range(3):
                await asyncio.sleep(0)
        finally:
            slots.held = False

    async def main() -> None:
        await asyncio.gather(*(worker() for _ in range(TASKS)), return_exceptions=True)
        assert not slots.held

    engine.run(main())


def loses_the_turn(engine: OrderedEngine) -> None:
    """Hand a slot to a waiter; one that is cancelled after it was given the slot does not hand it on."""
    free, waiting = [1], list[asyncio.Future[None]]()

    async def acquire() -> None:
        if free:
            free.pop()
            return
        given = asyncio.get_running_loop().create_future()
        waiting.append(given)
        await given

    def release() -> None:
        for given in waiting:
            if not given.done():
                return given.set_result(None)
        return free.append(1)

    async def worker() -> None:
        await acquire()
        try:
            await asyncio.sleep(0)
        finally:
            release()

    async def main() -> None:
        await asyncio.wait([asyncio.create_task(worker()) for _ in range(TASKS)], timeout=60)
        assert free

    engine.run(main())


def loses_the_record(engine: OrderedEngine) -> None:
    """Remove a record, work, and write it again: a cancellation in between loses it."""
    records = {"c1": 0}

    async def worker() -> None:
        number = records.pop("c1", 0)
        await asyncio.sleep(0)
        records["c1"] = number + 1

    async def main() -> None:
        await asyncio.gather(asyncio.create_task(worker(), name="turn"), return_exceptions=True)
        assert "c1" in records

    engine.run(main())


@pytest.mark.parametrize(
    ("program", "cancels", "moments"),
    [
        (keeps_the_lock, "worker", {"after"}),
        (loses_the_turn, "worker", {"before"}),
        (loses_the_record, "turn", {"before", "after"}),
    ],
)
def test_a_cancellation_that_loses_something_is_found(
    program: object, cancels: str, moments: set[str]
) -> None:
    assert callable(program)
    assert find_order(program) is None
    found = find_order(program, runs=60, cancels=cancels)
    assert found is not None
    assert found.order.cancellation is not None
    assert found.order.cancellation.name == cancels
    assert found.order.cancellation.moment in moments


def test_each_suspension_of_each_task_is_cancelled_once() -> None:
    steps: list[tuple[int, int]] = []

    def program(engine: OrderedEngine) -> None:
        async def worker(number: int) -> None:
            for step in range(3):
                try:
                    await asyncio.sleep(0)
                except asyncio.CancelledError:
                    steps.append((number, step))

        async def main() -> None:
            await asyncio.gather(*map(worker, range(TASKS)), return_exceptions=True)

        engine.run(main())

    assert find_order(program, runs=100, cancels="worker") is None
    assert set(steps) == {(number, step) for number in range(TASKS) for step in range(3)}


def test_code_that_cleans_up_is_not_accused() -> None:
    assert find_order(releases_the_lock, runs=150, cancels="worker") is None


def test_a_found_order_is_the_simplest_that_still_fails() -> None:
    found = find_order(RACES[2], runs=60)

    assert found is not None
    assert found.order.cancellation is None
    assert len(found.order.changes) == 1
    assert found.order.seed < 10


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)
def test_the_found_order_fails_again_in_twenty_of_twenty_runs(race: object) -> None:
    assert callable(race)
    found = find_order(race)
    assert found is not None
    for _ in range(20):
        engine = seeded_engine(str(found.order))
        with pytest.raises(AssertionError) as again:
            race(engine)
        engine.close()
        assert str(again.value) == str(found.error)


def test_what_fails_in_every_order_fails_in_the_order_of_arrival() -> None:
    def program(engine: OrderedEngine) -> None:
        engine.run(asyncio.sleep(0))
        raise ValueError("always")

    found = find_order(program)
    assert found is not None
    assert (found.runs, found.order, str(found.error)) == (1, Order(), "always")


def test_a_check_raises_what_the_program_raised_with_the_order_that_repeats_it() -> None:
    with pytest.raises(AssertionError, match=RACES[0].name) as caught:
        check_orders(RACES[0])
    (note,) = caught.value.__notes__
    assert note.startswith("Found in run ")
    engine = seeded_engine(note.split("seeded_engine('")[1].partition("'")[0])
    with pytest.raises(AssertionError, match=RACES[0].name):
        RACES[0](engine)
    engine.close()


def test_a_check_of_a_program_without_a_race_passes() -> None:
    check_orders(releases_the_lock, runs=30)


def takes_two_locks(engine: OrderedEngine) -> None:
    """Take two locks in opposite orders, without a time limit."""

    async def takes(first: asyncio.Lock, second: asyncio.Lock) -> None:
        async with first:
            await asyncio.sleep(0)
            async with second:
                await asyncio.sleep(0)

    async def main() -> None:
        one, two = asyncio.Lock(), asyncio.Lock()
        first = asyncio.create_task(takes(one, two))
        for _ in range(4):
            await asyncio.sleep(0)
        await asyncio.gather(first, takes(two, one))

    engine.run(main())


def test_tasks_that_wait_for_each_other_are_an_error_instead_of_a_wait_without_end() -> None:
    found = find_order(takes_two_locks, runs=60)

    assert found is not None
    assert isinstance(found.error, DeadlockError)
    assert found.error.waiting == tuple(["takes_two_locks.<locals>.takes"] * 2)
    engine = seeded_engine(found.order)
    with pytest.raises(DeadlockError):
        takes_two_locks(engine)
    engine.close()


def test_a_lock_that_a_cancelled_task_keeps_is_found_without_a_time_limit() -> None:
    def program(engine: OrderedEngine) -> None:
        async def worker(lock: asyncio.Lock) -> None:
            await lock.acquire()
            await asyncio.sleep(0)
            lock.release()

        async def main() -> None:
            lock = asyncio.Lock()
            tasks = [asyncio.create_task(worker(lock)) for _ in range(TASKS)]
            await asyncio.wait(tasks)

        engine.run(main())

    found = find_order(program, runs=30, cancels="worker")
    assert found is not None
    assert found.order.cancellation is not None
    assert isinstance(found.error, DeadlockError)


def test_a_task_that_waits_for_a_thread_is_no_deadlock() -> None:
    async def main(engine: OrderedEngine) -> str:
        opened, gate = asyncio.Event(), threading.Event()
        threading.Timer(0.05, gate.set).start()
        await asyncio.gather(engine.run_in_thread(gate.wait), asyncio.to_thread(gate.wait))
        opened.set()
        await opened.wait()
        return "ended"

    engine = seeded_engine(1)
    assert engine.run(main(engine)) == "ended"
    engine.close()
