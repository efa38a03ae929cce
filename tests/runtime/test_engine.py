from __future__ import annotations

import asyncio
import gc
import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai._runtime.engine import Engine, run_without_waiting
from yemot_ai.errors import EngineLoopError
from yemot_ai_testing import virtual_time as virtual
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
from yemot_ai_testing.property.engines import ordered as orderly
from yemot_ai_testing.property.engines.ordered import OrderedEngine
from yemot_ai_testing.virtual_time import VirtualEngine, virtual_engine


async def thread_name() -> str:
    await asyncio.sleep(0)
    return threading.current_thread().name


def test_coroutines_run_on_the_engines_own_thread() -> None:
    assert Engine().run(thread_name()) == "yemot-ai-engine"


def test_there_is_one_engine_per_process() -> None:
    assert Engine.shared() is Engine.shared()


def test_any_event_loop_can_await_what_runs_on_the_engine() -> None:
    engine = Engine()
    loops = [asyncio.run(engine.arun(thread_name())) for _ in range(3)]

    assert loops == ["yemot-ai-engine"] * 3


def test_the_engines_own_loop_awaits_directly() -> None:
    engine = Engine()

    async def nested() -> str:
        return await engine.arun(thread_name())

    assert engine.run(nested()) == "yemot-ai-engine"


def test_blocking_on_the_engines_own_loop_raises_instead_of_hanging() -> None:
    engine = Engine()

    async def blocks() -> None:
        engine.run(thread_name())

    with pytest.raises(EngineLoopError, match="areply"):
        engine.run(blocks())


def test_a_request_that_is_cancelled_cancels_no_turn() -> None:
    provider = ScriptedProvider(engine=Engine()).answers("כן")
    provider.hold()
    ai = YemotAI(provider=provider)

    async def disconnect() -> None:
        asking = asyncio.ensure_future(ai.areply("c1", "יש?", turn_id="t1"))
        await asyncio.to_thread(provider.wait_for_requests, 1)
        asking.cancel()
        await asyncio.wait({asking})

    asyncio.run(disconnect())
    provider.release()

    assert ai.reply("c1", "יש?", turn_id="t1") == "כן"
    assert len(provider.requests) == 1


def test_what_is_cancelled_in_the_middle_cleans_up_on_the_engine() -> None:
    engine, began, cleaned = Engine(), threading.Event(), threading.Event()
    where: list[str] = []

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            where.append(threading.current_thread().name)
            cleaned.set()

    async def disconnect() -> None:
        asking = asyncio.ensure_future(engine.arun(work()))
        await asyncio.to_thread(began.wait, 10)
        asking.cancel()
        await asyncio.wait({asking})

    asyncio.run(disconnect())

    assert cleaned.wait(10)
    assert where == ["yemot-ai-engine"]


def test_a_fork_starts_its_own_engine() -> None:
    engine = Engine()
    assert engine.run(thread_name())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: forking beside threads is the point
        child = os.fork()
    if child == 0:
        os._exit(0 if engine.run(thread_name()) == "yemot-ai-engine" else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_run_without_waiting_refuses_a_coroutine_that_waits() -> None:
    async def waits() -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="had to wait"):
        run_without_waiting(waits())


def test_virtual_time_passes_only_while_a_request_waits() -> None:
    engine = virtual_engine()
    ticked = asyncio.Event()

    async def tick() -> None:
        await asyncio.sleep(100)
        ticked.set()

    engine.submit(tick())
    engine.clock.sleep(99)
    assert not ticked.is_set()
    engine.clock.sleep(2)

    assert ticked.is_set()
    assert engine.clock.now() == pytest.approx(101)


def test_virtual_time_waits_for_a_handler_at_work() -> None:
    engine = virtual_engine()
    free = threading.Event()
    times: list[float] = []

    def work() -> None:
        assert free.wait(10)
        times.append(engine.clock.now())

    async def both() -> None:
        working = asyncio.ensure_future(engine.run_in_thread(work))
        await asyncio.sleep(0)
        threading.Timer(0.05, free.set).start()  # real time, which virtual time must not overtake
        await asyncio.sleep(3600)
        await working

    engine.run(both())

    assert times == [0.0]


@pytest.mark.parametrize("kind", [VirtualEngine, OrderedEngine])
def test_virtual_time_never_overtakes_what_is_outside_this_process(
    kind: type[VirtualEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (virtual, orderly):
        monkeypatch.setattr(module, "STALL_SECONDS", 0.01)
    engine, free = kind(), threading.Event()

    async def both() -> float:
        waiting = asyncio.ensure_future(asyncio.sleep(3600))
        async with engine.hold_time():
            threading.Timer(0.2, free.set).start()
            await asyncio.to_thread(free.wait, 10)
            now = engine.clock.now()
        await waiting
        return now

    assert engine.run(both()) == 0.0


@pytest.fixture
def flow() -> AIFlow:
    flow = AIFlow(YemotAI(provider=ScriptedProvider(engine=Engine()).answers("כן")))
    flow.ai_agent("")(lambda call, text: None)
    return flow


REQUEST = [("ApiCallId", "c1"), ("ApiExtension", "")]


def test_handle_request_inside_a_running_loop_does_not_hold_and_warns_once(flow: AIFlow) -> None:
    provider = flow.ai.provider
    assert isinstance(provider, ScriptedProvider)
    provider.hold()

    async def endpoint() -> tuple[str, str]:
        greeting = flow.handle_request(REQUEST)
        return greeting, flow.handle_request([*REQUEST, ("ai_1", "יש?")])

    with pytest.warns(RuntimeWarning, match="ahandle_request") as caught:
        greeting, poll = asyncio.run(endpoint())
    provider.release()

    assert "=ai_1," in greeting
    assert "=ai_1w1," in poll
    assert len(caught) == 1


def test_handle_request_on_the_engines_own_loop_raises_an_error_that_names_the_async_method(
    flow: AIFlow,
) -> None:
    flow.get("plain")(lambda call: call.hangup())

    async def endpoint() -> str:
        return flow.handle_request([("ApiCallId", "c2"), ("ApiExtension", "plain")])

    with pytest.warns(RuntimeWarning), pytest.raises(EngineLoopError):
        flow.ai.engine.run(endpoint())


def test_an_answer_that_needs_no_model_needs_no_hop_to_the_engine() -> None:
    def no_loop() -> asyncio.AbstractEventLoop:
        raise AssertionError("the engine was started")

    flow = AIFlow(YemotAI(provider=ScriptedProvider(engine=Engine(no_loop))))
    flow.ai_agent("")(lambda call, text: None)

    assert "=ai_1," in flow.handle_request(REQUEST)
    assert "=ai_1," in asyncio.run(flow.ahandle_request(REQUEST))
    assert "=ai_2," in flow.handle_request([*REQUEST, ("ai_1", "")])


@pytest.mark.slow
def test_unused_engines_leave_no_thread() -> None:
    def use() -> None:
        YemotAI(provider=ScriptedProvider().answers("כן")).reply("c1", "יש?")

    before = threading.active_count()
    for _ in range(20):
        use()
    gc.collect()
    deadline = threading.Event()
    for _ in range(100):
        if threading.active_count() <= before:
            break
        deadline.wait(0.05)  # the threads end by themselves, a moment later

    assert threading.active_count() <= before


def test_a_closed_engine_starts_again() -> None:
    engine = Engine()
    engine.run(thread_name())
    engine.close()

    assert engine.run(thread_name()) == "yemot-ai-engine"


@pytest.mark.slow
def test_virtual_time_passes_for_a_handler_that_waits_for_its_own_threads() -> None:
    provider = ScriptedProvider().answers("כן", after=0.5).answers("כן", after=0.5)
    flow = AIFlow(YemotAI(provider=provider))

    @flow.get("")
    def root(call: AICall) -> None:
        with ThreadPoolExecutor(2) as threads:
            call.play_message(" ".join(threads.map(call.ask_ai, ["א", "ב"])))

    assert flow.handle_request(REQUEST) == "id_list_message=t-כן כן"


def test_a_function_that_blocks_in_all_its_threads_takes_none_from_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("yemot_ai._runtime.engine.WORKER_THREADS", 2)
    engine, blocked = Engine(), threading.Event()

    async def main() -> object:
        waiting = [asyncio.create_task(engine.call(blocked.wait)) for _ in range(3)]
        answer = await engine.call(lambda: "answer")
        blocked.set()
        await asyncio.gather(*waiting)
        return answer

    assert engine.run(main()) == "answer"
