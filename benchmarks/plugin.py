"""Measure the cost of the pytest plugin: unused, per turn, and for 200 calls with the fake Codex.

``python benchmarks/plugin.py``. The first figure is also given in seconds of the processor, which a busy
machine disturbs less than the clock on the wall.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai_testing import Caller, ScriptedProvider

PAIRS = 15
TURNS = 2000
CALLS, FILES = 200, 8
BARE = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
PLUGIN = ("-p", "yemot_ai_testing.plugin")


@dataclass(frozen=True)
class Cost:
    wall: float
    cpu: float


def cost_of(folder: Path, *arguments: str) -> Cost:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=BARE, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout + done.stderr
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def unused(folder: Path) -> None:
    (folder / "test_other.py").write_text("def test_other(): pass\n")
    cost_of(folder, "--co", *PLUGIN)  # compiles the modules
    pairs = [(cost_of(folder, "--co"), cost_of(folder, "--co", *PLUGIN)) for _ in range(PAIRS)]
    wall = statistics.median(with_it.wall - without.wall for without, with_it in pairs)
    cpu = statistics.median(with_it.cpu - without.cpu for without, with_it in pairs)
    base = statistics.median(without.wall for without, _ in pairs)
    print(f"pytest --co that does not use it: + {wall * 1000:.0f} ms ({cpu * 1000:.0f} ms of the processor)")
    print(f"  beside {base * 1000:.0f} ms without it; median of {PAIRS} pairs; bound 30 ms")


def scripted() -> None:
    provider = ScriptedProvider()
    flow = AIFlow(YemotAI(provider=provider))

    @flow.ai_agent("", greeting="שלום")
    def agent(call: AICall, text: str) -> None: ...

    began = time.perf_counter()
    for _ in range(TURNS // 10):
        with Caller(flow) as caller:
            caller.dial()
            for _ in range(10):
                provider.answers("בשמונה")
                assert caller.says("מתי פותחים?") == "בשמונה"
    seconds = time.perf_counter() - began
    print(f"scripted turns in process: {TURNS / seconds:,.0f}/s; bound 500/s")


def calls(folder: Path) -> None:
    for number in range(FILES):
        scenarios = "".join(
            f"  - name: call {number}.{call}\n    turns:\n      - says: עוגה\n"
            "        agent: {answers: באיזה גודל}\n        hears: {contains: באיזה גודל}\n"
            "    afterwards: {agent_turns: 1, sessions_open: 0, processes: 0}\n"
            for call in range(CALLS // FILES)
        )
        text = f'caller: {{extension: "ai_agent"}}\nscenarios:\n{scenarios}'
        (folder / f"calls{number}.call.yaml").write_text(text, encoding="utf-8")
    cost = cost_of(folder, "-p", "xdist", "-n", "2", *PLUGIN, "--yemot-scenario", ".")
    print(f"{CALLS} calls with the fake Codex, -n 2: {cost.wall:.1f} s ({cost.cpu:.1f} s of the processor)")
    print(f"  {cost.cpu / CALLS * 1000:.0f} ms of the processor a call; bound 20 s on two cores")


with tempfile.TemporaryDirectory() as place:
    unused(Path(place))
scripted()
with tempfile.TemporaryDirectory() as place:
    calls(Path(place))
