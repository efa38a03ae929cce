"""Several providers as one: the first that can answer does.

    provider = FallbackProvider([OpenAIProvider(), OpenAIProvider(api_key=second), CodexCLIProvider()])
    reply = await provider.start_session("מה השעה?", instructions="ענה במשפט אחד")

A call stays with whoever has answered it, for that is where its thread is. When that one fails,
the next one is told what was said so far.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Any, Final

from yemot_ai.errors import (
    AnswerEmptyError,
    AuthenticationError,
    CodexNotFoundError,
    ConfigurationError,
    ContextOverflowError,
    MalformedStreamError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    SessionLostError,
    UnknownModelError,
)
from yemot_ai.errors.unexpected import UNEXPECTED, contain
from yemot_ai.providers.chat_history import ChatHistory
from yemot_ai.providers.fallback_session import FallbackSession
from yemot_ai.providers.provider import JSON, Exchange, Provider, Reply, SupportsAclose, SupportsEndSession
from yemot_ai.providers.ways import AskMode, ask_streaming, ask_whole

__all__ = ["FallbackProvider"]

log = logging.getLogger("yemot_ai")

MAX_EXCHANGES_AFTER_OVERFLOW: Final = 6
"""How many of the last exchanges a thread begins anew with when the whole does not fit."""

_COOLDOWN_ERRORS: Final = (
    AuthenticationError,
    CodexNotFoundError,
    OverloadedError,
    ProviderCrashError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    UnknownModelError,
)
"""What tells that the next question would fail as well."""


class FallbackProvider:
    """Asks the first of several providers that is not cooling down, and the next one when it fails.

    A session is ``{"entry": …, "name": …, "session": …, "history": …, "left": …}``: whose thread it is,
    that provider's own session, what was said, and the threads that were left behind.

    Args:
        providers: who may answer, in order; several keys of one service are several providers.
        timeout: seconds for a whole turn; each of those that may be asked has an equal share of
            what is left.
        cooldown: seconds for which one that is out of order is not asked, unless its refusal
            names others (``Retry-After``).
        now: a clock, in seconds; the event loop's unless given.

    Raises:
        ConfigurationError: there is no provider, or something that is none.
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
        self._cooldown = cooldown
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self._cooling_until: dict[int, float] = {}

    @property
    def engine(self) -> Any:  # noqa: ANN401 - engines are above providers; whoever brings one knows
        """The engine that one of the providers brings along (a double's, with virtual time), or None."""
        return next((found for one in self.providers if (found := getattr(one, "engine", None))), None)

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        """Answer the first utterance.

        Raises:
            ProviderError: nobody could; the last one's error, with the others' in its notes.
        """
        return await _last_reply(
            self._ask(FallbackSession(ChatHistory.from_exchanges(history)), prompt, instructions, ask_whole)
        )

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        """Answer a further utterance.

        Raises:
            SessionLostError: ``session`` is not of a ``FallbackProvider``.
            ProviderError: as in ``start_session``.
        """
        relay = FallbackSession.from_json(session, provider=self.name)
        return await _last_reply(self._ask(relay, prompt, instructions, ask_whole))

    async def stream(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> AsyncIterator[str | Reply]:
        """Answer piece by piece; once something was said, nobody else is asked.

        Raises:
            ProviderError: as in the other two methods, also when the answer breaks off.
        """
        said = FallbackSession(ChatHistory.from_exchanges(history))
        relay = said if session is None else FallbackSession.from_json(session, provider=self.name)
        async with aclosing(self._ask(relay, prompt, instructions, ask_streaming)) as parts:
            async for part in parts:
                yield part

    async def end_session(self, session: JSON) -> None:
        """Let every provider that had a thread of this conversation forget it.

        Raises:
            ExceptionGroup: of those that could not.
        """
        threads = self._known_threads(FallbackSession.from_json(session, provider=self.name))
        ends = [(self.providers[at], thread) for at, _, thread in threads]
        await _await_all(
            one.end_session(thread) for one, thread in ends if isinstance(one, SupportsEndSession)
        )

    async def aclose(self) -> None:
        """Close all providers.

        Raises:
            ExceptionGroup: of those that could not.
        """
        distinct = {id(provider): provider for provider in self.providers}.values()
        await _await_all(provider.aclose() for provider in distinct if isinstance(provider, SupportsAclose))

    async def _ask(
        self, session: FallbackSession, prompt: str, instructions: str | None, mode: AskMode
    ) -> AsyncGenerator[str | Reply]:
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._timeout
        failures: list[ProviderError] = []
        order = self._order(session)
        for place, entry in enumerate(order):
            share = (ends - loop.time()) / (len(order) - place)
            begun = False
            try:
                async for part in self._ask_one(entry, session, prompt, instructions, mode, share, ends):
                    begun = True
                    yield part
            except ProviderError as error:
                if isinstance(error, ContextOverflowError):
                    raise _with_notes(error, failures) from None
                self._record_failure(entry, error)
                if begun:  # whoever asks once more, before anybody has heard it, asks another one
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
        mode: AskMode,
        seconds: float,
        deadline: float,
    ) -> AsyncIterator[str | Reply]:
        """Ask one of them.

        Args:
            index: whom.
            session: who has the conversation.
            prompt: what the caller said.
            instructions: how to answer.
            mode: whole, or piece by piece.
            seconds: until it must have begun to answer.
            deadline: when it must have answered.
        """
        provider = self.providers[index]
        until = asyncio.get_running_loop().time() + seconds
        async with aclosing(self._answer(index, session, prompt, instructions, mode)) as parts:
            while True:
                try:
                    async with asyncio.timeout_at(until):
                        part, goes_on = await anext(parts)
                except ProviderError:
                    raise
                except TimeoutError as error:
                    raise ProviderTimeoutError(seconds=seconds, provider=provider.name) from error
                except StopAsyncIteration:
                    message = f"{provider.name} ended without a reply"
                    raise MalformedStreamError(message, provider=provider.name) from None
                except UNEXPECTED as error:  # one provider's bug is what the others are there for
                    raise contain(error, source=provider.name, provider=provider.name) from None
                if isinstance(part, Reply):
                    yield self._wrap_reply(index, session, prompt, part, same_thread=goes_on)
                    return
                yield part
                until = deadline  # nobody else will be asked: the time of all is its own

    def _wrap_reply(
        self, index: int, session: FallbackSession, prompt: str, reply: Reply, *, same_thread: bool
    ) -> Reply:
        name = self.providers[index].name
        if not reply.text.strip():
            raise AnswerEmptyError(f"{name} answered without text", provider=name)
        self._cooling_until.pop(index, None)
        if same_thread:
            after = session.with_session(reply.session)
        else:
            after = session.moved_to(index, name, reply.session, left_threads=self._known_threads(session))
        return Reply(reply.text, after.with_exchange(prompt, reply.text).to_json(), reply.usage)

    async def _answer(
        self, index: int, session: FallbackSession, prompt: str, instructions: str | None, mode: AskMode
    ) -> AsyncGenerator[tuple[str | Reply, bool]]:
        """Yield the parts, each with whether they go on in the thread that the relay has."""
        provider, history = self.providers[index], session.history.exchanges
        if session.provider_index == index and session.provider_name == provider.name:
            try:
                async for part in mode(provider, session.provider_session, prompt, instructions, ()):
                    yield part, True
            except SessionLostError:
                log.warning("%s has lost a conversation; rebuilding it", provider.name)
            except ContextOverflowError:
                history = history[-MAX_EXCHANGES_AFTER_OVERFLOW:]
            else:
                return
        async for part in _start_thread(mode, provider, prompt, instructions, history):
            yield part, False

    def _order(self, session: FallbackSession) -> list[int]:
        """Return who is asked: whoever has the thread, the others in order, at last the least bad."""
        entries = sorted(range(len(self.providers)), key=lambda entry: entry != session.provider_index)
        now = self._now()
        cooling = [entry for entry in entries if self._cooling_until.get(entry, now) > now]
        least_bad = sorted(cooling, key=lambda entry: self._cooling_until[entry])[:1]
        return [entry for entry in entries if entry not in cooling] + least_bad

    def _record_failure(self, index: int, error: ProviderError) -> None:
        log.warning("%s: %s (%s)", self.providers[index].name, error.kind, error)
        if isinstance(error, _COOLDOWN_ERRORS):
            told = error.retry_after if isinstance(error, RateLimitedError) else None
            self._cooling_until[index] = self._now() + (self._cooldown if told is None else told)

    def _known_threads(self, fallback_session: FallbackSession) -> list[tuple[int, str, JSON]]:
        """Return the threads that a provider of ours keeps something of; our list may have changed since."""
        return [
            (entry, name, session)
            for entry, name, session in fallback_session.threads
            if 0 <= entry < len(self.providers)
            and self.providers[entry].name == name
            and isinstance(self.providers[entry], SupportsEndSession)
        ]


async def _start_thread(
    mode: AskMode, provider: Provider, prompt: str, instructions: str | None, history: Sequence[Exchange]
) -> AsyncIterator[str | Reply]:
    """Begin a thread, and again with less to remember where all of it does not fit."""
    try:
        async for part in mode(provider, None, prompt, instructions, history):
            yield part
    except ContextOverflowError:
        if len(history) <= MAX_EXCHANGES_AFTER_OVERFLOW:
            raise
    else:
        return
    async for part in mode(provider, None, prompt, instructions, history[-MAX_EXCHANGES_AFTER_OVERFLOW:]):
        yield part


async def _last_reply(parts: AsyncGenerator[str | Reply]) -> Reply:
    async with aclosing(parts):
        async for part in parts:
            if isinstance(part, Reply):
                return part
    raise AssertionError("asking ends with a reply or an error")  # pragma: no cover


def _with_notes(error: ProviderError, others: Sequence[ProviderError]) -> ProviderError:
    for other in others:
        error.add_note(f"before it, {other.provider or 'a provider'} failed ({other.kind}): {other}")
    return error


async def _await_all(calls: Iterable[Awaitable[None]]) -> None:
    """Await all of them, even if some fail, and raise what failed as a group."""
    failed = [error for error in await asyncio.gather(*map(_failure_of, calls)) if error is not None]
    if failed:
        raise ExceptionGroup("not all providers could let go", failed)


async def _failure_of(call: Awaitable[None]) -> Exception | None:
    """Await ``call`` and return what it raised; an exit would otherwise leave its task for the event loop."""
    try:
        await call
    except UNEXPECTED as error:  # one that fails must not keep the others from being called
        return error if isinstance(error, Exception) else contain(error, source="a provider")
    return None
