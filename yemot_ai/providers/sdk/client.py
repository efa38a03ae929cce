"""The connection to a model service: one client of its SDK, and a deadline for each question.

Measured on openai 3.54 and anthropic 2.12: an SDK costs 0.6 to 1.1 s to import, its client is
bound to the event loop it was first used on, its timeout counts per read, and its own retries
sleep through a ``Retry-After`` of up to 120 s. Here none of that reaches a caller.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any, Final, Protocol, TypeVar

from yemot_ai.errors import ProviderCrashError, ProviderError, ProviderTimeoutError
from yemot_ai.providers.provider import Reply
from yemot_ai.providers.sdk.service import ErrorBody, Service
from yemot_ai.providers.sdk.warmup import warm_up
from yemot_ai.providers.surrogates import replace_surrogates

__all__ = ["AsyncSDKClient", "ServiceClient", "StreamAccumulator"]

T = TypeVar("T")

MIN_SECRET_LENGTH: Final = 8
"""Characters: what is shorter is a word such as ``none``, for a server that wants no key."""

_MALFORMED: Final = (
    AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError,
)  # fmt: skip
"""What reading raises where a server sends what the SDK's types do not allow; the SDK checks nothing."""


_TRANSPORTS: Final = frozenset({"httpx", "httpx2", "httpcore", "httpcore2"})
"""The libraries below the SDKs."""


class AsyncSDKClient(Protocol):
    """What every SDK's asynchronous client can do."""

    async def close(self) -> None:
        """Close the connections."""
        ...


class StreamAccumulator(Protocol):
    """What a service is writing, put together from the events of its stream.

    Attributes:
        response: the response as it would have come in one piece; None until it is complete.
    """

    @property
    def response(self) -> Any: ...  # noqa: ANN401, D102 - one of the SDK's types; told above

    def feed(self, event: Any) -> str:  # noqa: ANN401 - an event of the SDK's
        """Take the next event; return what of it the caller may hear."""
        ...


class ServiceClient:
    """Asks a service through its SDK.

    Args:
        service: who is asked.
        client_class: the name of the client's class in the SDK.
        module: the module of the SDK that is used first, imported along with it.
        key: the key; it never appears in an error.
        model: the model's name, for errors.
        base_url: another server that speaks the same API.
        timeout: seconds for one answer, from the first byte sent to the last one read.
    """

    def __init__(  # noqa: PLR0913 - each is a fact of its own
        self,
        service: Service,
        *,
        client_class: str,
        module: str,
        key: str,
        model: str,
        base_url: str | None,
        timeout: float,
    ) -> None:
        self.service = service
        self.model = model
        self._client_class = client_class
        self._module = module
        self._key = key
        self._base_url = base_url
        self._timeout = timeout
        self._client: AsyncSDKClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Task[AsyncSDKClient] | None = None

    async def ask(self, request: Callable[[Any], Awaitable[Any]], parse: Callable[[Any], T]) -> T:
        """Ask by ``question(client)``, and return what ``parse`` makes of the response.

        Raises:
            ProviderError: one of its subclasses says why there is no answer.
        """
        client = await self._open_client(request)
        sdk, ends = self._sdk(), self._deadline()
        async with self._translate_errors(sdk, ends):
            response = await request(client)
        return self._parse(response, parse)

    async def stream(
        self,
        request: Callable[[Any], Awaitable[Any]],
        accumulator: StreamAccumulator,
        parse: Callable[[Any], Reply],
    ) -> AsyncIterator[str | Reply]:
        """Ask for a stream by ``question(client)``; leaving the iteration closes it.

        Args:
            request: asks, and brings the SDK's stream of events.
            accumulator: puts the events together.
            parse: makes the reply of what they come to.

        Yields:
            Pieces of text, and at last the reply.

        Raises:
            ProviderError: as ``ask`` does; also in the middle, when the stream breaks off.
        """
        client = await self._open_client(request)
        sdk, ends = self._sdk(), self._deadline()
        async with self._translate_errors(sdk, ends):
            events = await request(client)
        if isinstance(events, str):
            raise self.service.malformed_error("a page instead of a stream")
        count = 0
        try:
            while (event := await self._next_event(sdk, ends, events)) is not None:
                count += 1
                text = self._parse(event, lambda event: replace_surrogates(accumulator.feed(event)))
                if text:
                    yield text
        finally:
            await events.close()
        if not count:
            raise self.service.malformed_error("no event in the stream")
        if accumulator.response is None:
            raise self._stream_cut_off("the stream ended before the answer did")
        yield self._parse(accumulator.response, parse)

    async def _next_event(self, sdk: ModuleType, deadline: float, events: AsyncIterator[Any]) -> Any:  # noqa: ANN401 - an event of whichever SDK
        # Each wait by itself: whoever reads us does other things in between.
        async with self._translate_errors(sdk, deadline):
            return await anext(events, None)

    @asynccontextmanager
    async def _translate_errors(self, sdk: ModuleType, deadline: float) -> AsyncIterator[None]:
        """Turn what goes wrong inside into our errors; at the time ``deadline`` it has lasted too long."""
        try:
            # The SDK's own timeout counts per read; a trickle would keep a caller for minutes.
            async with asyncio.timeout_at(deadline):
                yield
        except TimeoutError as error:
            raise ProviderTimeoutError(seconds=self._timeout, provider=self.service.name) from error
        except sdk.APIError as error:
            raise self._error_from(sdk, error) from self._safe_cause(error)
        except (ValueError, RecursionError) as error:  # the SDK lets json's own errors out
            raise self.service.malformed_error(type(error).__name__) from error
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in _TRANSPORTS:
                raise
            # An SDK wraps the transport's errors up to the headers, not those in a stream.
            raise self._stream_cut_off(type(error).__name__) from error

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._timeout

    def _stream_cut_off(self, why: str) -> ProviderCrashError:
        message = f"{self.service.title} broke off in the answer ({why})"
        return ProviderCrashError(message, provider=self.service.name)

    async def aclose(self) -> None:
        """Close the client; the next question makes a new one."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.close()

    def error_from_body(self, body: object) -> ProviderError:
        """Return the error for a refusal that came with status 200."""
        return self._error_without_key(ErrorBody.parse(body))

    def _parse(self, response: Any, parse: Callable[[Any], T]) -> T:  # noqa: ANN401 - the SDK promises a type that it does not check
        if isinstance(response, str):
            raise self.service.malformed_error("a page instead of JSON")
        try:
            return parse(response)
        except _MALFORMED as error:
            raise self.service.malformed_error(type(error).__name__) from error

    def _sdk(self) -> ModuleType:
        return sys.modules[self.service.name]

    async def _open_client(self, request: Callable[[Any], Any]) -> AsyncSDKClient:
        """Return the client of this loop; whoever asks first makes it, and the others wait for that."""
        loop = asyncio.get_running_loop()
        if self._client is not None and self._loop is loop:
            return self._client
        making = self._opening
        if making is None or making.done() or making.get_loop() is not loop:
            # Another loop than before: a forked child's, or a caller without our engine.
            making = self._opening = loop.create_task(self._create_client(request))
        return await asyncio.shield(making)

    async def _create_client(self, request: Callable[[Any], Any]) -> AsyncSDKClient:
        # In a thread: all calls of this process run on this loop.
        client = await asyncio.to_thread(self._build_client, request)
        self._client, self._loop, self._opening = client, asyncio.get_running_loop(), None
        return client

    def _build_client(self, request: Callable[[Any], Any]) -> AsyncSDKClient:
        importlib.import_module(self._module)
        sdk = self._sdk()
        warm_up(sdk, self._client_class.removeprefix("Async"), request)
        make: Callable[..., AsyncSDKClient] = getattr(sdk, self._client_class)
        # Retries are the conversation's business: the SDK's would sleep in a caller's turn.
        return make(api_key=self._key, base_url=self._base_url, timeout=self._timeout, max_retries=0)

    def _error_from(self, sdk: ModuleType, error: Any) -> ProviderError:  # noqa: ANN401 - an error of whichever SDK
        if isinstance(error, sdk.APITimeoutError):
            return ProviderTimeoutError(seconds=self._timeout, provider=self.service.name)
        if isinstance(error, sdk.APIConnectionError):
            why = f"{error} ({error.__cause__})" if error.__cause__ else str(error)
            return ProviderCrashError(
                f"no connection to {self.service.title}: {why}", provider=self.service.name
            )
        if not isinstance(error, sdk.APIStatusError):
            return self.error_from_body(error.body or {"message": error.message})
        wait = error.response.headers.get("retry-after")
        return self._error_without_key(
            ErrorBody.parse(error.body, status=error.status_code, retry_after=wait)
        )

    def _error_without_key(self, refusal: ErrorBody) -> ProviderError:
        quoted = self._quotes_key(refusal.message)
        message = refusal.message.replace(self._key, "…") if quoted else refusal.message
        told = ErrorBody(message, refusal.codes, refusal.status, refusal.retry_after)
        return self.service.error_from(told, model=self.model)

    def _safe_cause(self, error: Exception) -> Exception | None:
        """Return what may stand in a traceback: not an error that quotes the key."""
        return None if self._quotes_key(str(error)) else error

    def _quotes_key(self, text: str) -> bool:
        return len(self._key) >= MIN_SECRET_LENGTH and self._key in text
