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
from yemot_ai.providers.provider import JSON, AnswerPart, Exchange, Reply
from yemot_ai.providers.sdk.client import ServiceClient, StreamAccumulator
from yemot_ai.providers.surrogates import replace_surrogates

__all__ = ["StatelessAPI", "StatelessChat"]


class StatelessAPI(Protocol):
    """The requests and responses of one API."""

    def request(
        self,
        messages: list[dict[str, str]],
        instructions: str | None,
        **options: Any,  # noqa: ANN401 - the SDK's own
    ) -> Callable[[Any], Awaitable[Any]]:
        """Return the call for a client of the SDK; ``options`` are added to the request."""
        ...

    def accumulator(self) -> StreamAccumulator:
        """Return the builder of a response from the events of ``request(…, stream=True)``."""
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
        earlier = ChatHistory.from_exchanges(history) if session is None else self._history(session)
        messages = earlier.messages_for(prompt)
        request = self._api.request(messages, instructions, **({"stream": True} if stream else {}))
        parse = functools.partial(self._parse, earlier, prompt)
        words = [instructions or "", *(message["content"] for message in messages)]
        return self._client.answer(request, self._api.accumulator() if stream else None, parse, words)

    async def warm_up(self) -> None:
        """Do what the first answer would wait for, without a request to the service."""
        await self._client.open_client(self._api.request(ChatHistory().messages_for(""), None, stream=True))

    def _history(self, session: JSON) -> ChatHistory:
        return ChatHistory.from_session(session, provider=self._client.service.name)

    def _parse(self, history: ChatHistory, prompt: str, response: Any) -> Reply:  # noqa: ANN401 - one of the SDK's types
        parsed = self._client.without_thoughts(self._api.parse(response))
        text = replace_surrogates(parsed.text)
        session: JSON = {"id": parsed.session, "history": history.with_exchange(prompt, text).to_json()}
        return replace(parsed, text=text, session=session)
