"""Measure the latency of 1,000 concurrent calls to one ASGI process, with a model that takes 5 s.

The calls arrive over 10 s; each dials, speaks, polls until it hears the answer, and hangs up. An ideal server
responds when the model has answered, or when the wait of the request is over; the rest of the time is the
added latency.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai.flow.dialog import POLL_SECONDS
from yemot_ai.providers import Reply

THINK_SECONDS = 5.0
HOST = "127.0.0.1"


class SlowProvider:
    """A provider that waits, then names the prompt in its answer."""

    name = "thinker"

    async def start_session(self, prompt: str, **_: object) -> Reply:
        await asyncio.sleep(THINK_SECONDS)
        return Reply(f"תשובה על {prompt}", "1")

    async def continue_session(self, session: object, prompt: str, **_: object) -> Reply:
        return await self.start_session(prompt)


flow = AIFlow(YemotAI(provider=SlowProvider()))


@flow.ai_agent("")
def agent(call: AICall, text: str) -> None:
    """Leave the answer to the model."""


app = flow.asgi_app


@dataclass
class LoadResult:
    """The latencies and results of a run."""

    added: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    answered: int = 0


async def ask(port: int, pairs: list[tuple[str, str]]) -> str:
    """Send one request over a new connection, as the platform does."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(f"GET /?{urlencode(pairs)} HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode())
        raw = await reader.read()
    finally:
        writer.close()
    head, _, body = raw.partition(b"\r\n\r\n")
    return body.decode() if head.startswith(b"HTTP/1.1 200") else f"! {head[:40]!r}"


async def call(number: int, port: int, tally: LoadResult) -> None:
    values: list[tuple[str, str]] = []
    began = time.monotonic()

    async def step(*, ready: float, hold: float) -> str:
        own = [("ApiCallId", f"{number:040x}"), ("ApiPhone", "0501234567"), ("ApiExtension", "")]
        stamp = ("ApiTime", str(int(time.monotonic() - began) + 1_767_225_600))
        sent = time.monotonic()
        answer = await ask(port, [*own, stamp, *values])
        ideal = max(sent, min(sent + hold, ready))
        tally.added.append(time.monotonic() - ideal)
        return answer

    await step(ready=0.0, hold=0.0)
    said = f"שאלה {number}"
    values.append(("ai_1", said))
    ready = time.monotonic() + THINK_SECONDS
    answer, poll, hold = await step(ready=ready, hold=flow.dialog.answer_wait), 0, flow.dialog.poll_wait
    while f"ai_1w{poll + 1}" in answer:
        poll += 1
        await asyncio.sleep(POLL_SECONDS)
        values.append((f"ai_1w{poll}", "None"))
        answer = await step(ready=ready, hold=hold)
    if f"תשובה על {said}=" in answer:
        tally.answered += 1
    else:
        tally.lost.append(answer)
    values.append(("hangup", "yes"))
    await step(ready=0.0, hold=0.0)


async def run_calls(calls: int, arrival_seconds: float, port: int) -> LoadResult:
    tally = LoadResult()

    async def delayed_call(number: int) -> None:
        await asyncio.sleep(number * arrival_seconds / calls)
        await call(number, port, tally)

    await asyncio.gather(*(delayed_call(number) for number in range(calls)))
    return tally


def run_load(run: argparse.Namespace) -> LoadResult:
    """Start the server in a new process and run the calls."""
    with tempfile.TemporaryFile("w+") as log:
        command = [sys.executable, "-m", "uvicorn", "load:app", "--port", "0", "--no-access-log"]
        options = {"cwd": Path(__file__).parent, "env": {**os.environ, "PYTHONUNBUFFERED": "1"}}
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options) as server:  # type: ignore[call-overload]
            try:
                port = next(int(found[1]) for line in server.stderr if (found := re.search(r":(\d+) ", line)))
                return asyncio.run(run_calls(run.calls, run.seconds, port))
            finally:
                server.send_signal(signal.SIGINT)
                log.write(server.communicate(timeout=20)[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="seconds over which the calls arrive; 0 is a burst"
    )
    run = parser.parse_args()
    tally = run_load(run)
    added = sorted(tally.added)
    p99 = added[int(len(added) * 0.99)]
    print(
        f"{run.calls:,} calls over {run.seconds:g} s: {tally.answered:,} answered, {len(tally.lost)} lost; "
        f"{len(added):,} requests; added latency median {statistics.median(added) * 1000:.1f} ms, "
        f"p99 {p99 * 1000:.1f} ms, worst {added[-1] * 1000:.0f} ms"
    )
    for one in tally.lost[:3]:
        print(f"  lost: {one[:120]}")


if __name__ == "__main__":
    main()
