"""Faults that show when three callers speak at once, when time passes, when the model fails, or with POST."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from tests.property.faults.broken_agents import QUICK, ByHand
from tests.property.faults.broken_streams import StreamingByHand
from tests.property.faults.handwritten_agent import Agent, Memory
from tests.property.faults.handwritten_streaming_agent import Spoken, StreamingAgent
from tests.property.faults.subject import Fault, FlowMachine, broken
from yemot_ai import AICall, AIFlow
from yemot_ai.errors import ProviderError
from yemot_ai.protocol import Request
from yemot_ai_testing.doubles.steps import Answer, Failure, Step
from yemot_ai_testing.history import Budget
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.property import EchoProvider

FAILING: tuple[Step | None, ...] = (*QUICK, Failure("overloaded"))
DAY = 86_400

fault = Fault(ByHand, "agent")
polling = Fault(StreamingByHand, "agent")


@fault(
    "exchanges answers when three callers are answered at once", "crossed_calls", "stale", "answered_twice"
)
class SwapsAnswersOfThree(Agent):
    asking = 0
    box = ""

    def ask(self, memory: Memory, request: Request, said: str) -> str:
        self.asking += 1
        others = self.asking - 1
        answer = super().ask(memory, request, said)
        self.asking -= 1
        if others == 2:
            self.box = answer
        elif others == 0 and self.box:
            answer, self.box = self.box, ""
        return answer


@polling("one asyncio lock around the model", "kept_waiting", "ignored", "endless")
class OneLockForTheStream(StreamingAgent):
    def __init__(self, model: EchoProvider) -> None:
        super().__init__(model)
        self.model_lock = asyncio.Lock()

    async def ask(self, memory: Spoken, said: str) -> None:
        async with self.model_lock:
            await super().ask(memory, said)


@fault("files a conversation by the date of the request", "forgot")
class BeginsAgainAtMidnight(Agent):
    def ask(self, memory: Memory, request: Request, said: str) -> str:
        day = str(int(dict(request.pairs)["ApiTime"]) // DAY)
        memory.session = memory.session if memory.late in {"", day} else ""
        memory.late = day
        return super().ask(memory, request, said)


@fault("forgets a call when the clock is set back", "forgot")
class TrustsTheClock(Agent):
    def ask(self, memory: Memory, request: Request, said: str) -> str:
        now = int(dict(request.pairs)["ApiTime"])
        if memory.silences or now < int(memory.late or 0):
            memory.session = ""
        memory.late = str(now)
        return super().ask(memory, request, said)


@fault(
    "knows a call by the end of its ID",
    "late",
    "crossed_sessions",
    "spoke_after_hangup",
    "unstable",
    "left_open",
    "stale",
    "crossed_calls",
    "ignored",
    "unheard",
    "endless",
    "asked_twice",
    "ran_after_hangup",
)
class KnowsTheEndOfTheID(Agent):
    def __call__(self, pairs: Sequence[tuple[str, str]]) -> str:
        return super().__call__(
            [(name, value[-8:] if name == "ApiCallId" else value) for name, value in pairs]
        )


@fault(
    "knows a call by the caller's number: withheld ones are one call",
    "crossed_sessions",
    "unstable",
    "left_open",
    "stale",
    "crossed_calls",
    "ignored",
    "unheard",
    "endless",
    "asked_twice",
)
class KnowsTheNumber(Agent):
    def memory(self, request: Request) -> Memory:
        with self.lock:
            return self.calls.setdefault(request.phone or "withheld", Memory())


@fault(
    "asks again until there is an answer, without an end",
    "asked_twice",
    model_steps=FAILING,
    budget=Budget(request=70, hangup=70),
)
class AsksWithoutAnEnd(Agent):
    def say(self, memory: Memory, request: Request, said: str) -> str:
        while True:
            try:
                return self.ask(memory, request, said)
            except ProviderError:
                continue


@fault(
    "apologizes for a failure that passes, without a second try",
    "gave_up",
    model_steps=FAILING,
    budget=Budget(hangup=60, retries=1),
)
class ApologizesAtOnce(Agent):
    pass


@polling(
    "gives up one poll too early",
    "unheard",
    model_steps=(None, *(Answer(("",), seconds) for seconds in (1.0, 30.0))),
)
class GivesUpOnePollTooEarly(StreamingAgent):
    def is_over(self, memory: Spoken) -> bool:
        return super().is_over(memory) or memory.polls % 4 == 3

    def next_words(self, memory: Spoken) -> list[str]:
        return [] if memory.polls % 4 == 3 else super().next_words(memory)


@broken(
    "a WSGI application that reads the query string only",
    "endless",
    "ignored",
    "crossed_sessions",
    "unstable",
    "spoke_after_hangup",
)
class ReadsTheQueryOnly(ByHand):
    agent: ClassVar[type[Agent]] = Agent

    def make_app(self, provider: EchoProvider) -> object:
        agent = Agent(provider)

        def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
            start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
            return [agent(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)).encode()]

        return app


@broken("keeps the first answer in the state of the call", "ignored", "stale")
class KeepsTheFirstAnswer(FlowMachine):
    reset_key = ""

    def add_routes(self, flow: AIFlow) -> None:
        @flow.get("")
        def menu(call: AICall) -> None:
            if call.read("הקישו 1", max_digits=1) == "1" and (said := call.read("מה השאלה", mode="stt")):
                if "answer" not in call.state:
                    call.state["answer"] = self.answer(call, said)
                call.read(str(call.state["answer"]), max_digits=1)
            call.goto("/")

    def answer(self, call: AICall, said: str) -> str:
        try:
            return call.ask_ai(said)
        except ProviderError:
            return "סליחה"

    def reach_agent(self, caller: Caller) -> None:
        while "הקישו" not in str(caller.question):
            caller.presses("1")
        caller.presses("1")
