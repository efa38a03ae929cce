"""What an application does outside of its calls, and what calls leave in its process."""

from __future__ import annotations

import asyncio
import threading

import pytest

from yemot_ai_testing.history import (
    CallerSpoke,
    EffectRecorded,
    History,
    HistoryEvent,
    LeftoversCounted,
    RecordedEffects,
    check,
)
from yemot_ai_testing.property.leftovers import Work


def kinds(*events: HistoryEvent) -> list[str]:
    history = History()
    for event in events:
        history.add(event)
    return [violation.kind for violation in check(history)]


def done(effect: str, call: str = "call 1") -> EffectRecorded:
    return EffectRecorded(0, call, effect)


def said(utterance_id: str) -> CallerSpoke:
    return CallerSpoke(0, "call 1", utterance_id)


def test_an_effect_may_happen_once_in_each_call() -> None:
    assert kinds(done("welcome"), done("welcome", "call 2"), done("order")) == []


def test_an_effect_that_happens_again_is_found() -> None:
    assert kinds(done("welcome"), done("welcome")) == ["done_twice"]


def test_an_effect_may_happen_each_time_that_its_utterance_was_said() -> None:
    order = done("order of 7001")
    assert kinds(said("7001"), order, said("7001"), order) == []


def test_an_utterance_that_was_said_later_excuses_no_effect() -> None:
    order = done("order of 7001")
    assert kinds(said("7001"), order, order, said("7001")) == ["done_twice"]
    assert kinds(said("7001"), order, said("7002"), order) == ["done_twice"]


def test_effects_are_recorded_by_call() -> None:
    history = History(now=lambda: 2.0)
    RecordedEffects(history).add("00c1", "order of 7001")
    assert history.events == (EffectRecorded(2.0, "call c1", "order of 7001"),)


@pytest.mark.parametrize(
    ("threads", "tasks", "found"), [(10, 0, True), (0, 9, True), (5, 0, True), (4, 4, False), (0, 0, False)]
)
def test_half_a_thread_or_a_task_for_each_call_is_too_much(threads: int, tasks: int, found: bool) -> None:  # noqa: FBT001 - a parameter
    assert kinds(LeftoversCounted(0, 10, threads, tasks)) == ["left_running"] * found


def test_threads_and_tasks_are_counted_that_run_longer_than_the_calls() -> None:
    async def count() -> LeftoversCounted:
        before, gate = Work.running(asyncio.get_running_loop()), threading.Event()
        tasks = [asyncio.create_task(asyncio.Event().wait()) for _ in range(3)]
        threads = [threading.Thread(target=gate.wait, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        counted = Work.running(asyncio.get_running_loop()).count_leftovers(before, at=1.0, calls=2)
        gate.set()
        for task in tasks:
            task.cancel()
        return counted

    assert asyncio.run(count()) == LeftoversCounted(1.0, 2, 2, 3)


def test_a_thread_that_ends_at_once_is_not_left() -> None:
    async def count() -> LeftoversCounted:
        before, gate = Work.running(asyncio.get_running_loop()), threading.Event()
        thread = threading.Thread(target=gate.wait, daemon=True)
        thread.start()
        work = Work.running(asyncio.get_running_loop())
        gate.set()
        return work.count_leftovers(before, at=1.0, calls=1)

    assert asyncio.run(count()).threads == 0
