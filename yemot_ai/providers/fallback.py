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
from yemot_ai.providers.chat_history import Transcript
from yemot_ai.providers.fallback_session import Relay
from yemot_ai.providers.provider import JSON, Closing, Exchange, Forgetful, Provider, Reply
from yemot_ai.providers.ways import Way, streamed, whole

__all__ = ["FallbackProvider"]

log = logging.getLogger("yemot_ai")

KEPT_AFTER_OVERFLOW: Final = 6
"""How many of the last exchanges a thread begins anew with when the whole does not fit."""

_OUT_OF_ORDER: Final = (
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
        self._cool_at: dict[int, float] = {}

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
        return await _last(self._ask(Relay(Transcript.of(history)), prompt, instructions, whole))

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        """Answer a further utterance.

        Raises:
            SessionLostError: ``session`` is not of a ``FallbackProvider``.
            ProviderError: as in ``start_session``.
        """
        relay = Relay.read(session, provider=self.name)
        return await _last(self._ask(relay, prompt, instructions, whole))

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
        said = Relay(Transcript.of(history))
        relay = said if session is None else Relay.read(session, provider=self.name)
        async with aclosing(self._ask(relay, prompt, instructions, streamed)) as parts:
            async for part in parts:
                yield part

    async def end_session(self, session: JSON) -> None:
        """Let every provider that had a thread of this conversation forget it.

        Raises:
            ExceptionGroup: of those that could not.
        """
        threads = self._kept(Relay.read(session, provider=self.name))
        ends = [(self.providers[at], thread) for at, _, thread in threads]
        await _each(one.end_session(thread) for one, thread in ends if isinstance(one, Forgetful))

    async def aclose(self) -> None:
        """Close all providers.

        Raises:
            ExceptionGroup: of those that could not.
        """
        distinct = {id(provider): provider for provider in self.providers}.values()
        await _each(provider.aclose() for provider in distinct if isinstance(provider, Closing))

    async def _ask(
        self, relay: Relay, prompt: str, instructions: str | None, how: Way
    ) -> AsyncGenerator[str | Reply]:
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._timeout
        failures: list[ProviderError] = []
        order = self._order(relay)
        for place, entry in enumerate(order):
            share = (ends - loop.time()) / (len(order) - place)
            begun = False
            try:
                async for part in self._ask_one(entry, relay, prompt, instructions, how, share, ends):
                    begun = True
                    yield part
            except ProviderError as error:
                if isinstance(error, ContextOverflowError):
                    raise _with_notes(error, failures) from None
                self._note(entry, error)
                if begun:  # whoever asks once more, before anybody has heard it, asks another one
                    raise _with_notes(error, failures) from None
                failures.append(error)
            else:
                return
        raise _with_notes(failures.pop(), failures)

    async def _ask_one(  # noqa: PLR0913, PLR0917 - one place calls it
        self,
        entry: int,
        relay: Relay,
        prompt: str,
        instructions: str | None,
        how: Way,
        seconds: float,
        ends: float,
    ) -> AsyncIterator[str | Reply]:
        """Ask one of them.

        Args:
            entry: whom.
            relay: who has the conversation.
            prompt: what the caller said.
            instructions: how to answer.
            how: whole, or piece by piece.
            seconds: until it must have begun to answer.
            ends: when it must have answered.
        """
        provider = self.providers[entry]
        until = asyncio.get_running_loop().time() + seconds
        async with aclosing(self._answer(entry, relay, prompt, instructions, how)) as parts:
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
                    yield self._handed_on(entry, relay, prompt, part, goes_on=goes_on)
                    return
                yield part
                until = ends  # nobody else will be asked: the time of all is its own

    def _handed_on(self, entry: int, relay: Relay, prompt: str, reply: Reply, *, goes_on: bool) -> Reply:
        name = self.providers[entry].name
        if not reply.text.strip():
            raise AnswerEmptyError(f"{name} answered without text", provider=name)
        self._cool_at.pop(entry, None)
        if goes_on:
            after = relay.gone_on(reply.session)
        else:
            after = relay.handed_to(entry, name, reply.session, left=self._kept(relay))
        return Reply(reply.text, after.and_then(prompt, reply.text).json(), reply.usage)

    async def _answer(
        self, entry: int, relay: Relay, prompt: str, instructions: str | None, how: Way
    ) -> AsyncGenerator[tuple[str | Reply, bool]]:
        """Yield the parts, each with whether they go on in the thread that the relay has."""
        provider, history = self.providers[entry], relay.said.exchanges
        if relay.entry == entry and relay.name == provider.name:
            try:
                async for part in how(provider, relay.session, prompt, instructions, ()):
                    yield part, True
            except SessionLostError:
                log.warning("%s has lost a conversation; rebuilding it", provider.name)
            except ContextOverflowError:
                history = history[-KEPT_AFTER_OVERFLOW:]
            else:
                return
        async for part in _begun(how, provider, prompt, instructions, history):
            yield part, False

    def _order(self, relay: Relay) -> list[int]:
        """Return who is asked: whoever has the thread, the others in order, at last the least bad."""
        entries = sorted(range(len(self.providers)), key=lambda entry: entry != relay.entry)
        now = self._now()
        cooling = [entry for entry in entries if self._cool_at.get(entry, now) > now]
        least_bad = sorted(cooling, key=lambda entry: self._cool_at[entry])[:1]
        return [entry for entry in entries if entry not in cooling] + least_bad

    def _note(self, entry: int, error: ProviderError) -> None:
        log.warning("%s: %s (%s)", self.providers[entry].name, error.kind, error)
        if isinstance(error, _OUT_OF_ORDER):
            told = error.retry_after if isinstance(error, RateLimitedError) else None
            self._cool_at[entry] = self._now() + (self._cooldown if told is None else told)

    def _kept(self, relay: Relay) -> list[tuple[int, str, JSON]]:
        """Return the threads that a provider of ours keeps something of; our list may have changed since."""
        return [
            (entry, name, session)
            for entry, name, session in relay.threads
            if 0 <= entry < len(self.providers)
            and self.providers[entry].name == name
            and isinstance(self.providers[entry], Forgetful)
        ]


async def _begun(
    how: Way, provider: Provider, prompt: str, instructions: str | None, history: Sequence[Exchange]
) -> AsyncIterator[str | Reply]:
    """Begin a thread, and again with less to remember where all of it does not fit."""
    try:
        async for part in how(provider, None, prompt, instructions, history):
            yield part
    except ContextOverflowError:
        if len(history) <= KEPT_AFTER_OVERFLOW:
            raise
    else:
        return
    async for part in how(provider, None, prompt, instructions, history[-KEPT_AFTER_OVERFLOW:]):
        yield part


async def _last(parts: AsyncGenerator[str | Reply]) -> Reply:
    async with aclosing(parts):
        async for part in parts:
            if isinstance(part, Reply):
                return part
    raise AssertionError("asking ends with a reply or an error")  # pragma: no cover


def _with_notes(error: ProviderError, others: Sequence[ProviderError]) -> ProviderError:
    for other in others:
        error.add_note(f"before it, {other.provider or 'a provider'} failed ({other.kind}): {other}")
    return error


async def _each(calls: Iterable[Awaitable[None]]) -> None:
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
