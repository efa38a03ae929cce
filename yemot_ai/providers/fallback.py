"""Several providers as one: the first that can answer does.

    provider = FallbackProvider([OpenAIProvider(), OpenAIProvider(api_key=second), CodexCLIProvider()])
    reply = await provider.start_session("מה השעה?", instructions="ענה במשפט אחד")

A call stays with whoever has answered it, for that is where its thread is. When that one fails,
the next one is told what was said so far.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from yemot_ai.errors import (
    AnswerEmptyError,
    AuthenticationError,
    ConfigurationError,
    ContextOverflowError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    SessionLostError,
    UnknownModelError,
)
from yemot_ai.providers.provider import JSON, Closing, Exchange, Forgetful, Provider, Reply
from yemot_ai.providers.relay import Relay
from yemot_ai.providers.transcript import Transcript

__all__ = ["FallbackProvider"]

log = logging.getLogger("yemot_ai")

KEPT_AFTER_OVERFLOW: Final = 6
"""How many of the last exchanges a thread begins anew with when the whole does not fit."""

_OUT_OF_ORDER: Final = (
    AuthenticationError,
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
        return await self._ask(Relay(Transcript.of(history)), prompt, instructions)

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        """Answer a further utterance.

        Raises:
            SessionLostError: ``session`` is not of a ``FallbackProvider``.
            ProviderError: as in ``start_session``.
        """
        return await self._ask(Relay.read(session, provider=self.name), prompt, instructions)

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

    async def _ask(self, relay: Relay, prompt: str, instructions: str | None) -> Reply:
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._timeout
        failures: list[ProviderError] = []
        order = self._order(relay)
        for place, entry in enumerate(order):
            share = (ends - loop.time()) / (len(order) - place)
            try:
                return await self._ask_one(entry, relay, prompt, instructions, share)
            except ContextOverflowError as error:
                raise _with_notes(error, failures) from None
            except ProviderError as error:
                self._note(entry, error)
                failures.append(error)
        raise _with_notes(failures.pop(), failures)

    async def _ask_one(
        self, entry: int, relay: Relay, prompt: str, instructions: str | None, seconds: float
    ) -> Reply:
        provider = self.providers[entry]
        try:
            async with asyncio.timeout(seconds):
                reply, goes_on = await self._answer(entry, relay, prompt, instructions)
        except ProviderError:
            raise
        except TimeoutError as error:
            raise ProviderTimeoutError(seconds=seconds, provider=provider.name) from error
        except Exception as error:  # one provider's bug is what the others are there for
            log.exception("provider %s raised what no provider may raise", provider.name)
            message = f"{provider.name} raised {type(error).__name__}: {error}"
            raise ProviderError(message, provider=provider.name) from error
        if not reply.text.strip():
            raise AnswerEmptyError(f"{provider.name} answered without text", provider=provider.name)
        self._cool_at.pop(entry, None)
        if goes_on:
            after = relay.gone_on(reply.session)
        else:
            after = relay.handed_to(entry, provider.name, reply.session, left=self._kept(relay))
        return Reply(reply.text, after.and_then(prompt, reply.text).json(), reply.usage)

    async def _answer(
        self, entry: int, relay: Relay, prompt: str, instructions: str | None
    ) -> tuple[Reply, bool]:
        """Return the reply, and whether it goes on in the thread that the relay has."""
        provider, history = self.providers[entry], relay.said.exchanges
        if relay.entry == entry and relay.name == provider.name:
            try:
                reply = await provider.continue_session(relay.session, prompt, instructions=instructions)
            except SessionLostError:
                log.warning("%s has lost a conversation; rebuilding it", provider.name)
            except ContextOverflowError:
                history = history[-KEPT_AFTER_OVERFLOW:]
            else:
                return reply, True
        try:
            return await provider.start_session(prompt, instructions=instructions, history=history), False
        except ContextOverflowError:
            if len(history) <= KEPT_AFTER_OVERFLOW:
                raise
        history = history[-KEPT_AFTER_OVERFLOW:]
        return await provider.start_session(prompt, instructions=instructions, history=history), False

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


def _with_notes(error: ProviderError, others: Sequence[ProviderError]) -> ProviderError:
    for other in others:
        error.add_note(f"before it, {other.provider or 'a provider'} failed ({other.kind}): {other}")
    return error


async def _each(deeds: Iterable[Awaitable[None]]) -> None:
    """Do all of them, whichever fails."""
    done = await asyncio.gather(*deeds, return_exceptions=True)
    failed = [result for result in done if isinstance(result, Exception)]
    if failed:
        raise ExceptionGroup("not all providers could let go", failed)
