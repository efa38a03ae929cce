"""OpenAI's Responses API, with the conversation stored at OpenAI or in the session.

Measured on openai 3.54: instructions are not carried over, a ``status: "failed"`` in a 200 is not
raised, and ``output_text`` joins commentary and answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.errors import ProviderError, SessionLostError
from yemot_ai.providers.chat_history import ChatHistory, foreign_session_error
from yemot_ai.providers.openai.response_stream import ResponseAccumulator
from yemot_ai.providers.openai.response_text import spoken_text
from yemot_ai.providers.provider import JSON, Exchange, Reply, Usage
from yemot_ai.providers.sdk.client import ServiceClient, StreamAccumulator
from yemot_ai.providers.sdk.fields import cut_reason, field
from yemot_ai.providers.surrogates import replace_surrogates

if TYPE_CHECKING:  # importing the SDK takes 0.6 s, so it happens at the first turn
    from openai.types.responses import Response

__all__ = ["SDK_MODULE", "ResponsesAPI", "StoredResponsesChat"]

SDK_MODULE: Final = "openai.resources.responses"
"""The module of the SDK that this API needs."""

_CALLS: Final = frozenset({"function_call", "custom_tool_call", "mcp_approval_request"})
"""The items after which a model waits for a result from the client."""


class ResponsesAPI:
    """Requests and responses of the Responses API.

    Args:
        connection: sends the requests.
        store: whether OpenAI keeps the response.
    """

    def __init__(self, connection: ServiceClient, *, store: bool) -> None:
        self._client = connection
        self._store = store

    def request(
        self,
        messages: list[dict[str, str]] | str,
        instructions: str | None,
        **options: Any,  # noqa: ANN401 - the SDK's own
    ) -> Callable[[Any], Any]:
        """Return the call for a client of the SDK."""
        optional = {"instructions": replace_surrogates(instructions)} if instructions else {}
        return lambda client: client.responses.create(
            model=self._client.model, store=self._store, input=messages, **optional, **options
        )

    def accumulator(self) -> StreamAccumulator:
        """Return the builder of a response from its stream."""
        return ResponseAccumulator(self._client)

    def parse(self, response: Response) -> Reply:
        """Read a response; see ``StatelessAPI``."""
        text = _text(response, self._client)
        return Reply(text, response.id or "", _usage(response), _cut(response))


class StoredResponsesChat:
    """A conversation that OpenAI stores: each turn names the previous response."""

    def __init__(self, connection: ServiceClient) -> None:
        self._client = connection
        self._api = ResponsesAPI(connection, store=True)

    async def ask(
        self,
        prompt: str,
        session: JSON,
        instructions: str | None,
        history: Sequence[Exchange],
        *,
        stream: bool,
    ) -> AsyncIterator[str | Reply]:
        """Answer a prompt; the parameters are those of ``Provider.ask``."""
        options: dict[str, Any] = {"stream": True} if stream else {}
        if session is None:
            messages: list[dict[str, str]] | str = ChatHistory.from_exchanges(history).messages_for(prompt)
        else:
            messages, options["previous_response_id"] = replace_surrogates(prompt), self._response_id(session)
        request = self._api.request(messages, instructions, **options)
        accumulator = self._api.accumulator() if stream else None
        try:
            async with aclosing(self._client.answer(request, accumulator, self._parse)) as parts:
                async for part in parts:
                    yield part
        except SessionLostError as lost:
            previous = options.get("previous_response_id", "")
            raise SessionLostError(str(lost), thread_id=previous, provider=lost.provider) from lost

    def _parse(self, response: Response) -> Reply:
        parsed = self._client.without_thoughts(self._api.parse(response))
        return replace(parsed, text=replace_surrogates(parsed.text), session={"response_id": parsed.session})

    def _response_id(self, session: JSON) -> str:
        if isinstance(session, Mapping) and isinstance(session.get("response_id"), str):
            return replace_surrogates(str(session["response_id"]))
        raise foreign_session_error(self._client.service.name)


def _text(response: Response, connection: ServiceClient) -> str:
    """Return the text for the caller."""
    if response.error is not None:
        raise connection.error_from_body({"error": _plain(response.error)})
    name, title = connection.service.name, connection.service.title
    if response.status in {"failed", "cancelled"}:
        raise ProviderError(f"{title} gave the answer up ({response.status})", provider=name)
    if not isinstance(response.output, list):
        raise TypeError(type(response.output).__name__)
    text = spoken_text(response.output)
    if not text.strip():
        raise connection.empty_error(_cut(response) or response.status)
    return text


def _plain(error: Any) -> Any:  # noqa: ANN401 - the SDK's type, or what the server sent
    return error.model_dump() if hasattr(error, "model_dump") else error


def _cut(response: Response) -> str:
    """Return why the answer is not whole; a call of a tool waits for a result that nobody sends."""
    reason = field(response.incomplete_details, "reason") or cut_reason(response.status)
    last = field(response.output[-1], "type") if response.output else None
    return reason or (str(last) if last in _CALLS else "")


def _usage(response: Response) -> Usage | None:
    if response.usage is None:
        return None
    # Compatible servers leave fields out, although the SDK's types require them.
    into = field(response.usage, "input_tokens_details")
    out = field(response.usage, "output_tokens_details")
    return Usage.from_counts(
        field(response.usage, "input_tokens"),
        field(into, "cached_tokens"),
        field(response.usage, "output_tokens"),
        field(out, "reasoning_tokens"),
    )
