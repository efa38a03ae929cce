"""Let many calls run at once for a long time, and show whether a server keeps what it should give back.

The server runs agents over a fake Codex app-server and a SQLite store. Its memory, files, threads and child
processes are noted while callers dial, speak and hang up. After the warm-up each should stay the same: the
last column is the change from the first third of the rest to its last, divided by the first.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai.sessions import SQLiteStore
from yemot_ai_testing import Caller, FakeCodex, ScriptedProvider

UTTERANCES = 3
SAMPLE_SECONDS = 2.0
WARM_UP = 0.2
"""The part of the run that is left out."""

FILLER = "רק רגע"


def leave_to_model(call: AICall, text: str) -> None:
    """Let the model answer."""


def make_flow() -> AIFlow:
    """Return the flow of the server."""
    flow = AIFlow(YemotAI("codex-app-server", store=SQLiteStore(os.environ["SOAK_STORE"])))
    flow.ai_agent("", greeting="שלום")(leave_to_model)
    return flow


if "SOAK_STORE" in os.environ:
    flow = make_flow()


@dataclass(frozen=True)
class Sample:
    """What the server has at one time."""

    at: float
    memory: float
    files: int
    threads: int
    children: int

    @classmethod
    def take(cls, server: psutil.Process, at: float) -> Sample:
        children = server.children(recursive=True)
        return cls(at, server.memory_info().rss / 1e6, server.num_fds(), server.num_threads(), len(children))


@dataclass
class Soak:
    """One run."""

    url: str
    codex: FakeCodex
    until: float
    heard: Counter[str] = field(default_factory=Counter)
    turns: int = 0
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def one_caller(self, number: int) -> None:
        """Call again and again."""
        while time.monotonic() < self.until:
            with Caller(self.url, phone=f"05{number:08}") as caller:
                caller.dial()
                for turn in range(UTTERANCES):
                    self.codex.answers("תשובה")
                    heard = caller.says(f"שאלה {turn}").replace(FILLER, "").strip()
                    with self.lock:
                        self.turns += 1
                        self.heard[heard] += 1
            with self.lock:
                self.calls += 1


def run(arguments: argparse.Namespace, folder: Path) -> None:
    with FakeCodex() as codex:
        environment = {**os.environ, "SOAK_STORE": str(folder / "calls.db"), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "yemot_ai", "serve", "soak:flow", "--port", "0"]
        log = (folder / "server.log").open("w+")
        with subprocess.Popen(command, cwd=Path(__file__).parent, env=environment, stderr=log) as server:
            try:
                samples = measure(arguments, codex, server, folder / "server.log")
            finally:
                server.terminate()
                server.wait(60)
        over = YemotAI(provider=ScriptedProvider(), store=SQLiteStore(folder / "calls.db"))
        print(f"calls that stayed open: {over.open_calls()}")
        over.close()
    show(samples)


def measure(
    arguments: argparse.Namespace, codex: FakeCodex, server: subprocess.Popen[bytes], log: Path
) -> list[Sample]:
    found = None
    while found is None:
        found = re.search(r"http://[^:]+:(\d+)", log.read_text())
        time.sleep(0.05)  # until the server has written its address
    process, began = psutil.Process(server.pid), time.monotonic()
    soak = Soak(f"http://127.0.0.1:{found[1]}/", codex, began + arguments.minutes * 60)
    samples = []
    with ThreadPoolExecutor(arguments.callers) as threads:
        callers = [threads.submit(soak.one_caller, number) for number in range(arguments.callers)]
        while time.monotonic() < soak.until:
            samples.append(Sample.take(process, time.monotonic() - began))
            time.sleep(SAMPLE_SECONDS)  # the interval of the measurement
        for caller in callers:
            caller.result()
    print(f"{soak.calls} calls, {soak.turns} turns; heard: {dict(soak.heard)}")
    return samples


def show(samples: list[Sample]) -> None:
    kept = samples[int(len(samples) * WARM_UP) :]
    third = max(len(kept) // 3, 1)
    print(f"{'':10}{'first':>10}{'middle':>10}{'last':>10}{'change':>10}")
    for name in ("memory", "files", "threads", "children"):
        values = [float(getattr(sample, name)) for sample in kept]
        parts = [
            statistics.median(values[start : start + third]) for start in (0, third, len(values) - third)
        ]
        change = (parts[2] - parts[0]) / parts[0] if parts[0] else 0.0
        print(f"{name:10}" + "".join(f"{part:10.1f}" for part in parts) + f"{change:10.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--callers", type=int, default=30)
    with tempfile.TemporaryDirectory() as folder:
        run(parser.parse_args(), Path(folder))


if __name__ == "__main__":
    main()
