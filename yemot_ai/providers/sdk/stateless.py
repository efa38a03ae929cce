"""A conversation that no service remembers: each turn carries what was said before.

A session is ``{"id": …, "history": [[prompt, answer], …]}``, of which the oldest part is forgotten in
time (see ``transcript``).
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from yemot_ai.providers.chat_history import ChatHistory
from yemot_ai.providers.provider import JSON, Exchange, Reply, Usage
from yemot_ai.providers.sdk.client import ServiceClient, StreamAccumulator
from yemot_ai.providers.surrogates import replace_surrogates

__all__ = ["ParsedReply", "StatelessAPI", "StatelessChat"]


@dataclass(frozen=True, slots=True)
class ParsedReply:
    """What a response came to.

    Attributes:
        text: what the caller hears.
        id: the service's own name of it.
        usage: what it cost.
    """

    text: str
    id: str
    usage: Usage | None


class StatelessAPI(Protocol):
    """How one turn is asked, and how it is read."""

    def request(
        self,
        messages: list[dict[str, str]],
        instructions: str | None,
        **options: Any,  # noqa: ANN401 - the SDK's own
    ) -> Callable[[Any], Awaitable[Any]]:
        """Return what asks a client of the SDK; ``options`` goes into the request."""
        ...

    def accumulator(self) -> StreamAccumulator:
        """Return what puts a stream's events together, which ``question(…, stream=True)`` brings."""
        ...

    def parse(self, response: Any, /) -> ParsedReply:  # noqa: ANN401 - one of the SDK's types
        """Read a response.

        Raises:
            ProviderError: there is nothing to speak.
        """
        ...


class StatelessChat:
    """A conversation over such an API."""

    def __init__(self, connection: ServiceClient, api: StatelessAPI) -> None:
        self._client = connection
        self._api = api

    async def start(self, prompt: str, instructions: str | None, history: Sequence[Exchange]) -> Reply:
        """Ask; ``history`` is what was said before."""
        return await self._ask(ChatHistory.from_exchanges(history), prompt, instructions)

    async def resume(self, session: JSON, prompt: str, instructions: str | None) -> Reply:
        """Ask what follows the history in ``session``.

        Raises:
            SessionLostError: ``session`` is another provider's.
        """
        return await self._ask(self._history(session), prompt, instructions)

    async def stream(
        self, session: JSON, prompt: str, instructions: str | None, history: Sequence[Exchange]
    ) -> AsyncIterator[str | Reply]:
        """Do what ``start`` and ``resume`` do, piece by piece."""
        said = ChatHistory.from_exchanges(history) if session is None else self._history(session)
        question = self._api.request(said.messages_for(prompt), instructions, stream=True)
        read = functools.partial(self._parse, said, prompt)
        async for part in self._client.stream(question, self._api.accumulator(), read):
            yield part

    async def _ask(self, said: ChatHistory, prompt: str, instructions: str | None) -> Reply:
        question = self._api.request(said.messages_for(prompt), instructions)
        return await self._client.ask(question, functools.partial(self._parse, said, prompt))

    def _history(self, session: JSON) -> ChatHistory:
        return ChatHistory.from_session(session, provider=self._client.service.name)

    def _parse(self, said: ChatHistory, prompt: str, response: Any) -> Reply:  # noqa: ANN401 - one of the SDK's types
        answer = self._api.parse(response)
        text = replace_surrogates(answer.text)
        session: JSON = {"id": answer.id, "history": said.with_exchange(prompt, text).to_json()}
        return Reply(text, session, answer.usage)
