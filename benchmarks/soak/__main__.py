"""Run a soak, print its figures, and draw its chart."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import psutil

from benchmarks.soak.callers import Callers
from benchmarks.soak.chart import draw, verdict
from benchmarks.soak.samples import Sample, trends
from tests.support.redis_server import RedisServer
from tests.support.waiting import until
from yemot_ai import YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import StoreError
from yemot_ai_testing import FakeCodex, ScriptedProvider
from yemot_ai_testing.doubles.scripted_double import unchecked

SAMPLES = 360
LEAST_INTERVAL = 0.5
ADDRESS = re.compile(r"running on (http://\S+)")
WARNING = re.compile(r"^\S+ \S+ (?:WARNING|ERROR|CRITICAL) .*", re.MULTILINE)


@contextlib.contextmanager
def opened_store(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a store of this kind."""
    if kind == "sqlite":
        yield f"sqlite:{folder / 'calls.db'}"
        return
    with contextlib.closing(RedisServer().start()) as server:
        yield server.url


@contextlib.contextmanager
def serving(workers: int, store: str, log: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Yield the address and the process of a server of the reference agent."""
    variables = {**os.environ, "YEMOT_AI_MODE": "codex-app-server", "YEMOT_AI_STORE": store}
    command = [sys.executable, "-m", "yemot_ai", "serve", "--port", "0", "--workers", str(workers)]
    with log.open("w") as output, subprocess.Popen(command, env=variables, stderr=output) as server:
        try:
            until(lambda: ADDRESS.search(log.read_text()) or server.poll() is not None, within=60)
            found = ADDRESS.search(log.read_text())
            assert found is not None, log.read_text()
            yield f"{found[1]}/", psutil.Process(server.pid)
        finally:
            server.terminate()
            server.wait(60)


def observer(store: str) -> YemotAI:
    """Return what counts the open calls of a store, in real time."""
    return YemotAI(provider=ScriptedProvider(engine=Engine.shared()), store=store)


def watch(callers: Callers, server: psutil.Process, ai: YemotAI, seconds: float) -> list[Sample]:
    """Let the callers call for so long, and return what the server had."""
    samples, started_at = [], time.monotonic()
    interval = max(seconds / SAMPLES, LEAST_INTERVAL)
    with ThreadPoolExecutor(callers.count) as threads:
        running = callers.start(threads)
        try:
            while (at := time.monotonic() - started_at) < seconds:
                with contextlib.suppress(StoreError):  # the machine is busy: without this sample
                    samples.append(Sample.take(server, str(callers.codex.executable), at, ai.open_calls()))
                time.sleep(interval)  # the interval of the measurement
        finally:
            callers.stop()
    for caller in running:
        caller.result()
    return samples


def soak(run: argparse.Namespace, folder: Path) -> int:
    """Run it, and print what was found; return the exit code."""
    log = folder / "server.log"
    with (
        unchecked(FakeCodex()) as codex,
        opened_store(run.store, folder) as store,
        serving(run.workers, store, log) as (url, server),
        contextlib.closing(observer(store)) as ai,
    ):
        callers = Callers(url, codex, run.callers, run.model_seconds, run.pause_seconds)
        samples = watch(callers, server, ai, run.minutes * 60)
        left_open, busy = ai.open_calls(), processor_shares(server, samples[-1].at)
    found = trends(samples)
    workers = f"{run.workers} worker{'s' * (run.workers > 1)}"
    what = f"{run.callers} callers, {run.minutes:g} minutes, {run.store}, {workers}"
    rate = f"{callers.turns / samples[-1].at:.1f} turns a second"
    print(f"{what}: {callers.calls:,} calls, {callers.turns:,} turns, {rate}; {busy}")
    for name, trend in found.items():
        print(verdict(name, trend, run.tolerance))
    problems = [
        *(f"{name} grows" for name, trend in found.items() if trend.grows(run.tolerance)),
        *(f"heard {count} times: {heard}" for heard, count in callers.unexpected.most_common()),
        *WARNING.findall(log.read_text()),
        *([f"{left_open} calls stayed open"] if left_open else []),
    ]
    print("\n".join(problems) or "every utterance was answered, no warning of the server, no open call")
    if run.samples:
        run.samples.write_text(json.dumps([asdict(sample) for sample in samples]), encoding="utf-8")
    if run.chart:
        run.chart.write_text(draw(f"{what}, {rate}", samples, found), encoding="utf-8")
    return 1 if problems else 0


def processor_shares(server: psutil.Process, seconds: float) -> str:
    """Return how much of a core the callers and the server with its workers took, as text."""
    own, *others = (one.cpu_times() for one in (psutil.Process(), server, *server.children()))
    share = sum(times.user + times.system for times in others) / seconds
    return f"callers {(own.user + own.system) / seconds:.0%} of a core, server {share:.0%}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--store", choices=("sqlite", "redis"), default="sqlite")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--model-seconds", type=float, default=1.0, help="how long an answer takes")
    parser.add_argument("--pause-seconds", type=float, default=10.0, help="how long a caller thinks")
    parser.add_argument("--tolerance", type=float, default=0.0, help="growth that is allowed, as a share")
    parser.add_argument("--chart", type=Path, help="write an SVG file")
    parser.add_argument("--samples", type=Path, help="write what was measured, as JSON")
    with tempfile.TemporaryDirectory() as folder:
        return soak(parser.parse_args(), Path(folder))


if __name__ == "__main__":
    sys.exit(main())
