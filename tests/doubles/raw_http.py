"""Requests to a model service without an SDK: the raw bytes of its answers."""

from __future__ import annotations

import http.client
import json
from typing import Any

from yemot_ai_testing.doubles.model_service.server import ModelServer

__all__ = ["PIECES", "TEXT", "THOUGHTS", "events_of", "post", "request_body", "stream", "whole"]

PIECES = ["שלום, ", "מה נשמע?"]
TEXT = "שלום, מה נשמע?"
THOUGHTS = "המשתמש מברך"


def request_body(*, stream: bool) -> dict[str, Any]:
    """Return a body that each API understands."""
    messages = [{"role": "user", "content": "היי"}]
    return {"model": "m", "input": "היי", "messages": messages, "stream": stream}


def post(
    model: ModelServer, endpoint: str, body: dict[str, Any]
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Send a request without an SDK; an unclean end is no error."""
    connection = http.client.HTTPConnection(model.root_url.removeprefix("http://"), timeout=10)
    try:
        connection.request("POST", f"/v1{endpoint}", json.dumps(body))
        response = connection.getresponse()
        try:
            return response.status, response.headers, response.read()
        except http.client.IncompleteRead as cut:
            return response.status, response.headers, cut.partial
    finally:
        connection.close()


def stream(
    server: str, endpoint: str = "/chat/completions", thoughts: str = ""
) -> tuple[list[dict[str, Any]], str]:
    """Return the events of a streamed answer, and the raw text."""
    with ModelServer(quirks=server) as model:
        model.answers(PIECES, thoughts=thoughts)
        raw = post(model, endpoint, request_body(stream=True))[2].decode()
    return events_of(raw), raw


def events_of(raw: str) -> list[dict[str, Any]]:
    data = [line.removeprefix("data: ") for line in raw.splitlines() if line.startswith("data: ")]
    return [json.loads(one) for one in data if one != "[DONE]"]


def whole(server: str, endpoint: str = "/chat/completions", thoughts: str = "") -> dict[str, Any]:
    """Return a whole answer."""
    with ModelServer(quirks=server) as model:
        model.answers(PIECES, thoughts=thoughts)
        answer: dict[str, Any] = json.loads(post(model, endpoint, request_body(stream=False))[2])
        return answer
