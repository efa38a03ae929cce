"""OpenAI's Responses API, in its two ways to remember: at OpenAI, or in our session.

Measured on openai 3.54: instructions are not carried over, a ``status: "failed"`` in a 200 is not
raised, and ``output_text`` joins commentary and answer.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.errors import AnswerEmptyError, ProviderError, SessionLostError
from yemot_ai.providers.connection import Connection
from yemot_ai.providers.provider import JSON, Exchange, Reply, Usage
from yemot_ai.providers.transcript import Transcript

if TYPE_CHECKING:  # importing the SDK costs 0.6 s: it is done at the first turn
    from openai.types.responses import Response

__all__ = ["PART", "KeptResponses", "StoredResponses"]

PART: Final = "openai.resources.responses"
"""The module of the SDK that this API needs."""


class StoredResponses:
    """The conversation lives at OpenAI: each turn names the one before it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def start(self, prompt: str, instructions: str | None, history: Sequence[Exchange]) -> Reply:
        """Ask; ``history`` is sent along as earlier messages."""
        return await self._ask(None, prompt, instructions, history)

    async def go_on(self, session: JSON, prompt: str, instructions: str | None) -> Reply:
        """Ask what follows the response that ``session`` names."""
        return await self._ask(_given(session), prompt, instructions, ())

    async def stream(
        self, session: JSON, prompt: str, instructions: str | None, history: Sequence[Exchange]
    ) -> AsyncIterator[str | Reply]:
        """Do what ``start`` and ``go_on`` do, piece by piece."""
        asked = self._question(session, prompt, history)
        try:
            async for part in _streamed(self._connection, instructions, self._read, **asked):
                yield part
        except SessionLostError as lost:
            raise self._lost(lost, asked) from lost

    async def _ask(
        self, session: JSON, prompt: str, instructions: str | None, history: Sequence[Exchange]
    ) -> Reply:
        asked = self._question(session, prompt, history)
        try:
            return await _asked(self._connection, instructions, self._read, **asked)
        except SessionLostError as lost:
            raise self._lost(lost, asked) from lost

    def _question(self, session: JSON, prompt: str, history: Sequence[Exchange]) -> dict[str, Any]:
        if session is None:
            return {"store": True, "input": Transcript.of(history).asking(prompt)}
        return {"store": True, "input": prompt, "previous_response_id": self._response_id(session)}

    def _read(self, response: Response) -> Reply:
        text = _spoken_text(response, self._connection)
        return Reply(text, {"response_id": response.id}, _usage(response))

    def _lost(self, lost: SessionLostError, asked: Mapping[str, Any]) -> SessionLostError:
        previous = asked.get("previous_response_id", "")
        return SessionLostError(str(lost), thread_id=previous, provider=lost.provider)

    def _response_id(self, session: JSON) -> str:
        if isinstance(session, Mapping) and isinstance(session.get("response_id"), str):
            return str(session["response_id"])
        name = self._connection.service.name
        raise SessionLostError(f"that is no session of {name}'s", thread_id="", provider=name)


class KeptResponses:
    """Nothing stays at OpenAI (``store: false``): each turn carries what was said before."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def start(self, prompt: str, instructions: str | None, history: Sequence[Exchange]) -> Reply:
        """Ask; ``history`` is what was said before."""
        return await self._ask(Transcript.of(history), prompt, instructions)

    async def go_on(self, session: JSON, prompt: str, instructions: str | None) -> Reply:
        """Ask what follows the history in ``session``."""
        return await self._ask(self._said(session), prompt, instructions)

    async def stream(
        self, session: JSON, prompt: str, instructions: str | None, history: Sequence[Exchange]
    ) -> AsyncIterator[str | Reply]:
        """Do what ``start`` and ``go_on`` do, piece by piece."""
        said = Transcript.of(history) if session is None else self._said(session)
        read = functools.partial(self._read, said, prompt)
        asked = {"store": False, "input": said.asking(prompt)}
        async for part in _streamed(self._connection, instructions, read, **asked):
            yield part

    async def _ask(self, said: Transcript, prompt: str, instructions: str | None) -> Reply:
        read = functools.partial(self._read, said, prompt)
        return await _asked(self._connection, instructions, read, store=False, input=said.asking(prompt))

    def _said(self, session: JSON) -> Transcript:
        return Transcript.read(session, provider=self._connection.service.name)

    def _read(self, said: Transcript, prompt: str, response: Response) -> Reply:
        text = _spoken_text(response, self._connection)
        session = {"id": response.id, "history": said.and_then(prompt, text).json()}
        return Reply(text, session, _usage(response))


class _Events:
    """A response that is being written; commentary is not heard."""

    def __init__(self, connection: Connection) -> None:
        self.whole: Response | None = None
        self._connection = connection
        self._aside: set[str] = set()
        self._part: tuple[object, object] | None = None

    def hear(self, event: Any) -> str:  # noqa: ANN401 - one of some fifty types of the SDK's
        match event.type:
            case "response.output_item.added" if _phase(event.item) == "commentary":
                self._aside.add(event.item.id)
            case "response.output_text.delta" | "response.refusal.delta":
                return self._heard(event)
            case "response.completed" | "response.incomplete" | "response.failed":
                self.whole = event.response
            case "error":
                raise self._connection.refused({"code": event.code, "message": event.message})
        return ""

    def _heard(self, event: Any) -> str:  # noqa: ANN401 - as above
        if event.item_id in self._aside or not event.delta:
            return ""
        part = event.output_index, event.content_index
        joint = "\n" if self._part not in {None, part} else ""
        self._part = part
        return joint + str(event.delta)


async def _asked(
    connection: Connection,
    instructions: str | None,
    read: Callable[[Response], Reply],
    **request: Any,  # noqa: ANN401 - JSON
) -> Reply:
    return await connection.ask(_question(connection, instructions, request), read)


def _streamed(
    connection: Connection,
    instructions: str | None,
    read: Callable[[Response], Reply],
    **request: Any,  # noqa: ANN401 - JSON
) -> AsyncIterator[str | Reply]:
    question = _question(connection, instructions, {**request, "stream": True})
    return connection.stream(question, _Events(connection), read)


def _question(
    connection: Connection, instructions: str | None, request: Mapping[str, Any]
) -> Callable[[Any], Any]:
    told = {"instructions": instructions} if instructions else {}
    return lambda client: client.responses.create(model=connection.model, **told, **request)


def _given(session: JSON) -> JSON:
    """A session that is none is no new conversation."""
    return {} if session is None else session


def _spoken_text(response: Response, connection: Connection) -> str:
    """Join what is meant for the caller; commentary is left out where the phases are marked."""
    if response.error is not None:
        raise connection.refused(response.error.model_dump())
    name, title = connection.service.name, connection.service.title
    if response.status in {"failed", "cancelled"}:
        raise ProviderError(f"{title} gave the answer up ({response.status})", provider=name)
    messages = [item for item in response.output if item.type == "message"]
    final = [message for message in messages if _phase(message) == "final_answer"]
    meant = final or [message for message in messages if _phase(message) != "commentary"]
    parts = [part for message in meant for part in message.content]
    text = "\n".join(part.text if part.type == "output_text" else part.refusal for part in parts)
    if not text.strip():
        why = response.incomplete_details.reason if response.incomplete_details else response.status
        raise AnswerEmptyError(f"{title} answered without text ({why})", provider=name)
    return text


def _phase(message: object) -> str | None:
    """What a message is for; older models and compatible servers do not say."""
    return getattr(message, "phase", None)


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
