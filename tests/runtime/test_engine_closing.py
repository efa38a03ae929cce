from __future__ import annotations

import asyncio
import gc
import threading

from yemot_ai.runtime.engine import Engine


def test_a_slow_cleanup_ends_after_its_engine_was_closed_and_collected() -> None:
    begun, letting_go, gate, ended = (threading.Event() for _ in range(4))

    async def slow() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            letting_go.set()
            await asyncio.get_running_loop().run_in_executor(None, gate.wait)
            ended.set()

    engine = Engine()
    engine.submit(slow())
    assert begun.wait(5)
    engine.close()
    assert letting_go.wait(5)
    del engine
    gc.collect()
    gate.set()
    assert ended.wait(5)
