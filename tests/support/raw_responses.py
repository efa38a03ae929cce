"""A Responses API of raw bytes, for the real Codex; written without a library."""

from __future__ import annotations

import json
import socketserver
import threading
from typing import TYPE_CHECKING, Any

from yemot_ai_testing.doubles.model_service.server import CODEX_KEY_VARIABLE

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

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


class RawResponses:
    """Serve these responses in order, byte for byte; the last one again for further requests."""

    def __init__(self, *responses: bytes) -> None:
        self.responses = list(responses)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def codex_options(self, *, model: str = "gpt-5-codex") -> dict[str, Any]:
        """Return ``config`` and ``env`` of a Codex provider that asks this server, with its own retries."""
        provider = "model_providers.raw"
        config = {
            "model": f'"{model}"',
            "model_provider": '"raw"',
            f"{provider}.name": '"raw"',
            f"{provider}.base_url": f'"http://127.0.0.1:{self._server.server_address[1]}/v1"',
            f"{provider}.wire_api": '"responses"',
            f"{provider}.env_key": f'"{CODEX_KEY_VARIABLE}"',
            f"{provider}.supports_websockets": "false",
        }
        return {"config": config, "env": {CODEX_KEY_VARIABLE: "none", "NO_PROXY": "127.0.0.1"}}

    def take(self) -> bytes:
        """Return the next response."""
        return self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, owner: RawResponses) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        line = self.rfile.readline().decode()
        headers = dict(self._headers())
        body = self.rfile.read(int(headers.get("content-length", "0")))
        if not line.startswith("POST") or "/responses" not in line:
            self.wfile.write(error_response(404, {"error": {"message": "no such path"}}))
            return
        owner = self.server.owner
        owner.requests.append(json.loads(body))
        owner.keys.append(headers.get("authorization", ""))
        self.wfile.write(owner.take())

    def _headers(self) -> list[tuple[str, str]]:
        found = []
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            found.append((name.lower(), value.strip()))
        return found
