"""Measure the cost of a poll, with few and many open calls, compared with plain yemot-flow and a bare loop.

A poll is a request that asks whether the answer is complete; here none waits. The figures are ratios and
rates of one run; they must not depend on the number of open calls.
"""

from __future__ import annotations

import asyncio
import gc
import io
import itertools
import logging
import statistics
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial

import yemot_flow

from yemot_ai import AICall, AIFlow, DialogSettings, YemotAI
from yemot_ai.providers import Reply
from yemot_ai.server.logs import FORMAT, LineFormatter
from yemot_ai.sessions import MemoryStore

FEW, MANY = 10, 10_000
PLAIN_MANY = 2_000  # starting so many calls of a plain flow takes seconds, and 10,000 a minute
REQUESTS = 20_000
ROUNDS = 5
TURNS = 5
POLLS = 30  # the most of one turn: then its minute is over

Pairs = list[tuple[str, str]]


class HangingProvider:
    """A provider that never answers, so that the line only polls."""

    name = "silent"

    async def start_session(self, prompt: str, **_: object) -> Reply:
        await asyncio.Event().wait()
        return Reply("", None)

    async def continue_session(self, session: object, prompt: str, **_: object) -> Reply:
        return await self.start_session(prompt)


class InstantProvider:
    """A provider that answers at once."""

    name = "instant"

    async def start_session(self, prompt: str, **_: object) -> Reply:
        return Reply(f"אמרת {prompt}", "session-1")

    async def continue_session(self, session: object, prompt: str, **_: object) -> Reply:
        return Reply(f"אמרת {prompt}", "session-1")


def agent_flow(provider: InstantProvider | HangingProvider) -> AIFlow:
    manners = (
        DialogSettings(answer_wait=0.0, poll_wait=0.0) if isinstance(provider, HangingProvider) else None
    )
    flow = AIFlow(YemotAI(provider=provider, store=MemoryStore(), turn_timeout=3_600), dialog=manners)

    @flow.ai_agent("")
    def agent(call: AICall, text: str) -> None:
        """Leave the answer to the model."""

    return flow


def request(call: int, *values: tuple[str, str], second: int = 0) -> Pairs:
    own = [("ApiCallId", f"{call:040x}"), ("ApiPhone", "0501234567"), ("ApiExtension", "")]
    return [*own, ("ApiTime", str(1_767_225_600 + second)), *values]


def calls_with_an_answer(flow: AIFlow, calls: int) -> list[Pairs]:
    """Run calls to their first answer; return its requests: repeated, they are answered polls."""
    last = []
    for call in range(calls):
        flow.handle_request(request(call))
        last.append(request(call, ("ai_1", "שלום"), second=1))
        flow.handle_request(last[-1])
    return last


def blocking_rate(flow: AIFlow, polls: list[Pairs]) -> float:
    began = time.perf_counter()
    for number in range(REQUESTS):
        flow.handle_request(polls[number % len(polls)])
    return REQUESTS / (time.perf_counter() - began)


def logged_rate(flow: AIFlow, polls: list[Pairs]) -> float:
    """Do what ``blocking_rate`` does, with a line in the log for each request."""
    log, handler = logging.getLogger("yemot_ai"), logging.StreamHandler(io.StringIO())
    handler.setFormatter(LineFormatter(FORMAT))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        return blocking_rate(flow, polls)
    finally:
        log.setLevel(logging.NOTSET)
        log.removeHandler(handler)


def async_rate(flow: AIFlow, polls: list[Pairs]) -> float:
    async def ask() -> float:
        began = time.perf_counter()
        for number in range(REQUESTS):
            await flow.ahandle_request(polls[number % len(polls)])
        return REQUESTS / (time.perf_counter() - began)

    return asyncio.run(ask())


def running_rate(flow: AIFlow, calls: int, numbers: Iterator[int]) -> float:
    """Poll running turns without waiting: each poll is new and goes to the engine."""

    async def ask() -> float:
        began = time.perf_counter()
        for _ in range(REQUESTS // 4):
            number = next(numbers)
            poll = (f"ai_1w{number // calls % POLLS + 1}", "None")
            await flow.ahandle_request(
                request(number % calls, ("ai_1", "שלום"), poll, second=2 + number // calls)
            )
        return REQUESTS / 4 / (time.perf_counter() - began)

    return asyncio.run(ask())


def machine_speed() -> float:
    """Build and read dictionaries, a thousand per request: the speed of the machine now."""
    began = time.perf_counter()
    for _ in range(2_000):
        values = {str(number): number for number in range(1_000)}
        sum(values.values())
    return 2_000 / (time.perf_counter() - began)


def plain_rate(calls: int) -> float:
    flow = yemot_flow.Flow(timeout=3_600_000, print_log=False)

    @flow.get("")  # type: ignore[untyped-decorator]  # yemot-flow's has no annotations
    def root(call: yemot_flow.Call) -> None:
        call.goto("/1")

    for call in range(calls):
        flow.handle_request(dict(request(call)))
    count = 200 if calls > FEW else 5_000
    began = time.perf_counter()
    for number in range(count):
        flow.handle_request(dict(request(number % calls)))
    return count / (time.perf_counter() - began)


def paired(few: Callable[[], float], many: Callable[[], float]) -> tuple[float, float, float]:
    """Measure alternately; return both medians and the median of the ratios."""
    rows = [(few(), many()) for _ in range(ROUNDS)]
    ratio = statistics.median(one / other for one, other in rows)
    return statistics.median(row[0] for row in rows), statistics.median(row[1] for row in rows), ratio


def bytes_per_call(calls: int = 2_000) -> float:
    flow = agent_flow(InstantProvider())
    for call in range(50):  # creates what is created once
        run_call(flow, call)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    for call in range(50, 50 + calls):
        run_call(flow, call)
    gc.collect()
    after = tracemalloc.take_snapshot()
    tracemalloc.stop()
    return sum(line.size_diff for line in after.compare_to(before, "filename")) / calls


def run_call(flow: AIFlow, call: int) -> None:
    values: list[tuple[str, str]] = []
    flow.handle_request(request(call))
    for turn in range(1, TURNS + 1):
        values.append((f"ai_{turn}", f"מה שעות הפתיחה ביום {turn} בשבוע"))
        answer = flow.handle_request(request(call, *values, second=2 * turn))
        poll = 0
        while f"ai_{turn}w" in answer:
            poll += 1
            values.append((f"ai_{turn}w{poll}", "None"))
            answer = flow.handle_request(request(call, *values, second=2 * turn + 1))


def main() -> None:
    print(f"an idle call of {TURNS} turns: {bytes_per_call() / 1024:.2f} KiB")
    few, many = agent_flow(InstantProvider()), agent_flow(InstantProvider())
    few_polls, many_polls = calls_with_an_answer(few, FEW), calls_with_an_answer(many, MANY)
    stick = machine_speed()
    print(f"yardstick: {stick:,.0f} thousand-entry dictionaries/s; {threading.active_count()} threads")
    for name, rate in (("handle_request", blocking_rate), ("ahandle_request", async_rate)):
        one, other, ratio = paired(partial(rate, few, few_polls), partial(rate, many, many_polls))
        print(
            f"{name}: {one:,.0f} polls/s with {FEW} calls, {other:,.0f} with {MANY:,} "
            f"(x {ratio:.2f}); {other / stick:.2f} polls a yardstick"
        )
    quiet, logged, ratio = paired(lambda: blocking_rate(few, few_polls), lambda: logged_rate(few, few_polls))
    cost = 1e6 / logged - 1e6 / quiet
    print(f"with a line of the log for each: {logged:,.0f} polls/s (x {ratio:.2f}), {cost:,.0f} µs a line")
    thinking = {calls: agent_flow(HangingProvider()) for calls in (FEW, MANY)}
    for calls, silent in thinking.items():
        calls_with_an_answer(silent, calls)
    counts = {calls: itertools.count() for calls in thinking}
    one, other, ratio = paired(
        lambda: running_rate(thinking[FEW], FEW, counts[FEW]),
        lambda: running_rate(thinking[MANY], MANY, counts[MANY]),
    )
    print(f"polls of turns that run: {one:,.0f}/s with {FEW}, {other:,.0f}/s with {MANY:,} (x {ratio:.2f})")
    plain_few, plain_many = plain_rate(FEW), plain_rate(PLAIN_MANY)
    print(f"plain yemot-flow: {plain_few:,.0f}/s with {FEW} calls, {plain_many:,.0f}/s with {PLAIN_MANY:,}")


if __name__ == "__main__":
    main()
