from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from yemot_ai._runtime.engine import Engine


@pytest.mark.slow
def test_a_slow_cleanup_ends_after_its_engine_was_closed_and_collected() -> None:
    started, cleaning_up, gate, ended = (threading.Event() for _ in range(4))

    async def slow() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaning_up.set()
            await asyncio.get_running_loop().run_in_executor(None, gate.wait)
            ended.set()

    engine = Engine()
    engine.submit(slow())
    assert started.wait(5)
    engine.close()
    assert cleaning_up.wait(5)
    del engine
    gc.collect()
    gate.set()
    assert ended.wait(5)
