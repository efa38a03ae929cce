"""OpenAI's Responses API, with the conversation stored at OpenAI or in the session.

Measured on openai 3.54: instructions are not carried over, a ``status: "failed"`` in a 200 is not
raised, and ``output_text`` joins commentary and answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.errors import AnswerEmptyError, ProviderError, SessionLostError
from yemot_ai.providers.chat_history import ChatHistory, foreign_session_error
from yemot_ai.providers.provider import JSON, Exchange, Reply, Usage
from yemot_ai.providers.sdk.client import ServiceClient, StreamAccumulator
from yemot_ai.providers.surrogates import replace_surrogates

if TYPE_CHECKING:  # importing the SDK takes 0.6 s, so it happens at the first turn
    from openai.types.responses import Response

__all__ = ["SDK_MODULE", "ResponsesAPI", "StoredResponsesChat"]

SDK_MODULE: Final = "openai.resources.responses"
"""The module of the SDK that this API needs."""


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
        return _ResponseAccumulator(self._client)

    def parse(self, response: Response) -> Reply:
        """Read a response; see ``StatelessAPI``."""
        return Reply(_spoken_text(response, self._client), response.id, _usage(response))


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
        parsed = self._api.parse(response)
        return Reply(replace_surrogates(parsed.text), {"response_id": parsed.session}, parsed.usage)

    def _response_id(self, session: JSON) -> str:
        if isinstance(session, Mapping) and isinstance(session.get("response_id"), str):
            return replace_surrogates(str(session["response_id"]))
        raise foreign_session_error(self._client.service.name)


class _ResponseAccumulator:
    """Builds a response from the events of its stream, without commentary."""

    def __init__(self, connection: ServiceClient) -> None:
        self.response: Response | None = None
        self._client = connection
        self._commentary_ids: set[str] = set()
        self._part: tuple[object, object] | None = None

    @property
    def ended(self) -> bool:
        return self.response is not None

    @property
    def complete(self) -> bool:
        return self.ended

    def feed(self, event: Any) -> str:  # noqa: ANN401 - one of some fifty types of the SDK's
        match event.type:
            case "response.output_item.added" if _phase(event.item) == "commentary":
                self._commentary_ids.add(event.item.id)
            case "response.output_text.delta" | "response.refusal.delta":
                return self._spoken_delta(event)
            case "response.completed" | "response.incomplete" | "response.failed":
                self.response = event.response
            case "error":
                raise self._client.error_from_body({"code": event.code, "message": event.message})
        return ""

    def _spoken_delta(self, event: Any) -> str:  # noqa: ANN401 - as above
        if event.item_id in self._commentary_ids or not _text(event.delta):
            return ""
        part = event.output_index, event.content_index
        separator = "\n" if self._part not in {None, part} else ""
        self._part = part
        return separator + _text(event.delta)


def _text(delta: object) -> str:
    if not isinstance(delta, str):
        raise TypeError(type(delta).__name__)
    return delta


def _spoken_text(response: Response, connection: ServiceClient) -> str:
    """Return the text for the caller; without commentary if the messages have a phase."""
    if response.error is not None:
        raise connection.error_from_body(response.error.model_dump())
    name, title = connection.service.name, connection.service.title
    if response.status in {"failed", "cancelled"}:
        raise ProviderError(f"{title} gave the answer up ({response.status})", provider=name)
    messages = [item for item in response.output if item.type == "message"]
    final = [message for message in messages if _phase(message) == "final_answer"]
    spoken = final or [message for message in messages if _phase(message) != "commentary"]
    parts = [part for message in spoken for part in message.content]
    text = "\n".join(part.text if part.type == "output_text" else part.refusal for part in parts)
    if not text.strip():
        why = response.incomplete_details.reason if response.incomplete_details else response.status
        raise AnswerEmptyError(f"{title} answered without text ({why})", provider=name)
    return text


def _phase(message: object) -> str | None:
    """Return the phase of a message; older models and compatible servers have none."""
    return getattr(message, "phase", None)


def _usage(response: Response) -> Usage | None:
    if response.usage is None:
        return None
    # Compatible servers leave the details out, although the SDK's types require them.
    into = getattr(response.usage, "input_tokens_details", None)
    out = getattr(response.usage, "output_tokens_details", None)
    return Usage.from_counts(
        response.usage.input_tokens,
        getattr(into, "cached_tokens", 0),
        response.usage.output_tokens,
        getattr(out, "reasoning_tokens", 0),
    )
