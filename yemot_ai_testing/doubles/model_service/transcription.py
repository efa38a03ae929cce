"""OpenAI's transcription API: body and events of one transcription, as plain data.

Pure: no server, no clock. The shapes are those of the public API reference (Create transcription),
reduced to what its clients read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yemot_ai_testing.doubles.model_service.api import TOKENS, encode_event
from yemot_ai_testing.doubles.model_service.api import no_calls as calls_body
from yemot_ai_testing.doubles.model_service.api import no_cut as cut_body
from yemot_ai_testing.doubles.model_service.api import no_error_events as error_events
from yemot_ai_testing.doubles.model_service.chat import failed_events
from yemot_ai_testing.doubles.model_service.responses import error_response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from yemot_ai_testing.doubles.steps import Answer

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

ENDPOINT: str = "/audio/transcriptions"
HAS_ITEMS: bool = False
STREAM_END: bytes = b""

_DELTA = "transcript.text.delta"


def response_body(step: Answer, unique_id: str, *, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a transcription; it has no id and no model."""
    del unique_id, request
    usage = {
        "type": "tokens",
        "input_tokens": TOKENS["input"],
        "input_token_details": {"text_tokens": 0, "audio_tokens": TOKENS["input"]},
        "output_tokens": TOKENS["output"],
        "total_tokens": TOKENS["input"] + TOKENS["output"],
    }
    return {"text": step.text, "usage": usage}


def stream_events(body: Mapping[str, Any], pieces: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the events of the same transcription as a stream."""
    for piece in pieces:
        yield {"type": _DELTA, "delta": piece}
    yield {"type": "transcript.text.done", **body}


def is_delta(event: Mapping[str, Any]) -> bool:
    """Return whether the event is a piece of text."""
    return bool(event["type"] == _DELTA)
