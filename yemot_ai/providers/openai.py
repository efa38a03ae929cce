"""OpenAI's Responses API as a provider: ``pip install 'yemot-ai[openai]'``.

The conversation lives at OpenAI: each turn names the one before it (``previous_response_id``).
Measured on openai 3.54: instructions are not carried over, a ``status: "failed"`` in a 200 is not
raised, a proxy's HTML page comes back as a plain ``str``, and the SDK sleeps through a
``Retry-After`` of up to 120 s. Here none of that reaches a caller.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from yemot_ai.errors import (
    AnswerEmptyError,
    AuthenticationError,
    ContextOverflowError,
    MalformedStreamError,
    MissingExtraError,
    MissingKeyError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    SessionLostError,
    UnknownModelError,
)
from yemot_ai.providers.provider import JSON, Exchange, Reply, Usage

if TYPE_CHECKING:  # importing the SDK costs 0.6 s: it is done at the first turn
    from openai import APIStatusError, AsyncOpenAI, OpenAIError
    from openai.types.responses import Response

__all__ = ["DEFAULT_MODEL", "OpenAIProvider"]

DEFAULT_MODEL = "gpt-5.5"
"""Asked when neither ``model=`` nor the environment variable ``OPENAI_MODEL`` names another."""

SERVER_ERROR = 500


class OpenAIProvider:
    """Answers through the Responses API.

    Args:
        api_key: ``OPENAI_API_KEY`` unless given.
        model: ``OPENAI_MODEL``, else ``DEFAULT_MODEL``, unless given.
        base_url: another server that speaks the same API.
        timeout: seconds for one answer, from the first byte sent to the last one read.

    Raises:
        MissingExtraError: the SDK is not installed.
        MissingKeyError: there is no key.
    """

    name = "openai"

    def __init__(
        self,
        *,
        api_key: str | None = None,
        model: str | None = None,
        base_url: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        if importlib.util.find_spec("openai") is None:
            raise MissingExtraError(package="openai", extra="openai")
        self._api_key = api_key or os.environ.get("OPENAI_API_KEY")
        if not self._api_key:
            raise MissingKeyError(provider="OpenAI", variable="OPENAI_API_KEY", argument="openai_api_key")
        self._model = model or os.environ.get("OPENAI_MODEL") or DEFAULT_MODEL
        self._base_url = base_url
        self._timeout = timeout
        self._client: AsyncOpenAI | None = None

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        """Answer the first utterance; ``history`` is sent along as earlier messages."""
        messages = [message for exchange in history for message in _messages(exchange)]
        return await self._create(instructions, input=[*messages, {"role": "user", "content": prompt}])

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        """Answer a further utterance.

        Raises:
            SessionLostError: OpenAI no longer knows the response that ``session`` names.
        """
        previous = _response_id(session)
        try:
            return await self._create(instructions, input=prompt, previous_response_id=previous)
        except SessionLostError as lost:
            raise SessionLostError(str(lost), thread_id=previous, provider=self.name) from lost

    async def aclose(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _create(self, instructions: str | None, **request: Any) -> Reply:  # noqa: ANN401 - JSON
        from openai import OpenAIError  # noqa: PLC0415 - see TYPE_CHECKING above

        if instructions:
            request["instructions"] = instructions
        try:
            # The SDK's own timeout counts per read; a trickle would keep a caller for minutes.
            async with asyncio.timeout(self._timeout):
                response = await self._the_client().responses.create(model=self._model, **request)
        except TimeoutError as error:
            raise ProviderTimeoutError(seconds=self._timeout, provider=self.name) from error
        except OpenAIError as error:
            raise self._fault(error) from error
        except ValueError as error:  # the SDK lets json's own error out
            raise _not_the_protocol(error) from error
        try:
            return self._reply(response)
        except (AttributeError, TypeError) as error:
            # The SDK does not check what a compatible server sends.
            raise _not_the_protocol(error) from error

    def _the_client(self) -> AsyncOpenAI:
        if self._client is None:
            from openai import AsyncOpenAI  # noqa: PLC0415 - see TYPE_CHECKING above

            # Retries are the conversation's business: the SDK's would sleep in a caller's turn.
            self._client = AsyncOpenAI(
                api_key=self._api_key, base_url=self._base_url, timeout=self._timeout, max_retries=0
            )
        return self._client

    def _reply(self, response: Response) -> Reply:
        if isinstance(response, str):
            raise MalformedStreamError(
                "the server answered with a page instead of JSON: check base_url", provider=self.name
            )
        if response.status == "failed" and response.error is not None:
            raise _fault_of_code(response.error.code, response.error.message, self._model)
        text = _spoken_text(response)
        if not text.strip():
            why = response.incomplete_details.reason if response.incomplete_details else response.status
            raise AnswerEmptyError(f"OpenAI answered without text ({why})", provider=self.name)
        return Reply(text, {"response_id": response.id}, _usage(response))

    def _fault(self, error: OpenAIError) -> ProviderError:
        from openai import APIConnectionError, APIStatusError, APITimeoutError  # noqa: PLC0415 - see above

        if isinstance(error, APITimeoutError):
            return ProviderTimeoutError(seconds=self._timeout, provider=self.name)
        if isinstance(error, APIConnectionError):
            return ProviderCrashError(f"no connection to OpenAI: {error}", provider=self.name)
        if isinstance(error, APIStatusError):
            return self._fault_of_status(error)
        return ProviderError(str(error), provider=self.name)

    def _fault_of_status(self, error: APIStatusError) -> ProviderError:
        fault = _fault_of_code(error.code, error.message, self._model)
        if isinstance(fault, RateLimitedError):
            fault.retry_after = _seconds(error.response.headers.get("retry-after"))
        if type(fault) is not ProviderError:
            return fault
        return _FAULTS_BY_STATUS.get(error.status_code, _server_or_other(error.status_code))(
            error.message, provider=self.name
        )


_FAULTS_BY_STATUS: Mapping[int, type[ProviderError]] = {
    401: AuthenticationError,
    403: AuthenticationError,
    429: RateLimitedError,
}


def _not_the_protocol(error: Exception) -> MalformedStreamError:
    return MalformedStreamError(
        f"the server's answer is not the Responses API's ({type(error).__name__}): check base_url",
        provider=OpenAIProvider.name,
    )


def _server_or_other(status: int) -> type[ProviderError]:
    return OverloadedError if status >= SERVER_ERROR else ProviderError


_OVERFLOW = re.compile(r"context window|maximum context length|context length", re.IGNORECASE)
"""How a context overflow is told where there is no code: by both of OpenAI's APIs and compatible servers."""

_FAULTS_BY_CODE: Mapping[str | None, type[ProviderError]] = {
    "context_length_exceeded": ContextOverflowError,
    "insufficient_quota": QuotaExceededError,
    "invalid_api_key": AuthenticationError,
    "rate_limit_exceeded": RateLimitedError,
    "server_error": OverloadedError,
    "server_is_overloaded": OverloadedError,
}


def _fault_of_code(code: str | None, message: str, model: str) -> ProviderError:
    """Map OpenAI's error code; a plain ``ProviderError`` when the code says nothing to us."""
    provider = OpenAIProvider.name
    if code == "previous_response_not_found":
        return SessionLostError(message, thread_id="", provider=provider)
    if code == "model_not_found":
        hint = f"OpenAI does not know the model {model!r}: pass model=… or set OPENAI_MODEL"
        return UnknownModelError(hint, model=model, provider=provider)
    if code is None and _OVERFLOW.search(message):
        code = "context_length_exceeded"
    return _FAULTS_BY_CODE.get(code, ProviderError)(message, provider=provider)


def _spoken_text(response: Response) -> str:
    """Join what is meant for the caller; commentary is left out where the phases are marked."""
    messages = [item for item in response.output if item.type == "message"]
    final = [message for message in messages if getattr(message, "phase", None) == "final_answer"]
    parts = [part for message in final or messages for part in message.content]
    return "\n".join(part.text if part.type == "output_text" else part.refusal for part in parts)


def _usage(response: Response) -> Usage | None:
    if response.usage is None:
        return None
    # Compatible servers leave the details out, whatever the SDK's types say.
    into = getattr(response.usage, "input_tokens_details", None)
    out = getattr(response.usage, "output_tokens_details", None)
    return Usage(
        input_tokens=response.usage.input_tokens or 0,
        cached_input_tokens=getattr(into, "cached_tokens", 0) or 0,
        output_tokens=response.usage.output_tokens or 0,
        reasoning_output_tokens=getattr(out, "reasoning_tokens", 0) or 0,
    )


def _messages(exchange: Exchange) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": exchange.prompt},
        {"role": "assistant", "content": exchange.answer},
    ]


def _response_id(session: JSON) -> str:
    if isinstance(session, Mapping) and isinstance(session.get("response_id"), str):
        return str(session["response_id"])
    raise SessionLostError(f"{session!r} is no session of OpenAI's", thread_id="", provider="openai")


def _seconds(header: str | None) -> float | None:
    try:
        return float(header) if header is not None else None
    except ValueError:  # an HTTP date: too far away to wait for on the phone
        return None
