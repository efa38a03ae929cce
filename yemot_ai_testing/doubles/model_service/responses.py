"""The OpenAI Responses API: bodies and events of one answer, as plain data.

Pure: no server, no clock. The shapes are those of the public API reference (Responses,
streaming events), reduced to what its clients read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeAlias

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
    "TOKENS",
    "calls_body",
    "cut_body",
    "encode_event",
    "error_events",
    "error_response",
    "failed_events",
    "function_call",
    "is_delta",
    "message",
    "reasoning",
    "response_body",
    "response_object",
    "stream_events",
    "web_search_call",
]

ENDPOINT: str = "/responses"
HAS_ITEMS: bool = True
STREAM_END: bytes = b""

OutputItem: TypeAlias = "dict[str, Any]"

_EMPTY: Final[Mapping[str, Mapping[str, Any]]] = {
    "message": {"content": []},
    "function_call": {"arguments": ""},
}
"""What an item that begins does not have yet, by its type."""

_ERRORS: Final[Mapping[FailureKind, tuple[int, str, str, str]]] = {
    "rate_limited": (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests"),
    "unauthorized": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided"),
    "overloaded": (500, "server_error", "server_error", "The server had an error processing your request"),
    "context_overflow": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
    ),
    "quota_exceeded": (
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "unknown_model": (
        404,
        "invalid_request_error",
        "model_not_found",
        "The requested model does not exist or you do not have access to it.",
    ),
    "refused_request": (
        400,
        "invalid_request_error",
        "invalid_prompt",
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
    ),
}

_ERRORS_IN_STREAM: Final = frozenset({"context_overflow", "quota_exceeded"})


def error_response(failure: Failure) -> ErrorResponse:
    """Return the HTTP response of a failure."""
    status, kind, code, message = _ERRORS[failure.kind]
    headers = {} if failure.retry_after is None else {"retry-after": f"{failure.retry_after:g}"}
    error = {"message": message, "type": kind, "param": None, "code": code}
    return ErrorResponse(status, headers, {"error": error})


def error_events(
    failure: Failure, unique_id: str, *, request: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    """Return the events of a failure after status 200; empty if the API sends an HTTP error instead."""
    if failure.kind not in _ERRORS_IN_STREAM:
        return ()
    return failed_events(error_response(failure), unique_id, request=request)


def failed_events(
    error: ErrorResponse, unique_id: str, *, request: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    """Return the start of a response, then the event that ends it with an error."""
    response_id = f"resp_{unique_id}"
    start = next(stream_events(response_object(response_id, (), request=request), ()))
    body = response_object(response_id, (), request=request, status="failed")
    body["error"] = {"code": error.error.get("code"), "message": error.error.get("message")}
    return start, {"type": "response.failed", "sequence_number": 1, "response": body}


def response_body(step: Answer, unique_id: str, *, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an answer: its items, then its messages."""
    output: list[Mapping[str, Any]] = list(step.items)
    if step.saying:
        output.append(message(step.saying, item_id="msg_0"))
    if step.pieces:
        output.append(message(step.text))
    return response_object(f"resp_{unique_id}", output, request=request)


def calls_body(step: Calls, unique_id: str, *, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an answer that calls tools: a message with its text, then the calls."""
    body = response_body(Answer(step.pieces), unique_id, request=request)
    calls = [
        _call_item(name, arguments, call_id)
        for call_id, (name, arguments) in zip(call_ids("call_", step, unique_id), step.calls, strict=True)
    ]
    return {**body, "output": [*body["output"], *calls]}


def cut_body(body: Mapping[str, Any], reason: CutReason) -> dict[str, Any]:
    """Return the body of an answer that was cut by ``length`` or ``content_filter``."""
    why = {"length": "max_output_tokens", "content_filter": "content_filter"}[reason]
    output = [
        {**item, "status": "incomplete"} if item["type"] == "message" else item for item in body["output"]
    ]
    return {**body, "status": "incomplete", "output": output, "incomplete_details": {"reason": why}}


def message(text: str, *, item_id: str = "msg_1") -> OutputItem:
    """Return a message item of the assistant."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "message", "id": item_id, "role": "assistant", "status": "completed", "content": [part]}


def reasoning(summary: str, *, item_id: str = "rs_1") -> OutputItem:
    """Return a reasoning item."""
    parts = [{"type": "summary_text", "text": summary}]
    return {"type": "reasoning", "id": item_id, "summary": parts, "encrypted_content": None}


def function_call(name: str, arguments: Mapping[str, Any], *, call_id: str = "call_1") -> OutputItem:
    """Return a call of one of the client's tools."""
    return _call_item(name, json.dumps(arguments), call_id)


def _call_item(name: str, arguments: str, call_id: str) -> OutputItem:
    return {
        "type": "function_call",
        "id": f"fc_{call_id.removeprefix('call_')}",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
        "status": "completed",
    }


def web_search_call(query: str, *, item_id: str = "ws_1") -> OutputItem:
    """Return a finished web search (a tool of the service)."""
    action = {"type": "search", "query": query}
    return {"type": "web_search_call", "id": item_id, "status": "completed", "action": action}


def response_object(
    response_id: str,
    output: Sequence[Mapping[str, Any]],
    *,
    request: Mapping[str, Any],
    status: str = "completed",
) -> dict[str, Any]:
    """Return the response object, as the API returns it without streaming."""
    return {
        "id": response_id,
        "object": "response",
        "created_at": 1_700_000_000,
        "status": status,
        "model": request.get("model", ""),
        "instructions": request.get("instructions"),
        "previous_response_id": request.get("previous_response_id"),
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "temperature": 1.0,
        "top_p": 1.0,
        "metadata": {},
        "error": None,
        "incomplete_details": None,
        "usage": _usage() if status == "completed" else None,
    }


def _usage() -> dict[str, Any]:
    return {
        "input_tokens": TOKENS["input"],
        "input_tokens_details": {"cached_tokens": TOKENS["cached"], "cache_write_tokens": 0},
        "output_tokens": TOKENS["output"],
        "output_tokens_details": {"reasoning_tokens": TOKENS["reasoning"]},
        "total_tokens": TOKENS["input"] + TOKENS["output"],
    }


def stream_events(body: Mapping[str, Any], pieces: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the events of a streamed response, in order.

    Args:
        body: the complete ``response_object(…)``.
        pieces: the text of its last message, in pieces; other messages are one piece.
    """
    for number, event in enumerate(_unnumbered_events(body, pieces)):
        yield {**event, "sequence_number": number}


def _unnumbered_events(body: Mapping[str, Any], pieces: Sequence[str]) -> Iterator[dict[str, Any]]:
    started = {**body, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    for index, item in enumerate(body["output"]):
        empty = {**item, "status": "in_progress", **_EMPTY.get(item["type"], {})}
        yield {"type": "response.output_item.added", "output_index": index, "item": empty}
        if item["type"] == "message":
            text = item["content"][0]["text"]
            written = pieces if text == "".join(pieces) else (text,)
            yield from _text_events(item, written, {"item_id": item["id"], "output_index": index})
        if item["type"] == "function_call":
            yield from _arguments_events(item, {"item_id": item["id"], "output_index": index})
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{body['status']}", "response": dict(body)}


def _text_events(
    item: OutputItem, pieces: Sequence[str], indexes: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    position = {**indexes, "content_index": 0}
    part = item["content"][0]
    yield {"type": "response.content_part.added", **position, "part": {**part, "text": ""}}
    for piece in pieces:
        yield {"type": "response.output_text.delta", **position, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **position, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **position, "part": part}


def _arguments_events(item: OutputItem, place: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for piece in argument_pieces(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
    yield {"type": "response.function_call_arguments.done", **place, "arguments": item["arguments"]}


def is_delta(event: Mapping[str, Any]) -> bool:
    """Return whether the event is a piece of text."""
    return bool(event["type"] == "response.output_text.delta")
