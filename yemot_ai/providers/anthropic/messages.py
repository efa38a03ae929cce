"""The requests and responses of Anthropic's Messages API.

A call of a tool is a block of the model's message, its result a block of the next message of the user. What
the model has thought before a call goes back with it, signed and unchanged, if this process knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.providers.anthropic.message_stream import MessageAccumulator
from yemot_ai.providers.provider import JSON, Reply, ToolCall, ToolCalls, ToolRequest, ToolRound, Usage
from yemot_ai.providers.sdk.client import ServiceClient, StreamAccumulator
from yemot_ai.providers.sdk.fields import field, items
from yemot_ai.providers.sdk.stop_reasons import cut_reason, interrupts_calls
from yemot_ai.providers.sdk.tools import arguments_object, as_tool_calls, block_id, tool_name
from yemot_ai.providers.surrogates import replace_surrogates

if TYPE_CHECKING:  # importing the SDK takes 1 s, so it happens at the first turn
    from anthropic.types import Message

__all__ = ["MessagesAPI"]

_THOUGHTS: Final[Mapping[str, tuple[str, ...]]] = {
    "thinking": ("type", "thinking", "signature"),
    "redacted_thinking": ("type", "data"),
}
"""The blocks of thoughts, each with the fields that go back unchanged."""


class MessagesAPI:
    """Requests and responses of the Messages API; see ``StatelessAPI``.

    Args:
        connection: sends the requests.
        arguments: further arguments of each request, for the SDK.
    """

    def __init__(self, connection: ServiceClient, arguments: Mapping[str, Any]) -> None:
        self._client = connection
        self._arguments = arguments

    def request(
        self,
        messages: list[dict[str, Any]],
        instructions: str | None,
        **options: Any,  # noqa: ANN401 - the SDK's own
    ) -> Callable[[Any], Any]:
        """Return the call for a client of the SDK."""
        system: dict[str, Any] = {"system": replace_surrogates(instructions)} if instructions else {}
        return lambda client: client.messages.create(
            model=self._client.model, messages=messages, **self._arguments, **system, **options
        )

    def tool_options(self, tools: ToolRequest) -> dict[str, Any]:
        """Return the tools; they stay in a request that may call none, because it has calls."""
        specs = [
            {"name": spec.name, "description": spec.description, "input_schema": dict(spec.parameters)}
            for spec in tools.specs
        ]
        return {"tools": specs} | ({} if tools.may_call else {"tool_choice": {"type": "none"}})

    def round_messages(self, one: ToolRound) -> list[dict[str, Any]]:
        """Return a message of the model with the calls, and one of the user with the results."""
        results = [
            {"type": "tool_result", "tool_use_id": block_id(call.id), "content": replace_surrogates(result)}
            for call, result in zip(one.calls, one.results, strict=True)
        ]
        content = _blocks_of(one.state) or [*_text_blocks(one.text), *map(_use_block, one.calls)]
        return [{"role": "assistant", "content": content}, {"role": "user", "content": results}]

    def accumulator(self) -> StreamAccumulator:
        """Return the builder of a message from its stream."""
        return MessageAccumulator()

    def read_calls(self, message: Message) -> ToolCalls | None:
        """Read the calls of tools in a message."""
        self._raise_error(message)
        uses = [block for block in message.content if block.type == "tool_use"]
        if not uses or interrupts_calls(message.stop_reason):
            return None
        calls = as_tool_calls((use.id, use.name, use.input) for use in uses)
        return ToolCalls(calls, _text_of(message), _state_of(message, calls), _usage(message))

    def parse(self, message: Message) -> Reply:
        """Read the text of a message."""
        self._raise_error(message)
        text = _text_of(message)
        # Text before a refusal must not be used.
        if not text or message.stop_reason == "refusal":
            raise self._client.errors.empty(message.stop_reason)
        return Reply(text, message.id or "", _usage(message), cut_reason(message.stop_reason))

    def _raise_error(self, message: Message) -> None:
        error = getattr(message, "error", None)
        if error:
            raise self._client.errors.from_body({"error": error})


def _text_of(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text").strip()


def _state_of(message: Message, calls: tuple[ToolCall, ...]) -> JSON:
    """Return the blocks of a message with thoughts; None without: then the calls say it all."""
    if not any(block.type in _THOUGHTS for block in message.content):
        return None
    uses = iter(calls)
    return {"blocks": [block for each in message.content for block in _blocks_to_return(each, uses)]}


def _blocks_to_return(block: Any, uses: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a block, and an iterator
    if block.type in _THOUGHTS:
        return [{name: field(block, name) or "" for name in _THOUGHTS[block.type]}]
    if block.type == "tool_use":
        return [_use_block(next(uses))]
    return _text_blocks(block.text) if block.type == "text" else []


def _blocks_of(state: JSON) -> list[Any]:
    return items(state.get("blocks")) if isinstance(state, Mapping) else []


def _text_blocks(text: str) -> list[dict[str, Any]]:
    """Return a block of text; the service refuses an empty one."""
    return [{"type": "text", "text": replace_surrogates(text)}] if text.strip() else []


def _use_block(call: ToolCall) -> dict[str, Any]:
    return {
        "type": "tool_use",
        "id": block_id(call.id),
        "name": tool_name(call.name),
        "input": arguments_object(call.arguments),
    }


def _usage(message: Message) -> Usage | None:
    if message.usage is None:  # the SDK declares it as always present, but does not check
        return None
    cached = getattr(message.usage, "cache_read_input_tokens", 0)
    written = getattr(message.usage, "cache_creation_input_tokens", 0)
    details = getattr(message.usage, "output_tokens_details", None)
    thinking = getattr(details, "thinking_tokens", 0)
    usage = Usage.from_counts(message.usage.input_tokens, cached, message.usage.output_tokens, thinking)
    # The API counts tokens read from and written to its cache separately.
    return usage + Usage(usage.cached_input_tokens) + Usage.from_counts(written, 0, 0, 0)
