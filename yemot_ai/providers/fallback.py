"""Use several providers as one: the next one answers when the first fails.

    provider = FallbackProvider([OpenAIProvider(), OpenAIProvider(api_key=second), CodexCLIProvider()])
    ai = YemotAI(provider=provider)

A call stays with the provider that answered it last, because that provider has the thread. When it
fails, the next provider gets the history, and what tools have returned in the turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from yemot_ai.errors import (
    AnswerEmptyError,
    ConfigurationError,
    ContextOverflowError,
    MalformedStreamError,
    ProviderError,
    ProviderTimeoutError,
    RefusedRequestError,
    SessionLostError,
)
from yemot_ai.errors.unexpected import UNEXPECTED, contain
from yemot_ai.providers.adapter import AnyProvider, as_provider
from yemot_ai.providers.chat_history import ChatHistory, history_to_rebuild
from yemot_ai.providers.cooldown import Cooldown
from yemot_ai.providers.fallback_session import FallbackSession
from yemot_ai.providers.fallback_tools import last_caller, owned_calls, tools_for, without_states
from yemot_ai.providers.provider import (
    JSON,
    AnswerPart,
    Exchange,
    Provider,
    Reply,
    SupportsAclose,
    SupportsEndSession,
    ToolCalls,
    ToolRequest,
    close_parts,
)
from yemot_ai.providers.refusals.quoted_words import hide_words
from yemot_ai.providers.sdk.settings import check_seconds
from yemot_ai.providers.sdk.tools import said_in_turn, tool_words

__all__ = ["FallbackProvider"]

log = logging.getLogger("yemot_ai")


@dataclass(frozen=True, slots=True)
class _Turn:
    """What to ask.

    Attributes:
        session: the conversation so far.
        prompt: what the caller said.
        instructions: how to answer.
        stream: whether pieces are wanted.
        tools: the tools, and what they have returned in this turn.
        refused: whether a provider has refused the words: they stay out of the history, which it may get.
    """

    session: FallbackSession
    prompt: str
    instructions: str | None
    stream: bool
    tools: ToolRequest | None = None
    refused: bool = False

    @property
    def words(self) -> list[str]:
        """What was said: no error quotes it."""
        exchanges = self.session.history.exchanges
        said = (text for each in exchanges for text in (each.prompt, each.answer))
        return [self.prompt, *said, *tool_words(self.tools)]


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
            unless its error has ``retry_after``: then for as long, at most a day.
        now: a clock, in seconds; the event loop's by default.

    Raises:
        ConfigurationError: ``providers`` is empty, or has an object that is no provider; or a time is none.
    """

    name = "fallback"

    def __init__(
        self,
        providers: Iterable[AnyProvider],
        *,
        timeout: float = 50.0,
        cooldown: float = 30.0,
        now: Callable[[], float] | None = None,
    ) -> None:
        self.providers = tuple(map(as_provider, providers))
        self.streams = any(provider.streams for provider in self.providers)
        self.takes_tools = all(getattr(provider, "takes_tools", False) for provider in self.providers)
        if not self.providers:
            raise ConfigurationError("FallbackProvider needs at least one provider")
        check_seconds("timeout", timeout)
        check_seconds("cooldown", cooldown, zero=True)
        self._timeout = timeout
        self._cooldown = Cooldown(cooldown, now)

    @property
    def engine(self) -> Any:  # noqa: ANN401 - the engine's type belongs to a higher folder
        """The engine that one of the providers has (a double's, with virtual time), or None."""
        engines = (getattr(provider, "engine", None) for provider in self.providers)
        return next(filter(None, engines), None)

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
        """Answer an utterance, or call tools; after the first piece no other provider is tried.

        The provider that has called tools gets their results, unless it fails.

        Raises:
            SessionLostError: ``session`` is not of a ``FallbackProvider``.
            RefusedRequestError: every provider failed, and one because it refuses the words.
            ProviderError: every provider failed; the last error, with the others in its notes.
        """
        new = FallbackSession(ChatHistory.from_exchanges(history))
        own = new if session is None else FallbackSession.from_json(session, provider=self.name)
        turn = _Turn(own, prompt, instructions, stream, tools)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        failures: list[ProviderError] = []
        caller = last_caller(tools)
        first = own.provider_index if caller is None else caller
        order = self._cooldown.order(len(self.providers), first=first)
        for place, index in enumerate(order):
            share = (deadline - loop.time()) / (len(order) - place)
            started = False
            try:
                async with aclosing(self._ask_one(index, turn, share, deadline)) as parts:
                    async for part in parts:
                        started = True
                        yield part
            except ProviderError as error:
                if isinstance(error, ContextOverflowError):
                    raise _with_notes(error, failures) from None
                hide_words(error, turn.words)
                log.warning("%s: %s (%s)", self.providers[index].name, error.kind, error)
                self._cooldown.start(index, error)
                if started:  # a caller that repeats the turn before a piece was heard gets the next provider
                    raise _with_notes(error, failures) from None
                failures.append(error)
                turn = replace(turn, refused=turn.refused or isinstance(error, RefusedRequestError))
            else:
                return
        # A retry would ask with the same words again.
        refused = (n for n, error in enumerate(failures) if isinstance(error, RefusedRequestError))
        place = next(refused, len(failures) - 1)
        raise _with_notes(failures[place], failures[:place], failures[place + 1 :])

    async def end_session(self, session: JSON) -> None:
        """Delete the threads of this conversation at every provider that has one.

        A session of another provider, as a store may have one, has nothing to delete.

        Raises:
            ExceptionGroup: the errors of the providers that failed.
        """
        try:
            own = FallbackSession.from_json(session, provider=self.name)
        except SessionLostError:
            return
        threads = self._deletable_threads(own)
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
        closers = dict.fromkeys(each.aclose for each in self.providers if isinstance(each, SupportsAclose))
        await _await_all(aclose() for aclose in closers)

    async def _ask_one(
        self, index: int, turn: _Turn, seconds: float, deadline: float
    ) -> AsyncGenerator[AnswerPart]:
        """Ask one provider.

        Args:
            index: the provider.
            turn: what to ask.
            seconds: time until the first part.
            deadline: loop time for the whole answer.
        """
        provider = self.providers[index]
        until = asyncio.get_running_loop().time() + seconds
        async with aclosing(
            _ask_or_rebuild(
                provider, _turn_of(index, provider, turn), turn.session.thread_of(index, provider.name)
            )
        ) as parts:
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
                    yield self._wrap_reply(index, turn, part, same_thread=same_thread)
                    return
                if isinstance(part, ToolCalls):
                    self._cooldown.end(index)
                    yield owned_calls(part, index, provider.name)
                    return
                yield part
                until = deadline  # no other provider will be tried, so this one has all the time

    def _wrap_reply(self, index: int, turn: _Turn, reply: Reply, *, same_thread: bool) -> Reply:
        name = self.providers[index].name
        if not reply.text.strip():
            raise AnswerEmptyError(f"{name} answered without text", provider=name)
        self._cooldown.end(index)
        before = turn.session
        left = before.left_threads if same_thread else tuple(self._deletable_threads(before))
        said = said_in_turn(turn.tools, reply.text)
        history = before.history if turn.refused else before.history.with_exchange(turn.prompt, said)
        after = FallbackSession(history, index, name, reply.session, left)
        return replace(reply, session=after.to_json())

    def _deletable_threads(self, session: FallbackSession) -> list[tuple[int, str, JSON]]:
        """Return the threads that a provider of this list can delete; the list may have changed since."""
        return [
            (index, name, thread)
            for index, name, thread in session.threads
            if 0 <= index < len(self.providers)
            and self.providers[index].name == name
            and isinstance(self.providers[index], SupportsEndSession)
        ]


def _turn_of(index: int, provider: Provider, turn: _Turn) -> _Turn:
    """Return a turn as one provider gets it."""
    return turn if turn.tools is None else replace(turn, tools=tools_for(turn.tools, index, provider.name))


async def _ask_or_rebuild(
    provider: Provider, turn: _Turn, thread: JSON
) -> AsyncGenerator[tuple[AnswerPart, bool]]:
    """Yield the parts of an answer, each with whether it belongs to ``thread``.

    A thread that the provider has lost, or that does not fit any more, is rebuilt from the history.
    """
    history: Sequence[Exchange] = turn.session.history.exchanges
    while True:
        started = False
        parts = provider.ask(
            turn.prompt,
            session=thread,
            instructions=turn.instructions,
            history=history if thread is None else (),
            stream=turn.stream,
            **({} if turn.tools is None else {"tools": turn.tools}),
        )
        try:
            async for part in parts:
                started = True
                yield part, thread is not None
        except ProviderError as error:
            shorter = None if started else history_to_rebuild(error, thread, history)
            if shorter is None:
                if isinstance(error, ContextOverflowError) and not history:
                    error.prompt_alone = True  # the conversation must not try it again
                raise
            log.warning("%s: %s; rebuilding the conversation", provider.name, error.kind)
            thread, history = None, shorter
            turn = replace(turn, tools=None if turn.tools is None else without_states(turn.tools))
        else:
            return
        finally:
            await close_parts(parts)


def _with_notes(
    error: ProviderError, before: Sequence[ProviderError], after: Sequence[ProviderError] = ()
) -> ProviderError:
    """Add the errors of the other providers to ``error`` as notes."""
    for when, others in (("before", before), ("after", after)):
        for other in others:
            error.add_note(f"{when} it, {other.provider or 'a provider'} failed ({other.kind}): {other}")
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
