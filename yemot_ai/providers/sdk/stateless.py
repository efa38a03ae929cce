"""A conversation with a service that keeps none: each turn carries the history.

A session is ``{"id": …, "history": [[prompt, answer], …]}``; the oldest exchanges are dropped (see
``chat_history``).
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from yemot_ai.providers.chat_history import ChatHistory
from yemot_ai.providers.provider import JSON, AnswerPart, Exchange, Reply, ToolCalls, ToolRequest, ToolRound
from yemot_ai.providers.sdk.client import ServiceClient, StreamAccumulator
from yemot_ai.providers.sdk.tools import said_in_turn, tool_words

__all__ = ["StatelessAPI", "StatelessChat", "wanted_calls"]


class StatelessAPI(Protocol):
    """The requests and responses of one API."""

    def request(
        self,
        messages: list[dict[str, Any]],
        instructions: str | None,
        **options: Any,  # noqa: ANN401 - the SDK's own
    ) -> Callable[[Any], Awaitable[Any]]:
        """Return the call for a client of the SDK; ``options`` are added to the request."""
        ...

    def accumulator(self) -> StreamAccumulator:
        """Return the builder of a response from the events of ``request(…, stream=True)``."""
        ...

    def tool_options(self, tools: ToolRequest) -> dict[str, Any]:
        """Return the options of a request with tools: what they are, and whether the model may call them."""
        ...

    def round_messages(self, one: ToolRound) -> list[dict[str, Any]]:
        """Return the messages of earlier calls and their results, which follow the prompt."""
        ...

    def read_calls(self, response: Any, /) -> ToolCalls | None:  # noqa: ANN401 - one of the SDK's types
        """Read the calls of tools in a response; None if there are none, or the model has not finished them.

        Raises:
            ProviderError: the response is an error.
        """
        ...

    def parse(self, response: Any, /) -> Reply:  # noqa: ANN401 - one of the SDK's types
        """Read a response; the reply's session is the service's id of the response.

        Raises:
            ProviderError: it is an error, or has no text.
        """
        ...


class StatelessChat:
    """A conversation over a ``StatelessAPI``."""

    def __init__(self, connection: ServiceClient, api: StatelessAPI) -> None:
        self._client = connection
        self._api = api

    def ask(  # noqa: PLR0913 - the arguments of ``ToolProvider.ask``
        self,
        prompt: str,
        session: JSON,
        instructions: str | None,
        history: Sequence[Exchange],
        *,
        stream: bool,
        tools: ToolRequest | None = None,
    ) -> AsyncIterator[AnswerPart]:
        """Answer a prompt; the parameters are those of ``ToolProvider.ask``."""
        earlier = ChatHistory.from_exchanges(history) if session is None else self._history(session)
        messages: list[dict[str, Any]] = [*earlier.messages_for(prompt)]
        words = [instructions or "", *(message["content"] for message in messages), *tool_words(tools)]
        options: dict[str, Any] = {"stream": True} if stream else {}
        if tools is not None:
            messages += [message for one in tools.rounds for message in self._api.round_messages(one)]
            options |= self._api.tool_options(tools)
        request = self._api.request(messages, instructions, **options)
        parse = functools.partial(self._parse, earlier, prompt, tools)
        return self._client.answer(request, self._api.accumulator() if stream else None, parse, words)

    async def warm_up(self) -> None:
        """Do what the first answer would wait for, without a request to the service."""
        messages: list[dict[str, Any]] = [*ChatHistory().messages_for("")]
        await self._client.open_client(self._api.request(messages, None, stream=True))

    def _history(self, session: JSON) -> ChatHistory:
        return ChatHistory.from_session(session, provider=self._client.service.name)

    def _parse(
        self,
        history: ChatHistory,
        prompt: str,
        tools: ToolRequest | None,
        response: Any,  # noqa: ANN401 - one of the SDK's types
    ) -> Reply | ToolCalls:
        if tools is not None and (calls := wanted_calls(self._api.read_calls(response), tools)):
            return self._client.calls_without_thoughts(calls)
        parsed = self._client.without_thoughts(self._api.parse(response))
        said = said_in_turn(tools, parsed.text)
        session: JSON = {"id": parsed.session, "history": history.with_exchange(prompt, said).to_json()}
        return replace(parsed, session=session)


def wanted_calls(calls: ToolCalls | None, tools: ToolRequest) -> ToolCalls | None:
    """Return calls, unless the model has answered beside calls that it was not allowed."""
    has_answered = calls is not None and not tools.may_call and bool(calls.text.strip())
    return None if has_answered else calls
