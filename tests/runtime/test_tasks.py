from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from yemot_ai._runtime.engine import Engine
from yemot_ai._runtime.tasks import KeyedTasks, await_shielded, run_shielded, start_task, wait_for_event

Shielded = Callable[[Coroutine[Any, Any, str]], Awaitable[str]]


async def _run_started(coroutine: Coroutine[Any, Any, str]) -> str:
    return await await_shielded(start_task(coroutine))


async def _run_keyed(coroutine: Coroutine[Any, Any, str]) -> str:
    return await KeyedTasks[str, str]().run("key", coroutine)


@pytest.fixture(params=[run_shielded, _run_started, _run_keyed])
def shielded(request: pytest.FixtureRequest) -> Shielded:
    way: Shielded = request.param
    return way


class Work:
    """A coroutine that waits for ``gate`` and then returns, or raises ``error``."""

    def __init__(self, error: Exception | None = None) -> None:
        self.gate = asyncio.Event()
        self.started = asyncio.Event()
        self.ended = asyncio.Event()
        self.error = error

    async def run(self) -> str:
        self.started.set()
        try:
            await self.gate.wait()
            if self.error is not None:
                raise self.error
            return "done"
        finally:
            self.ended.set()


async def _cancel_caller(shielded: Shielded, work: Work) -> None:
    caller = asyncio.ensure_future(shielded(work.run()))
    await work.started.wait()
    caller.cancel()
    await asyncio.wait({caller})
    assert caller.cancelled()


async def _turn_of_the_loop() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()


def test_the_result_is_returned(shielded: Shielded) -> None:
    async def main() -> str:
        work = Work()
        work.gate.set()
        return await shielded(work.run())

    assert asyncio.run(main()) == "done"


def test_the_exception_is_raised(shielded: Shielded) -> None:
    async def main() -> None:
        work = Work(LookupError("no"))
        work.gate.set()
        with pytest.raises(LookupError, match="no"):
            await shielded(work.run())

    asyncio.run(main())


def test_a_task_continues_when_its_caller_is_cancelled(shielded: Shielded) -> None:
    async def main() -> None:
        work = Work()
        await _cancel_caller(shielded, work)
        gc.collect()
        assert not work.ended.is_set()
        work.gate.set()
        await work.ended.wait()

    asyncio.run(main())


def test_an_exception_after_the_cancellation_of_the_caller_is_not_logged(
    shielded: Shielded, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        work = Work(LookupError("no"))
        await _cancel_caller(shielded, work)
        work.gate.set()
        await work.ended.wait()
        await _turn_of_the_loop()

    asyncio.run(main())
    assert caplog.records == []


def test_a_caller_that_is_cancelled_before_it_waits_leaves_the_task_running(shielded: Shielded) -> None:
    async def main() -> None:
        work = Work()

        async def call() -> str:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            return await shielded(work.run())

        with pytest.raises(asyncio.CancelledError):
            await asyncio.ensure_future(call())
        work.gate.set()
        await work.ended.wait()

    asyncio.run(main())


def test_the_cancellation_of_the_task_is_raised_in_its_caller() -> None:
    async def main() -> None:
        work = Work()
        task = start_task(work.run())
        caller = asyncio.ensure_future(await_shielded(task))
        await work.started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller

    asyncio.run(main())


def test_two_callers_get_one_result() -> None:
    async def main() -> None:
        work = Work()
        task = start_task(work.run())
        callers = [asyncio.ensure_future(await_shielded(task)) for _ in range(2)]
        work.gate.set()
        assert [await caller for caller in callers] == ["done", "done"]

    asyncio.run(main())


def test_asyncio_logs_the_exception_of_a_started_task_that_nothing_retrieves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        work = Work(LookupError("no"))
        work.gate.set()
        start_task(work.run())
        await work.ended.wait()
        await _turn_of_the_loop()

    with caplog.at_level(logging.ERROR, "asyncio"):
        asyncio.run(main())
    assert [record.message.splitlines()[0] for record in caplog.records] == [
        "Task exception was never retrieved"
    ]


def test_a_task_that_nothing_else_refers_to_is_not_collected() -> None:
    async def main() -> None:
        async def wait_for_no_result() -> None:
            await asyncio.get_running_loop().create_future()

        task = weakref.ref(start_task(wait_for_no_result()))
        await _turn_of_the_loop()
        running = task()
        assert running is not None
        running.cancel()
        await asyncio.wait({running})

    asyncio.run(main())


def test_a_shielded_task_ends_with_its_loop() -> None:
    engine = Engine()
    ended: list[str] = []

    async def work(started: asyncio.Event) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("task")

    async def start() -> None:
        started = asyncio.Event()
        start_task(run_shielded(work(started)))
        await started.wait()

    engine.run(start())
    thread = engine._thread  # the end of the loop is the end of its thread
    engine.close()
    assert thread is not None
    thread.join(5)
    assert ended == ["task"]


def test_a_key_has_its_task_until_the_task_is_done() -> None:
    async def main() -> None:
        tasks: KeyedTasks[str, str] = KeyedTasks()
        work = Work()
        task = tasks.start("a", work.run())
        assert "a" in tasks
        assert tasks.get("a") is task
        work.gate.set()
        await tasks.wait("a")
        assert "a" not in tasks
        assert tasks.get("a") is None

    asyncio.run(main())


def test_a_wait_for_a_key_without_a_task_returns_at_once() -> None:
    asyncio.run(asyncio.wait_for(KeyedTasks[str, str]().wait("a"), timeout=5))


def test_a_wait_for_a_key_does_not_raise_the_error_of_its_task() -> None:
    async def main() -> None:
        tasks: KeyedTasks[str, str] = KeyedTasks()
        work = Work(LookupError("no"))
        task = tasks.start("a", work.run())
        work.gate.set()
        await tasks.wait("a")
        assert isinstance(task.exception(), LookupError)

    asyncio.run(main())


def test_a_key_keeps_its_newest_task() -> None:
    async def main() -> None:
        tasks: KeyedTasks[str, str] = KeyedTasks()
        old, new = Work(), Work()
        first = tasks.start("a", old.run())
        second = tasks.start("a", new.run())
        old.gate.set()
        await asyncio.wait({first})
        assert tasks.get("a") is second
        new.gate.set()
        await second

    asyncio.run(main())


@pytest.mark.parametrize("seconds", [None, 3600.0])
def test_a_wait_for_an_event_ends_with_the_event(seconds: float | None) -> None:
    async def main() -> None:
        event = asyncio.Event()
        asyncio.get_running_loop().call_soon(event.set)
        async with asyncio.timeout(5):
            await wait_for_event(event, seconds=seconds)
        assert event.is_set()

    asyncio.run(main())


def test_a_wait_for_an_event_ends_after_its_time() -> None:
    async def main() -> None:
        event = asyncio.Event()
        async with asyncio.timeout(5):
            await wait_for_event(event, seconds=0)
        assert not event.is_set()

    asyncio.run(main())


def test_a_wait_for_an_event_can_be_cancelled() -> None:
    async def main() -> None:
        waiting = asyncio.ensure_future(wait_for_event(asyncio.Event(), seconds=None))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(main())
