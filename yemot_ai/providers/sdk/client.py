"""A client of a model service's SDK, with a deadline for each request.

Measured on openai 3.54 and anthropic 2.12: importing an SDK takes 0.6 to 1.1 s, its client is bound to
the event loop on which it was first used, its timeout counts per read, and its retries sleep through a
``Retry-After`` of up to 120 s. ``ServiceClient`` avoids all of these.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from types import ModuleType
from typing import Any, Final, Protocol, TypeVar
from urllib.request import getproxies

from yemot_ai.errors import ProviderError
from yemot_ai.providers.answer_filter import AnswerFilter
from yemot_ai.providers.provider import AnswerPart, Reply, ToolCalls
from yemot_ai.providers.refusals import is_whole_body
from yemot_ai.providers.refusals.quoted_words import hide_words
from yemot_ai.providers.sdk.answer_text import AnswerText
from yemot_ai.providers.sdk.errors import ServiceErrors
from yemot_ai.providers.sdk.service import Service
from yemot_ai.providers.sdk.settings import check_seconds
from yemot_ai.providers.sdk.stream_end import watch_done
from yemot_ai.providers.sdk.warmup import warm_up
from yemot_ai.providers.surrogates import replace_surrogates

__all__ = ["AsyncSDKClient", "ServiceClient", "StreamAccumulator"]

T = TypeVar("T")

log = logging.getLogger("yemot_ai")

USAGE_WAIT: Final = 0.5
"""Seconds to wait for the usage of an answer that is whole, or for the end of its stream."""

REST_WAIT: Final = 0.1
"""Seconds to read the rest of a response, so that its connection can be used again."""

FILTER_SIZE: Final = 200_000
"""Characters that are filtered at once, while all callers of the process wait."""

_MALFORMED: Final = (
    AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError,
)  # fmt: skip
"""Errors of reading a response that breaks the SDK's types; the SDK does not check it."""

_TRANSPORTS: Final = frozenset({"httpx", "httpx2", "httpcore", "httpcore2"})
"""The HTTP libraries of the SDKs."""


class AsyncSDKClient(Protocol):
    """The methods that every SDK's asynchronous client has."""

    async def close(self) -> None:
        """Close the connections."""
        ...


class StreamAccumulator(Protocol):
    """Builds a response from the events of its stream.

    Attributes:
        ended: whether the text has ended.
        complete: whether no later event is needed.
        response: the response, once the text has ended.
    """

    @property
    def ended(self) -> bool: ...  # noqa: D102 - see above

    @property
    def complete(self) -> bool: ...  # noqa: D102 - see above

    @property
    def response(self) -> Any: ...  # noqa: ANN401, D102 - one of the SDK's types; see above

    def feed(self, event: Any) -> str:  # noqa: ANN401 - an event of the SDK's
        """Add the next event; return its part of the answer."""
        ...


class ServiceClient:
    """Sends requests to a service through its SDK.

    Attributes:
        errors: makes the errors of this service.

    Args:
        service: the service.
        module: the module of the SDK that the API needs, imported with it.
        key: the key; it never appears in an error.
        model: the model's name, for errors.
        base_url: another server with the same API.
        timeout: seconds for one answer, from the first byte sent to the last one read.
        thought_end: the mark before which the model thinks, if it writes no beginning of its thoughts.
    """

    def __init__(  # noqa: PLR0913 - each is a separate option
        self,
        service: Service,
        *,
        module: str,
        key: str,
        model: str,
        base_url: str | None,
        timeout: float,
        thought_end: str = "",
    ) -> None:
        check_seconds("timeout", timeout)
        self.service = service
        self.model = model
        self._module = module
        self._key = key
        self._base_url = base_url
        self._timeout = timeout
        self._texts = AnswerText(model, thought_end)
        self._client: AsyncSDKClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Task[AsyncSDKClient] | None = None
        self.errors = ServiceErrors(service, key=key, model=model, timeout=timeout)

    async def ask(self, request: Callable[[Any], Awaitable[Any]], parse: Callable[[Any], T]) -> T:
        """Call ``request(client)`` and return the response, parsed by ``parse``.

        Raises:
            ProviderError: one of its subclasses.
        """
        client = await self.open_client(request)
        return self._parse(await self._until(self._deadline(), request(client)), parse)

    async def answer(
        self,
        request: Callable[[Any], Awaitable[Any]],
        accumulator: StreamAccumulator | None,
        parse: Callable[[Any], Reply | ToolCalls],
        words: Sequence[str],
    ) -> AsyncGenerator[AnswerPart]:
        """Call ``request(client)``; leaving the iteration closes its stream.

        Args:
            request: returns the response, or the SDK's stream of events.
            accumulator: builds the response from the events; None without a stream.
            parse: makes the reply of the response, with ``without_thoughts``, or the calls of tools.
            words: the texts of the request; no error quotes them.

        Yields:
            Pieces of text, and last the reply, or calls of tools.

        Raises:
            ProviderError: as ``ask`` does; also after some pieces, if the stream breaks off.
        """
        try:
            async with aclosing(self._answer(request, accumulator, parse)) as parts:
                async for part in parts:
                    yield part
        except ProviderError as error:
            hide_words(error, words)
            raise

    async def _answer(
        self,
        request: Callable[[Any], Awaitable[Any]],
        accumulator: StreamAccumulator | None,
        parse: Callable[[Any], Reply | ToolCalls],
    ) -> AsyncGenerator[AnswerPart]:
        if accumulator is None:
            yield await self.ask(request, parse)
            return
        client = await self.open_client(request)
        deadline = self._deadline()
        events = await self._until(deadline, request(client))
        if isinstance(events, str):
            raise self.service.malformed_error("a page instead of a stream")
        if is_whole_body(events.response):
            body = await self._until(deadline, events.response.aread())
            raise self.errors.found_in(
                body.decode(errors="replace"), self.service.malformed_error("no stream")
            )
        count, last, done = 0, None, watch_done(events)
        answer_filter = self._texts.stream_filter()
        try:
            # One event at a time: between them the consumer does other work.
            while (event := await self._next_event(events, accumulator, deadline)) is not None:
                count, last = count + 1, event
                text = self._parse(event, lambda event: replace_surrogates(accumulator.feed(event)))
                if piece := await _filter(answer_filter, text):
                    yield piece
            if not count:
                raise self.service.malformed_error("no event in the stream")
            if not accumulator.ended and not done.seen:
                raise self.errors.found_in(
                    last, self.errors.cut_off("the stream ended before the answer did")
                )
            answer = self._parse(accumulator.response, parse)
            if rest := answer_filter.finish(cut=_is_unfinished(answer)):
                yield rest
            yield answer
        finally:
            await self._close(events, accumulator)
            await done.aclose()

    async def _next_event(self, events: Any, accumulator: StreamAccumulator, deadline: float) -> Any:  # noqa: ANN401 - the SDK's stream, and an event of it
        """Return the next event, or None after the last one that is needed."""
        if accumulator.complete:
            return None
        if not accumulator.ended:
            return await self._until(deadline, anext(events, None))
        try:
            return await self._until(min(deadline, self._now() + USAGE_WAIT), anext(events, None))
        except ProviderError as error:
            log.debug("the answer of %s is whole, but its stream did not end: %s", self.service.title, error)
            return None

    async def _close(self, events: Any, accumulator: StreamAccumulator) -> None:  # noqa: ANN401 - the SDK's stream
        """Close the stream; after a whole answer keep its connection, if the server ends the response."""
        try:
            if accumulator.complete:
                await self._until(self._now() + REST_WAIT, _read_rest(events))
        except ProviderError as error:
            log.debug("%s did not end its response: %s", self.service.title, error)
        finally:
            await events.close()

    async def _until(self, deadline: float, work: Awaitable[Any]) -> Any:  # noqa: ANN401 - what an SDK returns
        """Await ``work`` and turn its errors into ``ProviderError``; cancel it at ``deadline``."""
        try:
            # The SDK's own timeout counts per read; a slow stream would take minutes.
            async with asyncio.timeout_at(deadline):
                return await work
        except TimeoutError as error:
            raise self.errors.timeout() from error
        except (ValueError, RecursionError) as error:  # the SDK does not wrap the errors of json
            raise self.service.malformed_error(type(error).__name__) from error
        except Exception as error:
            sdk = self._sdk()
            if isinstance(error, sdk.APIError):
                # The text of the SDK's error is the body, which may quote the request, or the key.
                is_safe = isinstance(error, sdk.APIConnectionError)
                raise self.errors.from_sdk(sdk, error) from (error if is_safe else None)
            if type(error).__module__.partition(".")[0] not in _TRANSPORTS:
                raise
            # An SDK wraps the transport's errors before the body, not those in a stream.
            raise self.errors.cut_off(type(error).__name__) from error

    def _deadline(self) -> float:
        return self._now() + self._timeout

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def aclose(self) -> None:
        """Close the client; the next request opens a new one."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.close()

    def without_thoughts(self, reply: Reply) -> Reply:
        """Return a reply with the answer only: no thoughts, control tokens and calls of tools.

        Raises:
            AnswerEmptyError: nothing is left.
        """
        text = self._texts.filter_whole(reply.text, cut=_is_unfinished(reply))
        if not text:
            raise self.errors.empty(reply.cut or "only thoughts or calls of tools")
        return replace(reply, text=text)

    def calls_without_thoughts(self, calls: ToolCalls) -> ToolCalls:
        """Return calls of tools with what the model has said before them: no thoughts, and maybe nothing."""
        return replace(calls, text=self._texts.filter_whole(calls.text, cut=_is_unfinished(calls)))

    def _parse(self, response: Any, parse: Callable[[Any], T]) -> T:  # noqa: ANN401 - the SDK does not check its type
        if isinstance(response, str):
            raise self.service.malformed_error("a page instead of JSON")
        try:
            return parse(response)
        except _MALFORMED as error:
            malformed = self.service.malformed_error(type(error).__name__)
            raise self.errors.found_in(response, malformed) from error

    def _sdk(self) -> ModuleType:
        return sys.modules[self.service.name]

    async def open_client(self, request: Callable[[Any], Any]) -> AsyncSDKClient:
        """Return the client of this loop; concurrent first requests share its creation.

        ``request`` is tried without a network first.
        """
        loop = asyncio.get_running_loop()
        if self._client is not None and self._loop is loop:
            return self._client
        opening = self._opening
        if opening is None or opening.done() or opening.get_loop() is not loop:
            # Another loop than before: a forked child's, or one that is not the engine's.
            opening = self._opening = loop.create_task(self._create_client(request))
        return await asyncio.shield(opening)

    async def _create_client(self, request: Callable[[Any], Any]) -> AsyncSDKClient:
        # In a thread, because all calls of this process share this loop.
        client = await asyncio.to_thread(self._build_client, request)
        self._client, self._loop, self._opening = client, asyncio.get_running_loop(), None
        return client

    def _build_client(self, request: Callable[[Any], Any]) -> AsyncSDKClient:
        importlib.import_module(self._module)
        sdk = self._sdk()
        warm_up(sdk, self.service.title, request)
        make: Callable[..., AsyncSDKClient] = getattr(sdk, f"Async{self.service.title}")
        try:
            if getproxies():  # the SDK's client cannot be half made without a trace on standard error
                sdk.DefaultAsyncHttpxClient()
            # The conversation retries; the SDK's retries would sleep during a turn.
            return make(api_key=self._key, base_url=self._base_url, timeout=self._timeout, max_retries=0)
        except Exception as error:
            known = isinstance(error, ImportError | ValueError)
            if not known and type(error).__module__.partition(".")[0] not in _TRANSPORTS:
                raise
            raise self.errors.no_client(error) from error


def _is_unfinished(answer: Reply | ToolCalls) -> bool:
    """Return whether the model has not finished: what it began and did not end is no part of its answer."""
    return isinstance(answer, ToolCalls) or bool(answer.cut)


async def _read_rest(events: Any) -> None:  # noqa: ANN401 - the SDK's stream
    while await anext(events, None) is not None:
        pass


async def _filter(answer_filter: AnswerFilter, text: str) -> str:
    """Feed the filter; of megabytes only a part before other callers have their turn."""
    pieces = []
    for start in range(0, len(text), FILTER_SIZE):
        if start:
            await asyncio.sleep(0)
        pieces.append(answer_filter.feed(text[start : start + FILTER_SIZE]))
    return "".join(pieces)
