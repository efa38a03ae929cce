"""OpenAI's Responses API, with the conversation stored at OpenAI or in the session.

Measured on openai 3.54: instructions are not carried over, a ``status: "failed"`` in a 200 is not
raised, and ``output_text`` joins commentary and answer.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.errors import ProviderError, SessionLostError
from yemot_ai.providers.chat_history import ChatHistory, foreign_session_error
from yemot_ai.providers.openai.response_stream import ResponseAccumulator
from yemot_ai.providers.openai.response_text import spoken_text
from yemot_ai.providers.openai.server_memory import ServerMemory
from yemot_ai.providers.provider import JSON, AnswerPart, Exchange, Reply, Usage
from yemot_ai.providers.sdk.client import ServiceClient, StreamAccumulator
from yemot_ai.providers.sdk.fields import field
from yemot_ai.providers.sdk.stateless import StatelessChat
from yemot_ai.providers.sdk.stop_reasons import cut_reason, stop_reason
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
        memory: checks that a response continues the one before it; None if none does.
        arguments: further arguments of each request, for the SDK.
    """

    def __init__(
        self,
        connection: ServiceClient,
        *,
        store: bool,
        memory: ServerMemory | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self._client = connection
        self._arguments = arguments or {}
        self._memory = memory
        self._store = store

    def request(
        self,
        messages: list[dict[str, str]] | str,
        instructions: str | None,
        **options: Any,  # noqa: ANN401 - the SDK's own
    ) -> Callable[[Any], Any]:
        """Return the call for a client of the SDK."""
        optional: dict[str, Any] = dict(self._arguments)
        if instructions:
            optional["instructions"] = replace_surrogates(instructions)
        return lambda client: client.responses.create(
            model=self._client.model, store=self._store, input=messages, **optional, **options
        )

    def accumulator(self, previous: str | None = None) -> StreamAccumulator:
        """Return the builder of a response from its stream.

        Args:
            previous: the id of the response that it continues.
        """
        check = (
            None if self._memory is None else functools.partial(self._memory.check_start, previous=previous)
        )
        return ResponseAccumulator(self._client, check)

    def parse(self, response: Response) -> Reply:
        """Read a response; see ``StatelessAPI``."""
        text = _text(response, self._client)
        return Reply(text, response.id or "", _usage(response), _cut(response))


class StoredResponsesChat:
    """A conversation that OpenAI stores: each turn names the previous response.

    With a server that keeps none each turn carries the history instead; see ``ServerMemory``.
    """

    def __init__(self, connection: ServiceClient, arguments: Mapping[str, Any] | None = None) -> None:
        self._client = connection
        self._memory = ServerMemory(connection.service.title, provider=connection.service.name)
        self._api = ResponsesAPI(connection, store=True, memory=self._memory, arguments=arguments)
        unstored = ResponsesAPI(connection, store=False, arguments=arguments)
        self._stateless = StatelessChat(connection, unstored)

    def ask(
        self,
        prompt: str,
        session: JSON,
        instructions: str | None,
        history: Sequence[Exchange],
        *,
        stream: bool,
    ) -> AsyncIterator[AnswerPart]:
        """Answer a prompt; the parameters are those of ``Provider.ask``."""
        carried = isinstance(session, Mapping) and "history" in session
        if carried or (self._memory.absent and session is None):
            return self._stateless.ask(prompt, session, instructions, history, stream=stream)
        return self._ask_stored(prompt, session, instructions, history, stream=stream)

    async def warm_up(self) -> None:
        """Do what the first answer would wait for, without a request to the service."""
        await self._stateless.warm_up()

    async def _ask_stored(
        self,
        prompt: str,
        session: JSON,
        instructions: str | None,
        history: Sequence[Exchange],
        *,
        stream: bool,
    ) -> AsyncIterator[AnswerPart]:
        options: dict[str, Any] = {"stream": True} if stream else {}
        previous = None if session is None else self._response_id(session)
        earlier = ChatHistory.from_exchanges(history)
        if previous is None:
            messages: list[dict[str, str]] | str = earlier.messages_for(prompt)
        else:
            messages, options["previous_response_id"] = replace_surrogates(prompt), previous
        request = self._api.request(messages, instructions, **options)
        accumulator = self._api.accumulator(previous) if stream else None
        parse = functools.partial(self._parse, prompt, earlier, previous, streamed=stream)
        try:
            words = [instructions or "", *(message["content"] for message in earlier.messages_for(prompt))]
            async with aclosing(self._client.answer(request, accumulator, parse, words)) as parts:
                async for part in parts:
                    yield part
        except SessionLostError as lost:
            self._memory.note_lost(previous or "")
            raise SessionLostError(str(lost), thread_id=previous or "", provider=lost.provider) from lost

    def _parse(
        self, prompt: str, earlier: ChatHistory, previous: str | None, response: Response, *, streamed: bool
    ) -> Reply:
        if not streamed:
            self._memory.check_start(response, previous)
        parsed = self._client.without_thoughts(self._api.parse(response))
        text = replace_surrogates(parsed.text)
        session: JSON = {"response_id": parsed.session}
        if not self._memory.keeps(response) and previous is None:
            session = {"id": parsed.session, "history": earlier.with_exchange(prompt, text).to_json()}
        return replace(parsed, text=text, session=session)

    def _response_id(self, session: JSON) -> str:
        if not isinstance(session, Mapping) or not isinstance(session.get("response_id"), str):
            raise foreign_session_error(self._client.service.name)
        response_id = replace_surrogates(str(session["response_id"]))
        if self._memory.absent:
            message = f"{self._client.service.title} keeps no responses"
            raise SessionLostError(message, thread_id=response_id, provider=self._client.service.name)
        return response_id


def _text(response: Response, connection: ServiceClient) -> str:
    """Return the text for the caller."""
    if response.error is not None:
        raise connection.errors.from_body({"error": _plain(response.error)})
    name, title = connection.service.name, connection.service.title
    if response.status in {"failed", "cancelled"}:
        raise ProviderError(f"{title} gave the answer up ({response.status})", provider=name)
    if not isinstance(response.output, list):
        raise TypeError(type(response.output).__name__)
    text = spoken_text(response.output)
    if not text.strip():
        raise connection.errors.empty(_cut(response) or response.status)
    return text


def _plain(error: Any) -> Any:  # noqa: ANN401 - the SDK's type, or what the server sent
    return error.model_dump() if hasattr(error, "model_dump") else error


def _cut(response: Response) -> str:
    """Return why the answer is not whole; a call of a tool waits for a result that nobody sends."""
    reason = stop_reason(field(response.incomplete_details, "reason")) or cut_reason(response.status)
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
