"""A server that streams fixed events, and ends the response as asked."""

from __future__ import annotations

import json
from typing import Any, Literal

from tests.support.fixed_response_server import FixedResponseServer

__all__ = ["End", "EventStreamServer", "encode"]

End = Literal["whole", "cut", "open"]
"""How a chunked response ends: with its last chunk, without it, or not at all: the connection stays open."""

KIND = "text/event-stream\r\ntransfer-encoding: chunked"


def encode(*events: dict[str, Any] | str) -> bytes:
    """Return events as server-sent events; a text is sent as it is."""
    return b"".join(_encode(event) for event in events)


def _encode(event: dict[str, Any] | str) -> bytes:
    if isinstance(event, str):
        return f"data: {event}\n\n".encode()
    name = f"event: {event['type']}\n" if "type" in event else ""
    return f"{name}data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


class EventStreamServer(FixedResponseServer):
    """Answers each request with the same events.

    Args:
        events: the events.
        end: how the response ends.
    """

    def __init__(self, *events: dict[str, Any] | str, end: End = "whole") -> None:
        super().__init__(None)
        self.streams(*events, end=end)

    def streams(self, *events: dict[str, Any] | str, end: End = "whole") -> None:
        """Answer later requests with other events."""
        body = encode(*events)
        last = b"0\r\n\r\n" if end == "whole" else b""
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {KIND}\r\n\r\n"
        self.response = (head.encode(), b"%x\r\n%s\r\n%s" % (len(body), body, last))
        self.missing = int(end == "cut")

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The bodies of the requests."""
        return [json.loads(body) for body in self.requests]
