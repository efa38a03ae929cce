"""Threads for blocking functions: they are reused, and never wait for each other."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from yemot_ai._runtime import threads
from yemot_ai._runtime.engine import Engine


def wait_until_idle(count: int) -> None:
    """Wait until ``count`` threads are idle, shortly after their results."""
    for _ in range(500):
        if len(threads._idle_queues) >= count:
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"{len(threads._idle_queues)} threads are idle")


def test_functions_one_after_the_other_share_a_thread() -> None:
    engine = Engine()
    engine.run(engine.run_in_thread(int))
    wait_until_idle(1)
    before, seen = set(threading.enumerate()), set()
    for _ in range(20):
        seen.add(engine.run(engine.run_in_thread(threading.current_thread)))
        wait_until_idle(1)
    engine.close()
    assert seen <= before, "a thread was started; other tests may have left idle ones"


def test_functions_at_once_have_a_thread_each() -> None:
    engine, together = Engine(), threading.Barrier(20)

    async def all_of_them() -> None:
        await asyncio.gather(*(engine.run_in_thread(together.wait, 20.0) for _ in range(20)))

    engine.run(all_of_them())
    engine.close()


def test_a_function_that_fails_releases_its_thread() -> None:
    engine = Engine()
    with pytest.raises(ZeroDivisionError):
        engine.run(engine.run_in_thread(lambda: 1 // 0))
    wait_until_idle(1)
    engine.close()


def test_an_idle_thread_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_idle_queues", [])
    monkeypatch.setattr(threads, "IDLE_TIMEOUT", 0.01)
    ended = threading.Event()
    started: list[threading.Thread] = []

    def job() -> None:
        started.append(threading.current_thread())
        ended.set()

    threads.run_in_daemon_thread(job)
    assert ended.wait(10.0)
    started[0].join(10.0)
    assert not started[0].is_alive()
    assert threads._idle_queues == []


def test_a_worker_of_one_engine_can_wait_for_another_engine() -> None:
    first, second = Engine(), Engine()

    def asks_the_other(engine: Engine) -> int:
        return engine.run(counted(engine))

    async def counted(engine: Engine) -> int:
        return engine.working

    for engine, other in ((first, second), (second, first)):
        assert engine.run(engine.run_in_thread(asks_the_other, other)) == 0
        wait_until_idle(1)
    first.close()
    second.close()


@pytest.mark.slow
def test_a_fork_starts_its_own_threads() -> None:
    script = (
        "import os\n"
        "from yemot_ai._runtime.engine import Engine\n"
        "engine = Engine()\n"
        "engine.run(engine.run_in_thread(int))\n"
        "child = os.fork()\n"
        "engine.run(engine.run_in_thread(int))\n"
        "os._exit(0) if child == 0 else None\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.slow
def test_a_thread_that_is_stuck_keeps_no_process_alive() -> None:
    script = (
        "import threading\n"
        "from yemot_ai._runtime import threads\n"
        "started = threading.Event()\n"
        "threads.run_in_daemon_thread(lambda: (started.set(), threading.Event().wait()))\n"
        "started.wait()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
