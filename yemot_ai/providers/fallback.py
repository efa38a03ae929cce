"""Use several providers as one: the next one answers when the first fails.

    provider = FallbackProvider([OpenAIProvider(), OpenAIProvider(api_key=second), CodexCLIProvider()])
    reply = await provider.start_session("מה השעה?", instructions="ענה במשפט אחד")

A call stays with the provider that answered it last, because that provider has the thread. When it
fails, the next provider gets the history.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias

from yemot_ai.errors import (
    AnswerEmptyError,
    ConfigurationError,
    ContextOverflowError,
    MalformedStreamError,
    ProviderError,
    ProviderTimeoutError,
    SessionLostError,
)
from yemot_ai.errors.unexpected import UNEXPECTED, contain
from yemot_ai.providers.chat_history import MAX_EXCHANGES_AFTER_OVERFLOW, ChatHistory
from yemot_ai.providers.cooldown import Cooldown
from yemot_ai.providers.fallback_session import FallbackSession
from yemot_ai.providers.provider import (
    JSON,
    Exchange,
    Provider,
    Reply,
    StreamingProvider,
    SupportsAclose,
    SupportsEndSession,
)

__all__ = ["FallbackProvider"]

log = logging.getLogger("yemot_ai")

_Ask: TypeAlias = Callable[
    [Provider, JSON, str, "str | None", Sequence[Exchange]], "AsyncIterator[str | Reply]"
]


class FallbackProvider:
    """Ask the first of several providers that is not cooling down, and the next one when it fails.

    A session is ``{"entry": …, "name": …, "session": …, "history": …, "left": …}``: index and name of
    the provider that has the thread, that provider's session, the history, and the threads that earlier
    providers still keep.

    Args:
        providers: the providers, in order; several keys of one service are several providers.
        timeout: seconds for a whole turn; each provider that is left to try has an equal share of
            the time that is left.
        cooldown: seconds for which a provider is skipped after a failure that would repeat itself,
            unless its error has ``retry_after``.
        now: a clock, in seconds; the event loop's by default.

    Raises:
        ConfigurationError: ``providers`` is empty, or has an object that is not a provider.
    """

    name = "fallback"

    def __init__(
        self,
        providers: Iterable[Provider],
        *,
        timeout: float = 50.0,
        cooldown: float = 30.0,
        now: Callable[[], float] | None = None,
    ) -> None:
        self.providers = tuple(providers)
        for provider in self.providers:
            if not isinstance(provider, Provider):
                raise ConfigurationError(f"FallbackProvider: {provider!r} is no provider")
        if not self.providers:
            raise ConfigurationError("FallbackProvider needs at least one provider")
        self._timeout = timeout
        self._cooldown = Cooldown(cooldown, now)

    @property
    def engine(self) -> Any:  # noqa: ANN401 - the engine's type belongs to a higher folder
        """The engine that one of the providers has (a double's, with virtual time), or None."""
        engines = (getattr(provider, "engine", None) for provider in self.providers)
        return next(filter(None, engines), None)

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        """Answer the first utterance.

        Raises:
            ProviderError: every provider failed; the last error, with the others in its notes.
        """
        session = FallbackSession(ChatHistory.from_exchanges(history))
        return await _last_reply(self._ask(session, prompt, instructions, _ask_whole))

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        """Answer a further utterance.

        Raises:
            SessionLostError: ``session`` is not of a ``FallbackProvider``.
            ProviderError: as in ``start_session``.
        """
        own = FallbackSession.from_json(session, provider=self.name)
        return await _last_reply(self._ask(own, prompt, instructions, _ask_whole))

    async def stream(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> AsyncIterator[str | Reply]:
        """Answer piece by piece; after the first piece no other provider is tried.

        Raises:
            SessionLostError: ``session`` is not of a ``FallbackProvider``.
            ProviderError: as in the other two methods, also when the answer breaks off.
        """
        new = FallbackSession(ChatHistory.from_exchanges(history))
        own = new if session is None else FallbackSession.from_json(session, provider=self.name)
        async with aclosing(self._ask(own, prompt, instructions, _ask_streaming)) as parts:
            async for part in parts:
                yield part

    async def end_session(self, session: JSON) -> None:
        """Delete the threads of this conversation at every provider that has one.

        Raises:
            ExceptionGroup: the errors of the providers that failed.
        """
        threads = self._deletable_threads(FallbackSession.from_json(session, provider=self.name))
        ends = [(self.providers[index], thread) for index, _, thread in threads]
        await _await_all(
            provider.end_session(thread)
            for provider, thread in ends
            if isinstance(provider, SupportsEndSession)
        )

    async def aclose(self) -> None:
        """Close all providers.

        Raises:
            ExceptionGroup: the errors of the providers that failed.
        """
        distinct = {id(provider): provider for provider in self.providers}.values()
        await _await_all(provider.aclose() for provider in distinct if isinstance(provider, SupportsAclose))

    async def _ask(
        self, session: FallbackSession, prompt: str, instructions: str | None, ask: _Ask
    ) -> AsyncGenerator[str | Reply]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        failures: list[ProviderError] = []
        order = self._cooldown.order(len(self.providers), first=session.provider_index)
        for place, index in enumerate(order):
            share = (deadline - loop.time()) / (len(order) - place)
            started = False
            try:
                async for part in self._ask_one(index, session, prompt, instructions, ask, share, deadline):
                    started = True
                    yield part
            except ProviderError as error:
                if isinstance(error, ContextOverflowError):
                    raise _with_notes(error, failures) from None
                log.warning("%s: %s (%s)", self.providers[index].name, error.kind, error)
                self._cooldown.start(index, error)
                if started:  # a caller that repeats the turn before a piece was heard gets the next provider
                    raise _with_notes(error, failures) from None
                failures.append(error)
            else:
                return
        raise _with_notes(failures.pop(), failures)

    async def _ask_one(  # noqa: PLR0913, PLR0917 - one place calls it
        self,
        index: int,
        session: FallbackSession,
        prompt: str,
        instructions: str | None,
        ask: _Ask,
        seconds: float,
        deadline: float,
    ) -> AsyncIterator[str | Reply]:
        """Ask one provider.

        Args:
            index: the provider.
            session: the conversation so far.
            prompt: what the caller said.
            instructions: how to answer.
            ask: for the whole answer, or piece by piece.
            seconds: time until the first part.
            deadline: loop time for the whole answer.
        """
        provider = self.providers[index]
        until = asyncio.get_running_loop().time() + seconds
        async with aclosing(self._answer(index, session, prompt, instructions, ask)) as parts:
            while True:
                try:
                    async with asyncio.timeout_at(until):
                        part, same_thread = await anext(parts)
                except ProviderError:
                    raise
                except TimeoutError as error:
                    raise ProviderTimeoutError(seconds=seconds, provider=provider.name) from error
                except StopAsyncIteration:
                    message = f"{provider.name} ended without a reply"
                    raise MalformedStreamError(message, provider=provider.name) from None
                except UNEXPECTED as error:  # a bug in one provider is a reason to try the next
                    raise contain(error, source=provider.name, provider=provider.name) from None
                if isinstance(part, Reply):
                    yield self._wrap_reply(index, session, prompt, part, same_thread=same_thread)
                    return
                yield part
                until = deadline  # no other provider will be tried, so this one has all the time

    def _wrap_reply(
        self, index: int, session: FallbackSession, prompt: str, reply: Reply, *, same_thread: bool
    ) -> Reply:
        name = self.providers[index].name
        if not reply.text.strip():
            raise AnswerEmptyError(f"{name} answered without text", provider=name)
        self._cooldown.end(index)
        if same_thread:
            after = session.with_session(reply.session)
        else:
            left = self._deletable_threads(session)
            after = session.moved_to(index, name, reply.session, left_threads=left)
        return Reply(reply.text, after.with_exchange(prompt, reply.text).to_json(), reply.usage)

    async def _answer(
        self, index: int, session: FallbackSession, prompt: str, instructions: str | None, ask: _Ask
    ) -> AsyncGenerator[tuple[str | Reply, bool]]:
        """Yield the parts, each with whether it belongs to the thread of ``session``."""
        provider, history = self.providers[index], session.history.exchanges
        if session.provider_index == index and session.provider_name == provider.name:
            try:
                async for part in ask(provider, session.provider_session, prompt, instructions, ()):
                    yield part, True
            except SessionLostError:
                log.warning("%s has lost a conversation; rebuilding it", provider.name)
            except ContextOverflowError:
                history = history[-MAX_EXCHANGES_AFTER_OVERFLOW:]
            else:
                return
        async for part in _start_thread(ask, provider, prompt, instructions, history):
            yield part, False

    def _deletable_threads(self, session: FallbackSession) -> list[tuple[int, str, JSON]]:
        """Return the threads that a provider of this list can delete; the list may have changed since."""
        return [
            (index, name, thread)
            for index, name, thread in session.threads
            if 0 <= index < len(self.providers)
            and self.providers[index].name == name
            and isinstance(self.providers[index], SupportsEndSession)
        ]


async def _ask_whole(
    provider: Provider,
    session: JSON,
    prompt: str,
    instructions: str | None,
    history: Sequence[Exchange],
) -> AsyncIterator[str | Reply]:
    """Yield the reply; start a session if ``session`` is None."""
    if session is None:
        yield await provider.start_session(prompt, instructions=instructions, history=history)
    else:
        yield await provider.continue_session(session, prompt, instructions=instructions)


async def _ask_streaming(
    provider: Provider,
    session: JSON,
    prompt: str,
    instructions: str | None,
    history: Sequence[Exchange],
) -> AsyncIterator[str | Reply]:
    """Yield the pieces and the reply of a provider that streams; otherwise only the reply."""
    if isinstance(provider, StreamingProvider):
        parts = provider.stream(session, prompt, instructions=instructions, history=history)
    else:
        parts = _ask_whole(provider, session, prompt, instructions, history)
    async for part in parts:
        yield part


async def _start_thread(
    ask: _Ask, provider: Provider, prompt: str, instructions: str | None, history: Sequence[Exchange]
) -> AsyncIterator[str | Reply]:
    """Start a thread, and again with less history if the whole does not fit."""
    try:
        async for part in ask(provider, None, prompt, instructions, history):
            yield part
    except ContextOverflowError:
        if len(history) <= MAX_EXCHANGES_AFTER_OVERFLOW:
            raise
    else:
        return
    async for part in ask(provider, None, prompt, instructions, history[-MAX_EXCHANGES_AFTER_OVERFLOW:]):
        yield part


async def _last_reply(parts: AsyncGenerator[str | Reply]) -> Reply:
    async with aclosing(parts):
        async for part in parts:
            if isinstance(part, Reply):
                return part
    raise AssertionError("asking ends with a reply or an error")  # pragma: no cover


def _with_notes(error: ProviderError, others: Sequence[ProviderError]) -> ProviderError:
    """Add the errors of the other providers to ``error`` as notes."""
    for other in others:
        error.add_note(f"before it, {other.provider or 'a provider'} failed ({other.kind}): {other}")
    return error


async def _await_all(calls: Iterable[Awaitable[None]]) -> None:
    """Await all calls, even if some fail, and raise the errors as a group."""
    failed = [error for error in await asyncio.gather(*map(_failure_of, calls)) if error is not None]
    if failed:
        raise ExceptionGroup("not all providers succeeded", failed)


async def _failure_of(call: Awaitable[None]) -> Exception | None:
    """Await ``call`` and return its exception; an exit would otherwise leave its task for the event loop."""
    try:
        await call
    except UNEXPECTED as error:  # one failure must not keep the other calls from being awaited
        return error if isinstance(error, Exception) else contain(error, source="a provider")
    return None
