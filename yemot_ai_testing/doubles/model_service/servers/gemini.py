"""Gemini's OpenAI-compatible API: errors in a list, waits among their details."""

from __future__ import annotations

from typing import Any, Final

from yemot_ai_testing.doubles.model_service import chat
from yemot_ai_testing.doubles.model_service.quirks.chat import (
    calls_as_whole_chunks,
    text_in_last_chunk,
)
from yemot_ai_testing.doubles.model_service.served import Quirk, ServedAPI, ServerError, ServerQuirks

__all__ = ["GEMINI"]

_GOOGLE: Final = "type.googleapis.com/google.rpc"


def _error(code: int, status: str, message: str, *details: dict[str, Any]) -> list[dict[str, Any]]:
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    return [{"error": {**error, "details": list(details)} if details else error}]


_ERRORS: Final = {
    "rate_limited": ServerError(
        429,
        _error(
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota, please check your plan and billing details.",
            {"@type": f"{_GOOGLE}.RetryInfo", "retryDelay": "{wait}s"},
        ),
        "https://github.com/dcdpr/jp/pull/1061",
        retry_header=False,
    ),
    "unauthorized": ServerError(
        400,
        _error(
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            {
                "@type": f"{_GOOGLE}.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            },
        ),
        "https://github.com/continuedev/continue/issues/10290",
    ),
    "overloaded": ServerError(
        503,
        _error(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        "https://ai.google.dev/gemini-api/docs/troubleshooting",
        retry_header=False,
    ),
    "context_overflow": ServerError(
        400,
        _error(
            400,
            "INVALID_ARGUMENT",
            "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
        ),
        "https://github.com/earendil-works/pi/issues/129",
    ),
    "unknown_model": ServerError(
        404,
        _error(
            404,
            "NOT_FOUND",
            "models/{model} is not found for API version v1main, or is not supported for generateContent.",
        ),
        "https://ai.google.dev/gemini-api/docs/troubleshooting",
    ),
}

GEMINI: Final = ServerQuirks(
    "gemini",
    (
        ServedAPI(
            chat,
            _ERRORS,
            (
                Quirk(
                    calls_as_whole_chunks(index=None, reason="stop"),
                    "https://github.com/open-webui/computer/issues/224",
                ),
                Quirk(text_in_last_chunk, "https://ai.google.dev/gemini-api/docs/openai"),
            ),
        ),
    ),
)
