"""The requests and responses of OpenAI's Responses API.

Measured on openai 3.54: instructions are not carried over, a ``status: "failed"`` in a 200 is not
raised, and ``output_text`` joins commentary and answer.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.errors import ProviderError
from yemot_ai.providers.openai.response_calls import (
    function_calls,
    returned_items,
    round_items,
    tool_options,
)
from yemot_ai.providers.openai.response_stream import ResponseAccumulator
from yemot_ai.providers.openai.response_text import spoken_text
from yemot_ai.providers.openai.server_memory import ServerMemory
from yemot_ai.providers.provider import Reply, ToolCalls, ToolRequest, ToolRound, Usage
from yemot_ai.providers.sdk.client import ServiceClient, StreamAccumulator
from yemot_ai.providers.sdk.fields import field
from yemot_ai.providers.sdk.stop_reasons import cut_reason, interrupts_calls, stop_reason
from yemot_ai.providers.surrogates import replace_surrogates

if TYPE_CHECKING:  # importing the SDK takes 0.6 s, so it happens at the first turn
    from openai.types.responses import Response

__all__ = ["SDK_MODULE", "ResponsesAPI"]

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
        messages: list[dict[str, Any]] | str,
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

    def tool_options(self, tools: ToolRequest) -> dict[str, Any]:
        """Return the tools, and whether the model may call them."""
        return tool_options(tools)

    def round_messages(self, one: ToolRound) -> list[dict[str, Any]]:
        """Return the items of earlier calls and their results."""
        return round_items(one)

    def accumulator(self, previous: str | None = None) -> StreamAccumulator:
        """Return the builder of a response from its stream.

        Args:
            previous: the id of the response that it continues.
        """
        check = (
            None if self._memory is None else functools.partial(self._memory.check_start, previous=previous)
        )
        return ResponseAccumulator(self._client, check)

    def read_calls(self, response: Response) -> ToolCalls | None:
        """Read the calls of tools in a response; see ``StatelessAPI``."""
        _raise_error(response, self._client)
        calls = function_calls(response.output)
        reason = field(response.incomplete_details, "reason") or response.status
        if not calls or interrupts_calls(reason):
            return None
        state = returned_items(response.output, calls)
        return ToolCalls(calls, spoken_text(response.output), state, _usage(response))

    def parse(self, response: Response) -> Reply:
        """Read a response; see ``StatelessAPI``."""
        text = _text(response, self._client)
        return Reply(text, response.id or "", _usage(response), _cut(response))


def _text(response: Response, connection: ServiceClient) -> str:
    """Return the text for the caller."""
    _raise_error(response, connection)
    text = spoken_text(response.output)
    if not text.strip():
        raise connection.errors.empty(_cut(response) or response.status)
    return text


def _raise_error(response: Response, connection: ServiceClient) -> None:
    """Raise the error of a response that the service has given up."""
    if response.error is not None:
        raise connection.errors.from_body({"error": _plain(response.error)})
    name, title = connection.service.name, connection.service.title
    if response.status in {"failed", "cancelled"}:
        raise ProviderError(f"{title} gave the answer up ({response.status})", provider=name)
    if not isinstance(response.output, list):
        raise TypeError(type(response.output).__name__)


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
