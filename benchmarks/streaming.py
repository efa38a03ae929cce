"""Measure when a caller hears the first sentence, compared with the model's time and with whole answers.

A model writes 20 words a second for 10 seconds::

    python benchmarks/streaming.py [--rounds 3]

First on the simulated line, in virtual time; then over real HTTP, from a model service on the loopback
through each SDK and the flow. Bound: the first sentence is heard after at most 1.3 times the time at which
the model has written it. No words may be missing, repeated or out of order.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Sequence
from statistics import median

from yemot_ai import AICall, AIFlow, DialogSettings, YemotAI
from yemot_ai.protocol import Read, Response, Text
from yemot_ai.providers import AnthropicProvider, OpenAIProvider, Provider
from yemot_ai_testing import Caller, ModelServer, ScriptedProvider

SENTENCE = "זו היא שורה של שמונה מילים שנאמרת כאן. "
WORDS = [f"{word} " for word in (SENTENCE * 25).split()]
EVERY = 1 / 20
WRITTEN = len(SENTENCE.split()) * EVERY
"""Seconds until the first sentence is complete."""


def flow_of(provider: Provider, *, stream: bool) -> AIFlow:
    flow = AIFlow(YemotAI(provider=provider), dialog=DialogSettings(filler=None))

    @flow.ai_agent("", greeting="שלום", stream=stream)
    def agent(call: AICall, text: str) -> None:
        """Leave the answer to the model."""

    return flow


def heard_at(*, stream: bool) -> float:
    """Return the virtual seconds until the simulated caller hears the first word of the answer."""
    provider = ScriptedProvider().answers(WORDS, after=EVERY, every=EVERY)
    with Caller(flow_of(provider, stream=stream)) as caller:
        caller.dial()
        heard = caller.says("ספר")
        check(heard)
        first = next(event for event in caller.transcript if str(event).startswith("זו היא"))
        return first.at - caller.exchanges[1].at


def answered_at(make: Callable[[ModelServer], Provider], *, stream: bool) -> float:
    """Return the real seconds until the flow responds with the first words, over HTTP."""
    with ModelServer() as model:
        flow = flow_of(make(model), stream=stream)
        model.answers("כן").answers(WORDS, after=EVERY, every=EVERY)
        line = Line(flow)
        line.says("warm")
        heard, first = line.says("ספר")
        check(" ".join(heard))
        flow.ai.close()
        return first


class Line:
    """A line that answers each read at once, without playing the messages."""

    def __init__(self, flow: AIFlow) -> None:
        self.flow = flow
        self.values: list[tuple[str, str]] = []
        self.second = 0
        self.name = ""
        self.sends()

    def says(self, words: str) -> tuple[list[str], float]:
        """Return the texts heard until the line listens again, and the seconds until the first one."""
        began = time.perf_counter()
        heard, first = self.sends(words), time.perf_counter() - began
        while "w" in self.name:
            more = self.sends("None")
            first = first if heard else time.perf_counter() - began
            heard += more
        return heard, first

    def sends(self, *values: str) -> list[str]:
        self.values += [(self.name, value) for value in values]
        self.second += 1
        own = [("ApiCallId", "c1"), ("ApiPhone", "050"), ("ApiExtension", ""), ("ApiTime", str(self.second))]
        read = tuple(Response.parse(self.flow.handle_request([*own, *self.values])))[-1]
        assert isinstance(read, Read)
        self.name = read.name
        return [one.text for one in read.messages if isinstance(one, Text)]


def check(heard: str) -> None:
    if re.findall(r"[^\s,]+", heard) != re.findall(r"[^\s.]+", "".join(WORDS)):
        raise SystemExit(f"not what the model wrote: {heard!r}")


def print_row(name: str, first: float, whole: float, written: float) -> None:
    print(f"{name:22} {first:7.2f} s {first / written:8.2f} x {whole:9.2f} s {whole / first:8.1f} x")


PROVIDERS: Sequence[tuple[str, Callable[[ModelServer], Provider]]] = (
    ("OpenAI Responses", lambda model: OpenAIProvider(api_key="test", model="m", base_url=model.base_url)),
    (
        "OpenAI Chat",
        lambda model: OpenAIProvider(api_key="test", model="m", base_url=model.base_url, api="chat"),
    ),
    (
        "Anthropic Messages",
        lambda model: AnthropicProvider(api_key="test", model="m", base_url=model.root_url),
    ),
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    rounds = arguments.parse_args().rounds
    print(f"written by the model: first sentence {WRITTEN:.2f} s, all {len(WORDS) * EVERY:.0f} s")
    print(f"{'':22} {'heard at':>9} {'of model':>10} {'whole at':>11} {'sooner':>10}")
    print_row("simulated line", heard_at(stream=True), heard_at(stream=False), WRITTEN)
    for name, make in PROVIDERS:
        first = median(answered_at(make, stream=True) for _ in range(rounds))
        whole = answered_at(make, stream=False)
        print_row(name, first, whole, WRITTEN)


if __name__ == "__main__":
    main()
