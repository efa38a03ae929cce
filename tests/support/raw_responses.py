"""A Responses API of raw bytes, for the real Codex."""

from __future__ import annotations

import json
from typing import Any

from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai_testing.doubles.model_service.server import CODEX_KEY_VARIABLE

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def events(*written: dict[str, Any]) -> bytes:
    """Return a stream of events; it ends where the connection does."""
    lines = [
        f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n" for event in written
    ]
    return HEAD + "".join(lines).encode()


def created() -> dict[str, Any]:
    return {"type": "response.created", "response": {"id": "resp_1"}}


def completed() -> dict[str, Any]:
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    return {"type": "response.completed", "response": {"id": "resp_1", "output": [], "usage": usage}}


def failed(code: str, message: str) -> dict[str, Any]:
    error = {"code": code, "message": message}
    return {"type": "response.failed", "response": {"id": "resp_1", "status": "failed", "error": error}}


def begun(*deltas: str, item_id: str = "msg_1", phase: str | None = None) -> list[dict[str, Any]]:
    """Return the events of a message that is not complete."""
    place = {"item_id": item_id, "output_index": 0, "content_index": 0}
    texts = [{"type": "response.output_text.delta", **place, "delta": delta} for delta in deltas]
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": _item("", item_id, phase)},
        *texts,
    ]


def message(*deltas: str, item_id: str = "msg_1", phase: str | None = None) -> list[dict[str, Any]]:
    """Return the events of a whole message."""
    done = {
        "type": "response.output_item.done",
        "output_index": 0,
        "item": _item("".join(deltas), item_id, phase),
    }
    return [*begun(*deltas, item_id=item_id, phase=phase), done]


def whole(*deltas: str) -> bytes:
    """Return the stream of a whole answer."""
    return events(created(), *message(*deltas), completed())


def error_response(status: int, body: object) -> bytes:
    """Return an error response with this JSON body."""
    data = json.dumps(body, ensure_ascii=False).encode()
    head = f"HTTP/1.1 {status} Error\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    return head.encode() + data


def _item(text: str, item_id: str, phase: str | None) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}] if text else []
    item = {"type": "message", "id": item_id, "role": "assistant", "status": "completed", "content": content}
    return {**item, "phase": phase} if phase else item


class RawResponses(FixedResponseServer):
    """Serve these responses in order, byte for byte; the last one again for further requests."""

    def __init__(self, *responses: bytes) -> None:
        super().__init__(None)
        self.sent: list[dict[str, Any]] = []
        self.missing = 1  # a response ends where its connection does
        self._responses = list(responses)

    def codex_options(self, *, model: str = "gpt-5-codex") -> dict[str, Any]:
        """Return ``config`` and ``env`` of a Codex provider that asks this server, with its own retries."""
        provider = "model_providers.raw"
        config = {
            "model": f'"{model}"',
            "model_provider": '"raw"',
            f"{provider}.name": '"raw"',
            f"{provider}.base_url": f'"{self.url}/v1"',
            f"{provider}.wire_api": '"responses"',
            f"{provider}.env_key": f'"{CODEX_KEY_VARIABLE}"',
            f"{provider}.supports_websockets": "false",
        }
        return {"config": config, "env": {CODEX_KEY_VARIABLE: "none", "NO_PROXY": "127.0.0.1"}}

    def response_to(self, head: bytes, request: bytes) -> tuple[bytes, bytes]:
        """Return the next response for a turn; other requests find nothing."""
        line, *_ = head.split(b"\r\n")
        if not line.startswith(b"POST") or b"/responses" not in line:
            return error_response(404, {"error": {"message": "no such path"}}), b""
        self.sent.append(json.loads(request))
        return self._responses.pop(0) if len(self._responses) > 1 else self._responses[0], b""
