"""Anthropic's Messages API: bodies and events of one answer, as plain data.

Pure: no server, no clock. The shapes are those of the public API reference (Messages, streaming
events, errors), reduced to what its clients read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.doubles.model_service.api import TOKENS, ErrorResponse, argument_pieces, call_ids
from yemot_ai_testing.doubles.model_service.api import encode_named_event as encode_event
from yemot_ai_testing.doubles.steps import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from yemot_ai_testing.doubles.steps import Calls, CutReason, Failure, FailureKind

__all__ = [
    "ENDPOINT",
    "HAS_ITEMS",
    "STREAM_END",
    "calls_body",
    "cut_body",
    "encode_event",
    "error_events",
    "error_response",
    "failed_events",
    "is_delta",
    "response_body",
    "stream_events",
]

ENDPOINT: str = "/messages"
HAS_ITEMS: bool = False
STREAM_END: bytes = b""

_ERRORS: Final[Mapping[FailureKind, tuple[int, str, str]]] = {
    "rate_limited": (429, "rate_limit_error", "This request would exceed your organization's rate limit"),
    "unauthorized": (401, "authentication_error", "invalid x-api-key"),
    "overloaded": (529, "overloaded_error", "Overloaded"),
    "context_overflow": (
        400,
        "invalid_request_error",
        "prompt is too long: 200012 tokens > 200000 maximum",
    ),
    "quota_exceeded": (
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API.",
    ),
    "unknown_model": (404, "not_found_error", "model: no-such-model"),
    "refused_request": (400, "invalid_request_error", "Output blocked by content filtering policy"),
}

_STOP_REASONS: Final[Mapping[CutReason, str]] = {"length": "max_tokens", "content_filter": "refusal"}


def response_body(step: Answer, unique_id: str, *, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an answer; an empty answer has no content, as in the real API."""
    content = [{"type": "text", "text": step.text, "citations": None}] if step.text else []
    return {
        "id": f"msg_{unique_id}",
        "type": "message",
        "role": "assistant",
        "model": request.get("model", ""),
        "content": content,
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": TOKENS["input"] - TOKENS["cached"],
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": TOKENS["cached"],
            "output_tokens": TOKENS["output"],
            "service_tier": "standard",
        },
    }


def calls_body(step: Calls, unique_id: str, *, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an answer that calls tools; an input that is no JSON object is empty."""
    body = response_body(Answer(step.pieces), unique_id, request=request)
    ids = call_ids("toolu_", step, unique_id)
    uses = [
        {"type": "tool_use", "id": use_id, "name": name, "input": _Input(arguments)}
        for use_id, (name, arguments) in zip(ids, step.calls, strict=True)
    ]
    text = body["content"] if step.saying else []
    return {**body, "content": [*text, *uses], "stop_reason": "tool_use"}


class _Input(dict[str, Any]):
    """The input of a call; a stream has what the model has written, even if that is no JSON."""

    def __init__(self, arguments: str) -> None:
        self.written = arguments
        try:
            read = json.loads(arguments or "{}")
        except ValueError:
            read = {}
        super().__init__(read if isinstance(read, dict) else {})


def stream_events(body: Mapping[str, Any], pieces: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the events of a streamed answer, in order."""
    started = {**body, "content": [], "stop_reason": None, "usage": {**body["usage"], "output_tokens": 1}}
    yield {"type": "message_start", "message": started}
    for index, block in enumerate(body["content"]):
        empty, deltas = _block_events(block, pieces)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    end = {"stop_reason": body["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": body["usage"]["output_tokens"]}
    yield {"type": "message_delta", "delta": end, "usage": usage}
    yield {"type": "message_stop"}


def _block_events(
    block: Mapping[str, Any], pieces: Sequence[str]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the start of a block and its deltas; the first part of an input is empty."""
    if block["type"] == "text":
        return {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in pieces]
    use: _Input = block["input"]
    parts = [{"type": "input_json_delta", "partial_json": part} for part in ("", *_pieces_of(use))]
    return {**block, "input": {}}, parts


def _pieces_of(use: _Input) -> list[str]:
    return argument_pieces(use.written) if use or use.written.strip() not in {"", "{}"} else []


def cut_body(body: Mapping[str, Any], reason: CutReason) -> dict[str, Any]:
    """Return the body of an answer that was cut by ``length`` or ``content_filter``."""
    return {**body, "stop_reason": _STOP_REASONS[reason]}


def is_delta(event: Mapping[str, Any]) -> bool:
    """Return whether the event is a piece of text."""
    return bool(event["type"] == "content_block_delta" and event["delta"]["type"] == "text_delta")


def error_response(failure: Failure) -> ErrorResponse:
    """Return the HTTP response of a failure."""
    status, kind, message = _ERRORS[failure.kind]
    headers = {} if failure.retry_after is None else {"retry-after": f"{failure.retry_after:g}"}
    error = {"type": kind, "message": message}
    return ErrorResponse(status, headers, {"type": "error", "error": error, "request_id": "req_1"})


def error_events(
    failure: Failure, unique_id: str, *, request: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    """Return the events of an overloaded service: the start of the message, then an error event."""
    if failure.kind != "overloaded":
        return ()
    return failed_events(error_response(failure), unique_id, request=request)


def failed_events(
    error: ErrorResponse, unique_id: str, *, request: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    """Return the start of a message, then the event that reports an error: the body of the error."""
    start = next(stream_events(response_body(Answer(()), unique_id, request=request), ()))
    return start, error.object
