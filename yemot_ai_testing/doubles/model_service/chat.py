"""The Chat Completions API: bodies and chunks of one answer, as plain data.

Pure: no server, no clock. The shapes are those of the public API reference (Chat Completions,
streaming chunks), reduced to what its clients read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.doubles.model_service import responses as responses_api
from yemot_ai_testing.doubles.model_service.api import (
    TOKENS,
    ErrorResponse,
    argument_pieces,
    call_ids,
    encode_event,
)
from yemot_ai_testing.doubles.model_service.api import no_error_events as error_events
from yemot_ai_testing.doubles.steps import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from yemot_ai_testing.doubles.steps import Calls, CutReason, Failure

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

ENDPOINT: str = "/chat/completions"
HAS_ITEMS: bool = False
STREAM_END: bytes = b"data: [DONE]\n\n"

_OVERFLOW_MESSAGE: Final = (
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. "
    "Please reduce the length of the messages."
)


def response_body(step: Answer, unique_id: str, *, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an answer; a step's ``items`` are for the Responses API only."""
    message: dict[str, Any] = {"role": "assistant", "content": step.text, "refusal": None}
    return {
        "id": f"chatcmpl-{unique_id}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": request.get("model", ""),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": TOKENS["input"],
            "completion_tokens": TOKENS["output"],
            "total_tokens": TOKENS["input"] + TOKENS["output"],
            "prompt_tokens_details": {"cached_tokens": TOKENS["cached"], "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": TOKENS["reasoning"], "audio_tokens": 0},
        },
        "system_fingerprint": None,
    }


def calls_body(step: Calls, unique_id: str, *, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an answer that calls tools; without a text its content is null."""
    body = response_body(Answer(step.pieces), unique_id, request=request)
    choice = body["choices"][0]
    calls = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, (name, arguments) in zip(call_ids("call_", step, unique_id), step.calls, strict=True)
    ]
    message = {**choice["message"], "content": step.saying or None, "tool_calls": calls}
    return {**body, "choices": [{**choice, "message": message, "finish_reason": "tool_calls"}]}


def stream_events(body: Mapping[str, Any], pieces: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the chunks of a streamed answer, in order."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in pieces]
    for index, call in enumerate(body["choices"][0]["message"].get("tool_calls", ())):
        deltas += [{"tool_calls": [{"index": index, **part}]} for part in _call_parts(call)]
    for delta in deltas:
        yield _chunk(body, [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}])
    finish = body["choices"][0]["finish_reason"]
    yield _chunk(body, [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish}])
    yield {**_chunk(body, []), "usage": body["usage"]}


def _call_parts(call: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a call in parts: its name, then its arguments in pieces."""
    yield {**call, "function": {**call["function"], "arguments": ""}}
    for piece in argument_pieces(call["function"]["arguments"]):
        yield {"function": {"arguments": piece}}


def cut_body(body: Mapping[str, Any], reason: CutReason) -> dict[str, Any]:
    """Return the body of an answer that was cut by ``length`` or ``content_filter``."""
    return {**body, "choices": [{**body["choices"][0], "finish_reason": reason}]}


def failed_events(
    error: ErrorResponse, unique_id: str, *, request: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    """Return the event that reports an error in a stream: the body of the error."""
    del unique_id, request
    return (error.object,)


def is_delta(event: Mapping[str, Any]) -> bool:
    """Return whether the chunk is a piece of text."""
    return any(choice["delta"].get("content") for choice in event["choices"])


def error_response(failure: Failure) -> ErrorResponse:
    """Return the error of the Responses API; a context overflow has its own message."""
    response = responses_api.error_response(failure)
    if failure.kind != "context_overflow":
        return response
    error = {**response.error, "message": _OVERFLOW_MESSAGE, "param": "messages"}
    return ErrorResponse(response.status, response.headers, {"error": error})


def _chunk(body: Mapping[str, Any], choices: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    shared = {name: body[name] for name in ("id", "created", "model", "system_fingerprint")}
    return {**shared, "object": "chat.completion.chunk", "choices": list(choices)}
