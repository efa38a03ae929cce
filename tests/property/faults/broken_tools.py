"""Faults around tools: in stores, providers, and what calls the functions."""

# ruff: noqa: ANN401 - arguments that are passed on

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, ClassVar

from tests.property.faults.subject import Fault
from yemot_ai import AIFlow, Tool, YemotAI
from yemot_ai.providers import AnswerPart, Reply, ToolCalls, ToolRequest
from yemot_ai.sessions import MemoryStore, Session, SessionStore, Turn, TurnStatus
from yemot_ai_testing.doubles.steps import Calls
from yemot_ai_testing.property import TOOL_STEPS, CallMachine, EchoProvider
from yemot_ai_testing.property.model_steps import UTTERANCE

ORDERS = (
    (Calls(("place_order",), ({"order": UTTERANCE},)),),
    (Calls(("place_order", "place_order"), ({"order": UTTERANCE}, {"order": f"עוד {UTTERANCE}"})),),
)
"""The messages of a model that calls the async tool only."""


class OverStore(CallMachine):
    """Runs a store under an AIFlow with tools."""

    store_type: ClassVar[type[MemoryStore]]
    tool_steps = TOOL_STEPS
    restarts_workers = True

    def make_store(self) -> SessionStore:
        return self.store_type(now=self.provider.engine.time)


class WithProvider(CallMachine):
    """Runs an AIFlow with tools over a provider with a fault."""

    wrapper: ClassVar[type[Passing]]
    tool_steps = TOOL_STEPS

    def make_app(self, provider: EchoProvider) -> object:
        flow = AIFlow(YemotAI(provider=self.wrapper(provider), store=self.store, tools=self.tools.all))
        flow.ai_agent("")(lambda call, text: None)
        return flow


class WithRunner(CallMachine):
    """Runs an AIFlow whose async tool is called in a wrong way."""

    runner: ClassVar[type[Runner]]
    tool_steps = ORDERS

    def make_app(self, provider: EchoProvider) -> object:
        tools = [self.runner().wrap(self.tools.all[0])]
        flow = AIFlow(YemotAI(provider=provider, store=self.store, tools=tools))
        flow.ai_agent("")(lambda call, text: None)
        return flow


stored, asking, running = (
    Fault(OverStore, "store_type"),
    Fault(WithProvider, "wrapper"),
    Fault(WithRunner, "runner"),
)


@stored("does not keep that a tool has run: another worker runs it again", "tool_ran_twice")
class ForgetsRuns(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        saved = await super().save(replace(session, turns=tuple(map(_not_begun, session.turns))), ttl=ttl)
        return replace(session, version=saved.version)


def _not_begun(turn: Turn) -> Turn:
    if turn.tool is None or not turn.is_done:
        return turn
    return replace(turn, status=TurnStatus.RUNNING, owner="", answer="", failure=None)


@stored("does not keep that the model has called tools", "lost_result", "asked_twice")
class ForgetsCalls(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        kept = tuple(turn for turn in session.turns if turn.tool is None)
        saved = await super().save(replace(session, turns=kept), ttl=ttl)
        return replace(session, version=saved.version)


@stored("keeps no result of a tool", "lost_result")
class ForgetsResults(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        turns = tuple(replace(one, status=TurnStatus.RUNNING) if one.tool else one for one in session.turns)
        return await super().save(replace(session, turns=turns), ttl=ttl)


class Passing:
    """Passes everything on to a provider."""

    streams = False
    takes_tools = True

    def __init__(self, provider: EchoProvider) -> None:
        self.provider = provider
        self.name, self.engine = provider.name, provider.engine

    async def ask(
        self, prompt: str, *, tools: ToolRequest | None = None, **options: Any
    ) -> AsyncIterator[AnswerPart]:
        async for part in self.provider.ask(prompt, tools=self.given(tools), **options):
            yield part

    def given(self, tools: ToolRequest | None) -> ToolRequest | None:
        """Return what the provider gets."""
        return tools


@asking("exchanges the results of two calls", "wrong_result")
class ExchangesResults(Passing):
    def given(self, tools: ToolRequest | None) -> ToolRequest | None:
        if tools is None:
            return None
        rounds = tuple(replace(one, results=one.results[::-1]) for one in tools.rounds)
        return replace(tools, rounds=rounds)


@asking("gives each call of a tool the first result that it ever had", "wrong_result")
class CachesResults(Passing):
    def __init__(self, provider: EchoProvider) -> None:
        super().__init__(provider)
        self.results: dict[str, str] = {}

    def given(self, tools: ToolRequest | None) -> ToolRequest | None:
        if tools is None:
            return None
        rounds = tuple(
            replace(
                one,
                results=tuple(
                    self.results.setdefault(call.name, result)
                    for call, result in zip(one.calls, one.results, strict=True)
                ),
            )
            for one in tools.rounds
        )
        return replace(tools, rounds=rounds)


@asking("asks with the newest results only", "lost_result", "asked_twice")
class ForgetsEarlierRounds(Passing):
    def given(self, tools: ToolRequest | None) -> ToolRequest | None:
        return None if tools is None else replace(tools, rounds=tools.rounds[-1:])


@asking("takes what the model says before a call for its answer", "lost_result")
class AnswersWithoutResults(Passing):
    async def ask(
        self, prompt: str, *, tools: ToolRequest | None = None, **options: Any
    ) -> AsyncIterator[AnswerPart]:
        async for part in super().ask(prompt, tools=tools, **options):
            if isinstance(part, ToolCalls):
                model_call_id = part.calls[0].id.split("_")[1]
                yield Reply(f"תשובה {model_call_id} על {prompt}", part.state)
            else:
                yield part


class Runner:
    """Calls the function of a tool."""

    def wrap(self, tool: Tool) -> Tool:
        async def run(*args: Any, **named: Any) -> Any:
            return await self.run(lambda: tool.function(*args, **named))

        return replace(tool, function=run)

    async def run(self, function: Callable[[], Awaitable[Any]]) -> Any:
        raise NotImplementedError


@running("begins a tool four seconds later, also if the caller has hung up", "tool_ran_after_hangup")
class QueuesRuns(Runner):
    async def run(self, function: Callable[[], Awaitable[Any]]) -> Any:
        async def later() -> Any:
            await asyncio.sleep(4)
            return await function()

        return await asyncio.shield(asyncio.create_task(later()))


@running("runs a tool again that has not returned after three seconds", "tool_ran_twice")
class RunsSlowToolsAgain(Runner):
    async def run(self, function: Callable[[], Awaitable[Any]]) -> Any:
        try:
            async with asyncio.timeout(3):
                return await function()
        except TimeoutError:
            return await function()
