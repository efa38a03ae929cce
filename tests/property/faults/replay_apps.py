"""Factories of applications for counterexamples: with the fault, and fixed."""

from __future__ import annotations

import asyncio

from tests.property.faults.broken_agents import AsksTwiceOnRerun, ForgetsToSpeak
from tests.property.faults.handwritten_agent import Agent
from yemot_ai import AIFlow, AsyncAICall, YemotAI
from yemot_ai_testing.property import EchoProvider


def asks_twice() -> Agent:
    return AsksTwiceOnRerun(EchoProvider())


def forgets_to_speak() -> Agent:
    return ForgetsToSpeak(EchoProvider())


def fixed() -> Agent:
    return Agent(EchoProvider())


def forgetful(provider: EchoProvider | None = None) -> AIFlow:
    """Return a flow that ignores the answer of the second turn."""
    flow = AIFlow(YemotAI(provider=provider or EchoProvider()))

    @flow.ai_agent("")
    async def agent(call: AsyncAICall, text: str) -> str:
        answer = await call.ask_ai(text)
        call.state["turns"] = int(str(call.state.get("turns", 0))) + 1
        return "מה שאלת" if call.state["turns"] == 2 else answer

    return flow


def attentive() -> AIFlow:
    flow = AIFlow(YemotAI(provider=EchoProvider()))
    flow.ai_agent("")(lambda call, text: None)
    return flow


def speaks_before_it_remembers(provider: EchoProvider | None = None) -> AIFlow:
    """Return a flow whose answer races with the task that writes it down: it may speak the one before."""
    flow = AIFlow(YemotAI(provider=provider or EchoProvider()))
    answers: list[str] = []

    async def remember(answer: str) -> None:
        await asyncio.sleep(0)
        answers.append(answer)

    @flow.ai_agent("")
    async def agent(call: AsyncAICall, text: str) -> str:
        remembering = asyncio.create_task(remember(await call.ask_ai(text)))
        for _ in range(4):
            await asyncio.sleep(0)
        spoken = answers[-1] if answers else ""
        await remembering
        return spoken

    return flow


def remembers_before_it_speaks() -> AIFlow:
    """Return the same flow without the race."""
    flow = AIFlow(YemotAI(provider=EchoProvider()))

    @flow.ai_agent("")
    async def agent(call: AsyncAICall, text: str) -> str:
        return await call.ask_ai(text)

    return flow
