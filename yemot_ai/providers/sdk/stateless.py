"""A conversation that no service remembers: each turn carries what was said before.

A session is ``{"id": …, "history": [[prompt, answer], …]}``, of which the oldest part is forgotten in
time (see ``transcript``).
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from yemot_ai.providers.chat_history import Transcript
from yemot_ai.providers.provider import JSON, Exchange, Reply, Usage
from yemot_ai.providers.sdk.client import Connection, Writing
from yemot_ai.providers.surrogates import writable

__all__ = ["API", "Answer", "Retelling"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a response came to.

    Attributes:
        text: what the caller hears.
        id: the service's own name of it.
        usage: what it cost.
    """

    text: str
    id: str
    usage: Usage | None


class API(Protocol):
    """How one turn is asked, and how it is read."""

    def question(
        self,
        messages: list[dict[str, str]],
        instructions: str | None,
        **how: Any,  # noqa: ANN401 - the SDK's own
    ) -> Callable[[Any], Awaitable[Any]]:
        """Return what asks a client of the SDK; ``how`` goes into the request."""
        ...

    def writing(self) -> Writing:
        """Return what puts a stream's events together, which ``question(…, stream=True)`` brings."""
        ...

    def answer(self, response: Any, /) -> Answer:  # noqa: ANN401 - one of the SDK's types
        """Read a response.

        Raises:
            ProviderError: there is nothing to speak.
        """
        ...


class Retelling:
    """A conversation over such an API."""

    def __init__(self, connection: Connection, api: API) -> None:
        self._connection = connection
        self._api = api

    async def start(self, prompt: str, instructions: str | None, history: Sequence[Exchange]) -> Reply:
        """Ask; ``history`` is what was said before."""
        return await self._ask(Transcript.of(history), prompt, instructions)

    async def go_on(self, session: JSON, prompt: str, instructions: str | None) -> Reply:
        """Ask what follows the history in ``session``.

        Raises:
            SessionLostError: ``session`` is another provider's.
        """
        return await self._ask(self._said(session), prompt, instructions)

    async def stream(
        self, session: JSON, prompt: str, instructions: str | None, history: Sequence[Exchange]
    ) -> AsyncIterator[str | Reply]:
        """Do what ``start`` and ``go_on`` do, piece by piece."""
        said = Transcript.of(history) if session is None else self._said(session)
        question = self._api.question(said.asking(prompt), instructions, stream=True)
        read = functools.partial(self._read, said, prompt)
        async for part in self._connection.stream(question, self._api.writing(), read):
            yield part

    async def _ask(self, said: Transcript, prompt: str, instructions: str | None) -> Reply:
        question = self._api.question(said.asking(prompt), instructions)
        return await self._connection.ask(question, functools.partial(self._read, said, prompt))

    def _said(self, session: JSON) -> Transcript:
        return Transcript.read(session, provider=self._connection.service.name)

    def _read(self, said: Transcript, prompt: str, response: Any) -> Reply:  # noqa: ANN401 - one of the SDK's types
        answer = self._api.answer(response)
        text = writable(answer.text)
        session: JSON = {"id": answer.id, "history": said.and_then(prompt, text).json()}
        return Reply(text, session, answer.usage)
