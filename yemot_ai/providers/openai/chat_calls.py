"""Calls of tools in Chat Completions: in messages, and in the chunks of a stream.

Compatible servers send a whole call in one chunk, number all calls 0 (Ollama), give each chunk another id
(OCI), or leave ids out (llama.cpp).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from yemot_ai.providers.provider import JSON, ToolCall
from yemot_ai.providers.sdk import fields
from yemot_ai.providers.sdk.tools import as_tool_calls

__all__ = ["ChunkCalls", "extra_contents", "message_calls"]


def message_calls(calls: list[Any]) -> tuple[ToolCall, ...]:
    """Return the calls of a message.

    Args:
        calls: its ``tool_calls``; those of custom tools, which no request offers, are left out.
    """
    functions = [(call, fields.field(call, "function")) for call in calls]
    return as_tool_calls(
        (fields.field(call, "id"), fields.field(function, "name"), fields.field(function, "arguments"))
        for call, function in functions
        if function is not None
    )


def extra_contents(calls: list[Any]) -> list[JSON]:
    """Return what Gemini adds to each call and needs back: the signature of its thoughts."""
    return [
        fields.field(call, "extra_content") for call in calls if fields.field(call, "function") is not None
    ]


@dataclass(slots=True)
class _ChunkCall:
    id: str
    name: str
    arguments: list[str]
    extra: JSON

    @property
    def is_whole(self) -> bool:
        """Whether the arguments are complete JSON."""
        try:
            json.loads("".join(self.arguments))
        except (ValueError, RecursionError):
            return False
        return True

    @property
    def message_call(self) -> dict[str, Any]:
        function = {"name": self.name, "arguments": "".join(self.arguments)}
        return {"id": self.id, "type": "function", "function": function, "extra_content": self.extra}


@dataclass(slots=True)
class ChunkCalls:
    """Builds the calls of a message from the chunks of its stream."""

    _calls: list[_ChunkCall] = field(default_factory=list)
    _by_index: dict[object, _ChunkCall] = field(default_factory=dict)

    @property
    def tool_calls(self) -> list[dict[str, Any]]:
        """The calls, as a whole message has them."""
        return [call.message_call for call in self._calls]

    def feed(self, deltas: list[Any]) -> None:
        """Add the calls of a chunk, or parts of calls."""
        for delta in deltas:
            function = fields.field(delta, "function")
            call_id, name = fields.field(delta, "id") or "", fields.field(function, "name") or ""
            index = fields.field(delta, "index")
            key = call_id if index is None else index
            call = self._by_index.get(key)
            if call is None and not name and self._calls:  # Gemini numbers no part
                call = self._calls[-1]
            if call is None or _begins_call(call, call_id, name):
                call = self._by_index[key] = _ChunkCall(call_id, name, [], None)
                self._calls.append(call)
            call.id, call.name = call.id or call_id, call.name or name
            call.arguments.append(_text(fields.field(function, "arguments")))
            call.extra = fields.field(delta, "extra_content") or call.extra


def _begins_call(call: _ChunkCall, call_id: str, name: str) -> bool:
    """Return whether a part is the beginning of another call than the one with the same index."""
    if not name or not call.name:
        return False
    return call_id != call.id if call_id and call.id else name != call.name or call.is_whole


def _text(arguments: object) -> str:
    return arguments if isinstance(arguments, str) else "" if arguments is None else json.dumps(arguments)
