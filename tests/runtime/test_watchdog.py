"""A function that blocks the event loop is logged with its line; nothing else is."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from yemot_ai import AICall, AIFlow, AsyncAICall, CallSummary, DialogSettings, Turn, YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai._runtime.watchdog import LOOKS
from yemot_ai.errors import ConfigurationError
from yemot_ai.providers import Usage
from yemot_ai.sessions import MemoryStore, Session
from yemot_ai_testing import ScriptedProvider
from yemot_ai_testing.doubles.platform_server import SILENT_WAV, PlatformServer

SECONDS = 0.1
REQUEST = [("ApiCallId", "c1"), ("ApiExtension", "")]
SAID = [*REQUEST, ("ai_1", "יש?")]


class WatchdogLog(logging.Handler):
    """What the watchdog has logged: ``begun`` is set when it has seen something."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.begun = threading.Event()
        self.beginnings: queue.Queue[str] = queue.Queue()
        self.endings: queue.Queue[str] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if line.startswith("the event loop continues"):
            self.endings.put(line)
        elif "blocks the event loop" in line:
            self.beginnings.put(line)
            self.begun.set()

    def beginning(self) -> str:
        """Return the next line of a beginning, after its end."""
        self.endings.get(timeout=20)
        return self.beginnings.get(timeout=20)


@pytest.fixture
def watchdog() -> Iterator[WatchdogLog]:
    handler = WatchdogLog()
    logger = logging.getLogger("yemot_ai")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def watched_ai(**settings: Any) -> YemotAI:  # noqa: ANN401 - of YemotAI
    provider = ScriptedProvider(engine=Engine()).answers("כן")
    return YemotAI(provider=provider, blocked_loop_seconds=SECONDS, **settings)


def line_of(function: Callable[..., object], text: str) -> str:
    """Return ``file:line`` of the line of ``function`` with ``text``."""
    lines, first = inspect.getsourcelines(function)
    number = next(number for number, line in enumerate(lines, first) if text in line)
    return f"{inspect.getsourcefile(function)}:{number}"


@pytest.mark.slow
def test_an_agent_that_blocks_the_loop_is_named_with_its_call_line_and_way_out(watchdog: WatchdogLog) -> None:
    flow = AIFlow(watched_ai())

    @flow.ai_agent("", greeting="שלום")
    async def shop(_call: AsyncAICall, _text: str) -> str:
        watchdog.begun.wait(20)
        return "שלום"

    flow.handle_request(REQUEST)
    flow.handle_request(SAID)

    ended, begun = watchdog.endings.get(timeout=20), watchdog.beginnings.get(timeout=20)
    place = f"shop ({line_of(shop, 'begun.wait')})"
    assert begun.startswith(
        f"{place} blocks the event loop, so that no call gets an answer: watchdog.begun.wait(20)"
    )
    assert "(call c1: the agent of extension '')" in begun
    assert 'declare shop with "def" instead of "async def"' in begun
    assert "await asyncio.to_thread" in begun
    assert ended.startswith(f"the event loop continues: {place} blocked it for 0.")


def test_a_handler_that_blocks_the_loop_is_named_with_its_extension(watchdog: WatchdogLog) -> None:
    flow = AIFlow(watched_ai())

    @flow.get("7")
    async def shop(call: AsyncAICall) -> None:
        watchdog.begun.wait(20)
        call.hangup()

    flow.handle_request([("ApiCallId", "c1"), ("ApiExtension", "7")])

    assert "(call c1: the handler of extension '7')" in watchdog.beginning()


def test_what_a_function_calls_is_named_where_it_is_written(watchdog: WatchdogLog) -> None:
    flow = AIFlow(watched_ai())

    def look_up() -> None:
        watchdog.begun.wait(20)

    @flow.get("")
    async def shop(call: AsyncAICall) -> None:
        look_up()
        call.hangup()

    flow.handle_request(REQUEST)

    begun = watchdog.beginning()
    assert f"{line_of(look_up, 'begun.wait')}, called by shop) blocks" in begun
    assert 'declare shop with "def"' in begun


async def blocks_at_a_turn(watchdog: WatchdogLog, ai: YemotAI) -> None:
    done = threading.Event()

    @ai.on_turn
    async def count(_call_id: str, _turn: Turn) -> None:
        watchdog.begun.wait(20)
        done.set()

    await ai.areply("c1", "יש?")
    await asyncio.to_thread(done.wait, 20)


async def blocks_at_the_end(watchdog: WatchdogLog, ai: YemotAI) -> None:
    @ai.on_call_end
    async def count(_summary: CallSummary, _usage: Usage) -> None:
        watchdog.begun.wait(20)

    await ai.areply("c1", "יש?")
    await ai.aend("c1")


@pytest.mark.parametrize("use", [blocks_at_a_turn, blocks_at_the_end], ids=["turn", "end"])
def test_a_hook_that_blocks_the_loop_is_named(use: Callable[..., Any], watchdog: WatchdogLog) -> None:
    asyncio.run(use(watchdog, watched_ai()))

    begun = watchdog.beginning()
    assert "count (" in begun
    assert "(call c1: a hook)" in begun
    assert '"def" instead' in begun


def test_a_transcriber_that_blocks_the_loop_is_named(watchdog: WatchdogLog, platform: PlatformServer) -> None:
    class Ear:
        async def transcribe(self, audio: bytes) -> str:
            watchdog.begun.wait(20)
            return f"{len(audio)}"

    platform.responses = [(200, SILENT_WAV)]
    flow = AIFlow(watched_ai(transcriber=Ear(), recordings=platform.recordings()))
    flow.ai_agent("", greeting="שלום", listen="record")(lambda _call, text: text)
    flow.handle_request(REQUEST)
    flow.handle_request([*REQUEST, ("ai_1", "/1/000.wav")])

    begun = watchdog.beginning()
    assert "Ear.transcribe (" in begun
    assert "(call c1: the transcriber)" in begun
    assert "await asyncio.to_thread" in begun
    assert '"def" instead' not in begun


def test_a_store_that_blocks_the_loop_is_named(watchdog: WatchdogLog) -> None:
    class SlowStore(MemoryStore):
        immediate = False

        async def load(self, call_id: str) -> Session | None:
            watchdog.begun.wait(20)
            return await super().load(call_id)

    watched_ai(store=SlowStore()).reply("c1", "יש?")

    begun = watchdog.beginning()
    assert "SlowStore.load (" in begun
    assert '"def" instead' not in begun


@pytest.mark.slow
def test_a_function_for_speech_that_blocks_the_loop_of_a_server_is_named(watchdog: WatchdogLog) -> None:
    def pronounce(text: str) -> str:
        watchdog.begun.wait(20)
        return text

    flow = AIFlow(watched_ai(), dialog=DialogSettings(speech=pronounce))
    watchdog.begun.set()
    flow.ai_agent("", greeting="שלום")(lambda _call, _text: None)
    watchdog.begun.clear()  # the greeting was checked

    asyncio.run(flow.ahandle_request(REQUEST))

    begun = watchdog.beginning()
    assert "pronounce (" in begun
    assert "must return at once" in begun


@pytest.mark.slow
def test_a_place_that_blocks_again_is_explained_once_in_a_minute(watchdog: WatchdogLog) -> None:
    flow = AIFlow(watched_ai())

    @flow.get("")
    async def shop(call: AsyncAICall) -> None:
        for _ in range(2):
            watchdog.begun.clear()
            seen = len(call_engine.monitor.blockings)
            while len(call_engine.monitor.blockings) == seen:
                threading.Event().wait(0.01)
            await asyncio.sleep(0)
        call.hangup()

    call_engine = flow.ai.engine
    flow.handle_request(REQUEST)

    watchdog.beginning()
    watchdog.endings.get(timeout=20)
    assert watchdog.beginnings.empty()


@pytest.mark.slow
def test_a_plain_function_may_take_its_time(watchdog: WatchdogLog) -> None:
    flow, seen = AIFlow(watched_ai()), threading.Event()

    @flow.get("")
    def shop(call: AICall) -> None:
        seen.wait(SECONDS * 5)
        call.hangup()

    flow.handle_request(REQUEST)

    assert not flow.ai.engine.monitor.blockings
    assert watchdog.beginnings.empty()


@pytest.mark.slow
def test_a_loop_with_many_short_steps_is_not_blocked() -> None:
    engine = Engine()
    engine.monitor.seconds = SECONDS

    async def step() -> None:
        threading.Event().wait(SECONDS / 8)

    async def many() -> None:
        await asyncio.gather(*(step() for _ in range(40)))

    engine.run(many())

    assert not engine.monitor.blockings


@pytest.mark.slow
def test_an_idle_loop_is_not_blocked() -> None:
    engine = Engine()
    engine.monitor.seconds = SECONDS

    engine.run(asyncio.sleep(SECONDS * 5))

    assert not engine.monitor.blockings


@pytest.mark.slow
def test_zero_seconds_turn_the_watchdog_off() -> None:
    ai = YemotAI(provider=ScriptedProvider(engine=Engine()), blocked_loop_seconds=0)

    async def blocks() -> None:
        threading.Event().wait(SECONDS * 3)

    ai.engine.run(blocks())

    assert not ai.engine.monitor.blockings


def test_negative_seconds_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="blocked_loop_seconds=-1"):
        YemotAI(provider=ScriptedProvider(), blocked_loop_seconds=-1)


BLOCKED_PROGRAM = """
import asyncio, logging, sys, time
from yemot_ai import Engine
logging.basicConfig(stream=sys.stdout, format="%(message)s")
engine = Engine()
engine.monitor.seconds = 0.4
async def line(seconds):
    print("ready", flush=True)
    time.sleep(seconds)
engine.run(line(float(sys.argv[1])))
engine.run(asyncio.sleep(0.3))
"""


def start_program(seconds: float, tmp_path: Path) -> subprocess.Popen[str]:
    program = tmp_path / "line.py"
    program.write_text(BLOCKED_PROGRAM, "utf-8")
    child = subprocess.Popen([sys.executable, program, str(seconds)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


@pytest.mark.slow
def test_a_stopped_process_is_not_blocked(tmp_path: Path) -> None:
    child = start_program(0.05, tmp_path)
    os.kill(child.pid, signal.SIGSTOP)
    threading.Event().wait(1.5)
    os.kill(child.pid, signal.SIGCONT)

    assert child.communicate(timeout=20)[0] == ""


@pytest.mark.slow
def test_the_line_of_a_program_that_blocks_its_loop_is_in_its_log(tmp_path: Path) -> None:
    output = start_program(1.0, tmp_path).communicate(timeout=20)[0]

    assert f"line ({tmp_path}/line.py:9) blocks the event loop" in output
    assert "the event loop continues" in output


@pytest.mark.slow
def test_a_fork_has_its_own_watchdog() -> None:
    code = (
        "import asyncio, os, threading\n"
        "from yemot_ai import Engine\n"
        "engine = Engine()\n"
        "engine.monitor.seconds = 0.1\n"
        "engine.run(asyncio.sleep(0))\n"
        "child = os.fork()\n"
        "async def line():\n"
        "    for _ in range(1000):\n"
        "        if engine.monitor.blockings: return 0\n"
        "        threading.Event().wait(0.01)\n"
        "    return 1\n"
        "if not child:\n"
        "    os._exit(engine.run(line()))\n"
        "raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code], timeout=60, check=False
    )

    assert done.returncode == 0


def test_a_closed_engine_is_watched_again_when_it_starts_again(watchdog: WatchdogLog) -> None:
    engine = Engine()
    engine.monitor.seconds = SECONDS
    engine.run(asyncio.sleep(0))
    engine.close()

    async def line() -> None:
        watchdog.begun.wait(20)

    engine.run(line())

    assert "blocks the event loop" in watchdog.beginning()


def test_the_watchdog_looks_several_times_before_it_says_anything() -> None:
    assert LOOKS >= 3
