"""OpenAI's Responses API, in its two ways to remember: at OpenAI, or in our session.

Measured on openai 3.54: instructions are not carried over, a ``status: "failed"`` in a 200 is not
raised, and ``output_text`` joins commentary and answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        return await self._ask(instructions, input=Transcript.of(history).asking(prompt))

    async def go_on(self, session: JSON, prompt: str, instructions: str | None) -> Reply:
        """Ask what follows the response that ``session`` names."""
        previous = self._response_id(session)
        try:
            return await self._ask(instructions, input=prompt, previous_response_id=previous)
        except SessionLostError as lost:
            raise SessionLostError(str(lost), thread_id=previous, provider=lost.provider) from lost

    async def _ask(self, instructions: str | None, **request: Any) -> Reply:  # noqa: ANN401 - JSON
        def read(response: Response) -> Reply:
            text = _spoken_text(response, self._connection)
            return Reply(text, {"response_id": response.id}, _usage(response))

        return await _asked(self._connection, instructions, read, store=True, **request)

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
        said = Transcript.read(session, provider=self._connection.service.name)
        return await self._ask(said, prompt, instructions)

    async def _ask(self, said: Transcript, prompt: str, instructions: str | None) -> Reply:
        def read(response: Response) -> Reply:
            text = _spoken_text(response, self._connection)
            session = {"id": response.id, "history": said.and_then(prompt, text).json()}
            return Reply(text, session, _usage(response))

        return await _asked(self._connection, instructions, read, store=False, input=said.asking(prompt))


async def _asked(
    connection: Connection,
    instructions: str | None,
    read: Any,  # noqa: ANN401 - a function of the SDK's response
    **request: Any,  # noqa: ANN401 - JSON
) -> Reply:
    if instructions:
        request["instructions"] = instructions
    reply: Reply = await connection.ask(
        lambda client: client.responses.create(model=connection.model, **request), read
    )
    return reply


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
