"""Measure an agent's turn through ``AIFlow`` with a provider that answers at once.

python benchmarks/turns.py [TURNS]

The unit is what a turn cannot do without: one round trip to the engine's loop and one to a worker thread,
for a function that is a plain ``def``. The two are interleaved, so that the load of the machine affects both.
"""

from __future__ import annotations

import itertools
import re
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai.providers import Reply

TURNS_PER_CALL = 10
NEXT_TURN = re.compile(r"=(ai_\d+),")


class InstantProvider:
    """Answers at once."""

    name = "instant"
    streams = False

    async def ask(self, prompt: str, **_: object) -> AsyncIterator[str | Reply]:
        yield Reply("התשובה לשאלה", session=prompt)


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main(turns: int) -> None:
    flow = AIFlow(YemotAI(provider=InstantProvider()))

    @flow.ai_agent("")
    def agent(call: AICall, text: str) -> None: ...

    engine, call_ids = flow.ai.engine, itertools.count()

    def call() -> None:
        pairs = [("ApiCallId", f"call {next(call_ids)}"), ("ApiPhone", "0501234567"), ("ApiExtension", "")]
        response = flow.handle_request(pairs)
        for _ in range(TURNS_PER_CALL):
            match = NEXT_TURN.search(response)
            assert match is not None, response
            pairs.append((match[1], "מה השעה"))
            response = flow.handle_request(pairs)
        flow.handle_request([*pairs, ("hangup", "yes")])

    def round_trips() -> None:
        for _ in range(TURNS_PER_CALL):
            engine.run(engine.run_in_thread(int))

    call()
    rounds = [(seconds(round_trips), seconds(call)) for _ in range(turns // TURNS_PER_CALL)]
    bare, turn = (statistics.median(column) / TURNS_PER_CALL for column in zip(*rounds, strict=True))
    print(f"an agent's turn: {turn * 1000:.2f} ms, {1 / turn:,.0f} a second on one thread")
    print(f"a round trip to the engine and a thread: {bare * 1000:.2f} ms; a turn is x {turn / bare:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
