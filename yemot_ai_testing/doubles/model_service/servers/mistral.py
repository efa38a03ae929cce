"""Mistral: errors without ``error``, codes as numbers in texts, and ``model_length``."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.doubles.model_service import chat
from yemot_ai_testing.doubles.model_service.quirks.chat import finish_reasons, usage_in_last_chunk
from yemot_ai_testing.doubles.model_service.served import Quirk, ServedAPI, ServerError, ServerQuirks

__all__ = ["MISTRAL"]

_API_PAGE: Final = "https://docs.mistral.ai/api/"

_ERRORS: Final = {
    "rate_limited": ServerError(
        429,
        {
            "object": "error",
            "message": "Rate limit exceeded",
            "type": "rate_limited",
            "param": None,
            "code": "1300",
            "raw_status_code": 429,
        },
        "https://github.com/raycast/extensions/issues/31107",
    ),
    "unauthorized": ServerError(
        401, {"detail": "Unauthorized"}, "https://github.com/agent0ai/agent-zero/issues/539"
    ),
    "context_overflow": ServerError(
        400,
        {
            "object": "error",
            "message": (
                "Prompt contains 65673 tokens, too large for model with 32768 maximum context length"
            ),
            "type": "invalid_request_error",
            "code": 3051,
        },
        "https://discuss.google.dev/t/mistral-large-2407-inference-context-length-error/165446",
    ),
    "unknown_model": ServerError(
        400,
        {
            "object": "error",
            "message": "Invalid model: {model}",
            "type": "invalid_model",
            "param": None,
            "code": "1500",
        },
        "https://github.com/tmc/langchaingo/issues/1233",
    ),
}

MISTRAL: Final = ServerQuirks(
    "mistral",
    (
        ServedAPI(
            chat,
            _ERRORS,
            (
                Quirk(finish_reasons({"length": "model_length"}), _API_PAGE),
                Quirk(usage_in_last_chunk, _API_PAGE),
            ),
        ),
    ),
)
