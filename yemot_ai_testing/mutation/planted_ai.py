"""Plant a fault in the provider or the session store of every ``YemotAI`` of this process."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from yemot_ai import AIFlow, YemotAI
from yemot_ai.providers import JSON, AnswerPart, AnyProvider, Exchange, Provider, ToolRequest
from yemot_ai.providers.adapter import as_provider, forward_optional
from yemot_ai.providers.provider import close_parts
from yemot_ai.sessions import CALLER_KEY_PREFIX, DEFAULT_LEASE, Session, SessionStore
from yemot_ai_testing.mutation.marks import Marks
from yemot_ai_testing.mutation.mutation import ModelQuestion, ProviderFault, StoreFault

__all__ = ["PlantedProvider", "PlantedStore", "plant_provider", "plant_store"]


def plant_provider(fault: ProviderFault, marks: Marks, mutation_id: str) -> None:
    """Plant a fault in each provider that a ``YemotAI`` or an agent gets from now on."""
    module: Any = sys.modules[YemotAI.__module__]
    make = module.make_provider
    module.make_provider = lambda *args, **options: PlantedProvider(
        make(*args, **options), fault, marks, mutation_id
    )
    initialise, add_agent = YemotAI.__init__, AIFlow.ai_agent

    def initialise_planted(ai: YemotAI, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as YemotAI's
        initialise(ai, *args, **options)
        if isinstance(ai.provider, PlantedProvider):
            ai.provider = ai.provider.healthy  # tests may look at it

    def ai_agent(
        flow: AIFlow,
        extension: str,
        *,
        provider: AnyProvider | None = None,
        **options: Any,  # noqa: ANN401 - the other options of an agent
    ) -> Callable[..., Any]:
        planted = (
            None if provider is None else PlantedProvider(as_provider(provider), fault, marks, mutation_id)
        )
        return add_agent(flow, extension, provider=planted, **options)

    ai_class: Any = YemotAI
    flow_class: Any = AIFlow
    ai_class.__init__, flow_class.ai_agent = initialise_planted, ai_agent


def plant_store(fault: StoreFault, marks: Marks, mutation_id: str) -> None:
    """Plant a fault in each store that a ``YemotAI`` gets from now on."""
    module: Any = sys.modules[YemotAI.__module__]
    open_store = module._open_store  # noqa: SLF001 - the only place where each store passes
    module._open_store = lambda *args: PlantedStore(open_store(*args), fault, marks, mutation_id)  # noqa: SLF001 - as above


class PlantedProvider:
    """A provider with a fault.

    Args:
        provider: the healthy provider.
        fault: the fault.
        marks: where it is recorded that the fault has changed something.
        mutation_id: the name of the fault.

    Attributes:
        healthy: the healthy provider.
    """

    def __init__(self, provider: Provider, fault: ProviderFault, marks: Marks, mutation_id: str) -> None:
        self.healthy = provider
        self._fault = fault
        self._marks = marks
        self._mutation_id = mutation_id
        self._count = 0
        self.streams = provider.streams
        forward_optional(provider, self)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any other attribute of the provider
        return getattr(self.healthy, name)

    async def ask(  # noqa: PLR0913 - the arguments of ``ToolProvider.ask``
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
        tools: ToolRequest | None = None,
    ) -> AsyncIterator[AnswerPart]:
        """Ask the provider through the fault."""
        question = ModelQuestion(prompt, session, instructions, tuple(history), stream, tools, self._count)
        self._count += 1
        asked: list[ModelQuestion] = []
        got: list[AnswerPart | BaseException] = []
        given: list[AnswerPart | BaseException] = []
        parts = self._fault(question, lambda changed: self._ask(changed, asked, got))
        try:
            async for part in parts:
                given.append(part)
                self._mark_if(asked != [question] or got[: len(given)] != given)
                yield part
        except Exception as error:
            self._mark_if(not got or got[-1] is not error)
            raise
        finally:
            self._mark_if(asked != [question])
            await close_parts(parts)

    async def _ask(
        self,
        question: ModelQuestion,
        asked: list[ModelQuestion],
        got: list[AnswerPart | BaseException],
    ) -> AsyncIterator[AnswerPart]:
        asked.append(question)
        parts = self.healthy.ask(
            question.prompt,
            session=question.session,
            instructions=question.instructions,
            history=question.history,
            stream=question.stream,
            **({} if question.tools is None else {"tools": question.tools}),
        )
        try:
            async for part in parts:
                got.append(part)
                yield part
        except Exception as error:
            got.append(error)
            raise
        finally:
            await close_parts(parts)

    def _mark_if(self, is_changed: bool) -> None:  # noqa: FBT001 - the condition is the argument
        if is_changed:
            self._marks.reach(self._mutation_id)


class PlantedStore:
    """A session store with a fault; the records of callers and keys that are held stay as they are.

    Args:
        store: the healthy store.
        fault: the fault.
        marks: where it is recorded that the fault has changed something.
        mutation_id: the name of the fault.
    """

    def __init__(self, store: SessionStore, fault: StoreFault, marks: Marks, mutation_id: str) -> None:
        self._store = store
        self._fault = fault
        self._marks = marks
        self._mutation_id = mutation_id

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any other attribute of the store
        return getattr(self._store, name)

    @property
    def immediate(self) -> bool:
        """Whether the store never waits."""
        return self._store.immediate

    async def load(self, call_id: str) -> Session | None:
        """Return what the fault makes of the stored session."""
        session = await self._store.load(self._key(call_id))
        if session is None or call_id.startswith(CALLER_KEY_PREFIX):
            return session
        loaded = self._fault.load(session)
        if loaded is None:
            await self._store.delete(session.call_id)
        self._note(session, loaded)
        return loaded

    async def save(self, session: Session, *, ttl: float) -> Session:
        """Save what the fault makes of a session."""
        if session.call_id.startswith(CALLER_KEY_PREFIX):
            return await self._store.save(session, ttl=ttl)
        changed = self._fault.save(session)
        kept = replace(session if changed is None else changed, call_id=self._key(session.call_id))
        self._note(session, None if changed is None else kept)
        saved = await self._store.save(kept, ttl=ttl)
        if changed is None:
            await self._store.delete(kept.call_id)
        return saved

    async def delete(self, call_id: str) -> None:
        """Delete a session."""
        await self._store.delete(self._key(call_id))

    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> AbstractAsyncContextManager[None]:
        """Return a context with exclusive ownership of a key."""
        return self._store.hold(key, lease=lease)

    def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        """Iterate over the ids of the calls."""
        return self._store.call_ids(idle=idle)

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        """Return which calls have ended."""
        return await self._store.ended(call_ids)

    def _key(self, call_id: str) -> str:
        return call_id if call_id.startswith(CALLER_KEY_PREFIX) else self._fault.key(call_id)

    def _note(self, healthy: Session, changed: Session | None) -> None:
        if changed != healthy:
            self._marks.reach(self._mutation_id)
