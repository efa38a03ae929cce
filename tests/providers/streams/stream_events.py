"""Events of the three APIs, as services and compatible servers stream them."""

from __future__ import annotations

from typing import Any

from yemot_ai.providers import AnthropicProvider, OpenAIProvider, Provider, Reply, read_reply

__all__ = [
    "LIMIT",
    "MESSAGE_START",
    "MESSAGE_STOP",
    "USAGE",
    "USAGE_CHUNK",
    "Event",
    "block",
    "chat",
    "chunk",
    "delta",
    "ended",
    "listen",
    "messages",
    "output",
    "responses",
    "stopped",
]

Event = dict[str, Any] | str

LIMIT = 10.0
"""Seconds for an answer; a provider that waited for the end of the connection would fail after them."""


def responses(url: str, timeout: float = LIMIT, **options: Any) -> Provider:  # noqa: ANN401 - any option
    return OpenAIProvider(api_key="test", model="m", base_url=f"{url}/v1", timeout=timeout, **options)


def chat(url: str, timeout: float = LIMIT, **options: Any) -> Provider:  # noqa: ANN401 - any option
    return responses(url, timeout, api="chat", **options)


def messages(url: str, timeout: float = LIMIT, **options: Any) -> Provider:  # noqa: ANN401 - any option
    return AnthropicProvider(api_key="test", model="m", base_url=url, timeout=timeout, **options)


async def listen(provider: Provider, **arguments: Any) -> tuple[list[str], Reply]:  # noqa: ANN401 - of ``ask``
    """Return the pieces and the reply of a streamed answer."""
    received: list[str] = []
    parts = provider.ask("עד מתי?", stream=True, **arguments)
    try:
        reply = await read_reply(parts, provider.name, received.append)
    finally:
        await provider.aclose()  # type: ignore[attr-defined]  # these providers have it
    return received, reply


def delta(text: str, content_index: int = 0) -> dict[str, Any]:
    place = {"item_id": "m", "output_index": 0, "content_index": content_index}
    return {"type": "response.output_text.delta", **place, "delta": text}


def output(text: str) -> list[dict[str, Any]]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return [{"type": "message", "id": "m", "role": "assistant", "content": content}]


def ended(text: str = "", kind: str = "completed", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    """Return the last event of a response."""
    response = {"id": "resp_1", "status": kind, "output": output(text) if text else [], **fields}
    return {"type": f"response.{kind}", "response": response}


def chunk(text: str = "", finish: str | None = None, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice], **fields}


USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
USAGE_CHUNK = {"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": USAGE}


def block(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


MESSAGE_START = {
    "type": "message_start",
    "message": {"id": "m", "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}},
}


def stopped(reason: str | None = "end_turn") -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 2}}


MESSAGE_STOP = {"type": "message_stop"}
