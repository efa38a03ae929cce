"""A short store outage at each step of a turn: the caller waits and is answered."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, AsyncAICall, YemotAI
from yemot_ai.errors import StoreError
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai.sessions import MemoryStore, Session
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

STEPS = 14
"""More store operations than a turn has."""


class Model:
    """Answers at once."""

    name = "model"

    def __init__(self) -> None:
        self.engine = ScriptedProvider().engine
        self.prompts: list[str] = []

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        self.prompts.append(prompt)
        return Reply("פתוח עד שבע", "thread")

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return await self.start_session(prompt)


class FailingStore(MemoryStore):
    """Fails at the operations 0 and 1 of ``steps``."""

    immediate = False
    steps: Iterator[int] = itertools.repeat(STEPS)

    async def load(self, call_id: str) -> Session | None:
        self._step()
        return await super().load(call_id)

    async def save(self, session: Session, *, ttl: float) -> Session:
        self._step()
        return await super().save(session, ttl=ttl)

    def _step(self) -> None:
        if next(self.steps) in {0, 1}:
            raise StoreError("away, on purpose")


def agent(flow: AIFlow, runs: list[str]) -> None:
    @flow.ai_agent("a", greeting="שלום")
    def answer_turn(call: AICall, text: str) -> None:
        runs.append(text)


def agent_with_step(flow: AIFlow, runs: list[str]) -> None:
    @flow.ai_agent("a", greeting="שלום")
    async def answer_turn(call: AsyncAICall, text: str) -> str:
        runs.append(text)
        return await call.ask_ai(text)


@pytest.mark.parametrize("register", [agent, agent_with_step])
@pytest.mark.parametrize("step", range(STEPS))
def test_the_caller_is_answered_once_and_the_function_runs_once(
    register: Callable[[AIFlow, list[str]], None], step: int
) -> None:
    model, runs = Model(), list[str]()
    store = FailingStore(now=model.engine.time)
    flow = AIFlow(YemotAI(provider=model, store=store))
    register(flow, runs)
    line = Line(flow)
    line.enter("a")
    store.steps = itertools.count(-step)
    answer = line.send(("ai_1", "מתי?"))
    while "no,1,1," in answer:
        name = answer.partition("=ai_")[2].partition(",")[0]
        answer = line.send((f"ai_{name}", "None"))

    assert answer == "read=t-פתוח עד שבע=ai_2,no,voice"
    assert model.prompts == ["מתי?"]
    assert runs == ["מתי?"]
