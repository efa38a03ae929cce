from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator

import pytest

from yemot_ai_testing.property.engines.order import Order
from yemot_ai_testing.property.engines.ready_queue import ReadyQueue
from yemot_ai_testing.property.engines.schedulers import Scheduler

COUNT = 20_000


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("frequent_switches")
def test_a_thread_may_append_while_the_next_handle_is_chosen() -> None:
    loop = asyncio.new_event_loop()
    handle = asyncio.Handle(lambda: None, (), loop)
    queue = ReadyQueue(Scheduler(Order.parse("arrival")))

    def append() -> None:
        for _ in range(COUNT):
            while len(queue) > 10:  # the choice takes longer the more there are
                os.sched_yield()
            queue.append(handle)

    thread = threading.Thread(target=append)
    thread.start()
    taken = 0
    try:
        while taken < COUNT:
            if queue:
                assert queue.popleft() is handle
                taken += 1
    finally:
        queue.clear()
        thread.join(1)
        loop.close()
    assert not queue
