from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing

import pytest

from yemot_ai_testing.property.engines.order import Order, Size
from yemot_ai_testing.property.engines.ordered import OrderedEngine
from yemot_ai_testing.property.engines.seeded import seeded_engine

ORDERS = ("arrival", "chance 3", "priorities 3", "priorities 4, changes 2 5", "arrival, changes 1 4")


def steps_of_tasks(engine: OrderedEngine, tasks: int = 3, awaits: int = 4) -> str:
    """Return the names of the tasks in the order of their steps."""
    seen: list[str] = []

    async def one(name: str) -> None:
        for _ in range(awaits):
            seen.append(name)
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*map(one, "abcdefgh"[:tasks]))

    with closing(engine):
        engine.run(main())
    return "".join(seen)


def test_without_an_order_tasks_run_as_they_come() -> None:
    assert steps_of_tasks(OrderedEngine()) == steps_of_tasks(seeded_engine("arrival")) == "abcabcabcabc"


def test_the_task_with_the_highest_priority_runs_to_its_end() -> None:
    orders = {steps_of_tasks(seeded_engine(f"priorities {seed}")) for seed in range(20)}

    assert orders == {
        "".join(name * 4 for name in names) for names in ("abc", "acb", "bac", "bca", "cab", "cba")
    }


def test_at_a_change_point_the_running_task_goes_behind_all_others() -> None:
    runs = {steps_of_tasks(seeded_engine(f"priorities {seed}, changes 2")) for seed in range(20)}

    assert len(runs) == 6
    assert all(run[:2] == run[0] * 2 and run[2:10].count(run[0]) == 0 for run in runs)


def test_a_change_point_also_moves_a_task_that_came_first() -> None:
    assert steps_of_tasks(seeded_engine("arrival, changes 0"), awaits=2) == "bcbcaa"


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_gives_the_same_steps_each_time(order: str) -> None:
    assert len({steps_of_tasks(seeded_engine(order)) for _ in range(5)}) == 1


def test_an_engine_that_was_closed_has_the_order_from_then_on_too() -> None:
    engine = seeded_engine("arrival")

    # Each run closes the engine: the next loop starts while the last one still ends.
    assert {steps_of_tasks(engine) for _ in range(200)} == {"abcabcabcabc"}


def test_the_size_of_a_run_is_known_afterwards() -> None:
    engine = seeded_engine("arrival")
    steps_of_tasks(engine)

    assert engine.program_size == Size(tasks=3, steps=5)
    assert OrderedEngine().program_size is None


@pytest.mark.parametrize("order", ORDERS)
def test_callbacks_keep_their_order_among_each_other(order: str) -> None:
    seen: list[int] = []

    async def busy() -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def main() -> None:
        tasks = [asyncio.create_task(busy()) for _ in range(3)]
        for number in range(5):
            asyncio.get_running_loop().call_soon(seen.append, number)
        await asyncio.gather(*tasks)

    with closing(seeded_engine(order)) as engine:
        engine.run(main())

    assert seen == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("order", ORDERS)
def test_a_callback_that_schedules_itself_does_not_stop_the_tasks(order: str) -> None:
    async def main() -> int:
        loop, ended = asyncio.get_running_loop(), False
        calls = 0

        def again() -> None:
            nonlocal calls
            calls += 1
            if not ended:
                loop.call_soon(again)

        again()
        await asyncio.gather(*(asyncio.sleep(0) for _ in range(3)))
        ended = True
        return calls

    with closing(seeded_engine(order)) as engine:
        assert 0 < engine.run(main()) < 20


@pytest.mark.parametrize("order", [*ORDERS, *(f"priorities {seed}" for seed in range(5, 11))])
def test_a_task_that_polls_does_not_stop_the_others(order: str) -> None:
    async def main() -> str:
        ready = False

        async def sets() -> None:
            nonlocal ready
            for _ in range(3):
                await asyncio.sleep(0)
            ready = True

        async def polls() -> None:
            while not ready:  # noqa: ASYNC110 - polling is the subject
                await asyncio.sleep(0)

        await asyncio.gather(polls(), polls(), sets(), polls())
        return "ended"

    with closing(seeded_engine(order)) as engine:
        assert engine.run(main()) == "ended"


def blocking(seen: list[str], name: str) -> Callable[[], None]:
    return lambda: seen.append(name)


def order_of_threads(order: str) -> str:
    seen: list[str] = []

    async def main(engine: OrderedEngine) -> None:
        await asyncio.gather(*(engine.run_in_thread(blocking(seen, name)) for name in "abc"))

    with closing(seeded_engine(order)) as engine:
        engine.run(main(engine))
    return "".join(seen)


def test_an_order_determines_which_thread_continues_first() -> None:
    orders = [f"priorities {seed}" for seed in range(20)]

    assert order_of_threads("arrival") == "abc"
    assert [order_of_threads(order) for order in orders] == [order_of_threads(order) for order in orders]
    assert len({order_of_threads(order) for order in orders}) == 6


def test_another_order_may_be_used_on_an_engine_that_runs() -> None:
    engine = OrderedEngine()
    engine.run(asyncio.sleep(0))
    engine.use_order(Order("arrival", changes=(0,)))

    assert steps_of_tasks(engine, awaits=2) == "bcbcaa"
