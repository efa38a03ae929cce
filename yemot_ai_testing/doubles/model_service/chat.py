"""What the Chat Completions API says: the bodies and chunks of one answer, as plain data.

Pure: no server, no clock. The shapes are those of the public API reference (Chat Completions,
streaming chunks), reduced to what its clients read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.doubles.model_service import responses as responses_api
from yemot_ai_testing.doubles.model_service.api import TOKENS, Refusal, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from yemot_ai_testing.doubles.steps import Answer, Failure

__all__ = ["END", "ENDPOINT", "is_delta", "refusal", "refusing_events", "sse", "stream_events", "whole"]

ENDPOINT: str = "/chat/completions"
END: bytes = b"data: [DONE]\n\n"

_OVERFLOW: Final = (
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. "
    "Please reduce the length of the messages."
)


def whole(step: Answer, number: str, *, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an answer; the items of a step belong to another API."""
    message: dict[str, Any] = {"role": "assistant", "content": step.text, "refusal": None}
    return {
        "id": f"chatcmpl-{number}",
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


def stream_events(whole: Mapping[str, Any], pieces: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Write the chunks of a streamed answer, in order."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in pieces]
    for delta in deltas:
        yield _chunk(whole, [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}])
    yield _chunk(whole, [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}])
    yield {**_chunk(whole, []), "usage": whole["usage"]}


def is_delta(event: Mapping[str, Any]) -> bool:
    """Whether the chunk is a piece of text."""
    return any(choice["delta"].get("content") for choice in event["choices"])


def sse(event: Mapping[str, Any]) -> bytes:
    """Return a chunk as it is sent."""
    return b"data: %s\n\n" % written(event)


def refusal(failure: Failure) -> Refusal:
    """Refuse as the Responses API does, but for the words of an overflow."""
    refused = responses_api.refusal(failure)
    if failure.kind != "context_overflow":
        return refused
    error = {**refused.error, "message": _OVERFLOW, "param": "messages"}
    return Refusal(refused.status, refused.headers, {"error": error})


def refusing_events(
    failure: Failure, number: str, *, request: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    """Return nothing: this API refuses before it streams."""
    del failure, number, request
    return ()


def _chunk(whole: Mapping[str, Any], choices: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    kept = {name: whole[name] for name in ("id", "created", "model", "system_fingerprint")}
    return {**kept, "object": "chat.completion.chunk", "choices": list(choices)}
