from __future__ import annotations

import asyncio
import threading

import pytest

from tests.runtime.foreign_loop import foreign_loop
from yemot_ai import AIFlow, AsyncAICall, Engine, YemotAI
from yemot_ai.errors import EngineLoopError
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

Pairs = list[tuple[str, str]]


async def loop_and_thread() -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
    await asyncio.sleep(0)
    return asyncio.get_running_loop(), threading.current_thread()


def scripted_flow(engine: Engine) -> AIFlow:
    provider = ScriptedProvider(engine=engine).answers("כן", after=5).answers("תודה")
    flow = AIFlow(YemotAI(provider=provider))

    @flow.ai_agent("")
    async def agent(call: AsyncAICall, text: str) -> str:
        return f"{await call.ask_ai(text)}, {text}"

    return flow


async def whole_call() -> list[str]:
    """Send the requests of a call with a slow answer, a fast one, and a hang-up."""
    flow = scripted_flow(Engine.on_running_loop())
    pairs: Pairs = [("ApiCallId", "c1"), ("ApiExtension", "")]
    bodies = [await flow.ahandle_request(pairs)]
    for said in ("יש?", "אחד"):
        name = bodies[-1].partition("=")[2].partition("=")[2].partition(",")[0]
        pairs.append((name, said))
        bodies.append(await flow.ahandle_request(pairs))
        while "w" in (poll := bodies[-1].partition("=")[2].partition("=")[2].partition(",")[0]):
            pairs.append((poll, ""))
            await asyncio.sleep(1)
            bodies.append(await flow.ahandle_request(pairs))
    bodies.append(await flow.ahandle_request([*pairs, ("hangup", "yes")]))
    return bodies


def test_a_loop_of_another_project_drives_a_whole_call() -> None:
    threads = set(threading.enumerate())
    first, again = foreign_loop(), foreign_loop()

    bodies = first.drive(whole_call())

    assert any("כן, יש" in body for body in bodies)
    assert any("תודה, אחד" in body for body in bodies)
    assert bodies == again.drive(whole_call())
    assert first.time() == again.time() == 5
    assert set(threading.enumerate()) <= threads  # those of earlier tests may end meanwhile


def test_work_runs_on_the_loop_and_in_the_thread_of_the_caller() -> None:
    async def main() -> bool:
        engine = Engine.on_running_loop()
        here = asyncio.get_running_loop(), threading.current_thread()
        submitted = asyncio.wrap_future(engine.submit(loop_and_thread()))
        return engine.is_current and await engine.arun(loop_and_thread()) == await submitted == here

    assert asyncio.run(main())


def test_a_plain_function_still_runs_in_a_worker_thread() -> None:
    async def main() -> threading.Thread:
        return await Engine.on_running_loop().run_in_thread(threading.current_thread)

    assert asyncio.run(main()) is not threading.current_thread()


def test_another_thread_may_block_until_the_work_is_done() -> None:
    async def main() -> bool:
        engine = Engine.on_running_loop()
        where = await asyncio.to_thread(engine.run, loop_and_thread())
        return where == (asyncio.get_running_loop(), threading.current_thread())

    assert asyncio.run(main())


def test_blocking_in_the_thread_of_the_loop_raises_the_error_that_names_the_async_methods() -> None:
    async def main() -> None:
        Engine.on_running_loop().run(loop_and_thread())

    with pytest.raises(EngineLoopError, match="areply"):
        asyncio.run(main())


def test_closing_the_engine_does_not_stop_the_loop() -> None:
    async def main() -> bool:
        engine = Engine.on_running_loop()
        engine.close()
        return await engine.arun(loop_and_thread()) == await loop_and_thread()

    assert asyncio.run(main())


def test_outside_a_loop_there_is_no_running_loop_to_use() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        Engine.on_running_loop()


async def create() -> Engine:
    return Engine.on_running_loop()


def test_work_for_a_loop_that_has_ended_raises_instead_of_waiting_forever() -> None:
    engine = asyncio.run(create())

    with pytest.raises(EngineLoopError, match="no longer runs"):
        asyncio.run(engine.arun(loop_and_thread()))
    with pytest.raises(EngineLoopError, match="no longer runs"):
        engine.submit(loop_and_thread())


def test_blocking_on_a_loop_that_has_ended_raises_in_every_thread() -> None:
    engine = asyncio.run(create())

    async def elsewhere() -> None:
        await asyncio.to_thread(engine.run, loop_and_thread())

    with pytest.raises(EngineLoopError):
        engine.run(loop_and_thread())
    with pytest.raises(EngineLoopError, match="no longer runs"):
        asyncio.run(elsewhere())
