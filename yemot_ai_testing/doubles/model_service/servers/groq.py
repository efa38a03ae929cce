"""Groq: limits of tokens a minute, with the wait in the message."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.doubles.model_service import chat
from yemot_ai_testing.doubles.model_service.quirks.chat import thoughts_in_field
from yemot_ai_testing.doubles.model_service.served import Quirk, ServedAPI, ServerError, ServerQuirks

__all__ = ["GROQ"]

_ERRORS: Final = {
    "rate_limited": ServerError(
        429,
        {
            "error": {
                "message": (
                    "Rate limit reached for model `{model}` in organization `org_1` on tokens per minute "
                    "(TPM): Limit 6000, Used 3513, Requested 3166. Please try again in {wait}s. Visit "
                    "https://console.groq.com/docs/rate-limits for more information."
                ),
                "type": "tokens",
                "code": "rate_limit_exceeded",
            }
        },
        "https://github.com/openinterpreter/openinterpreter/issues/408",
    ),
    "context_overflow": ServerError(
        413,
        {
            "error": {
                "message": (
                    "Request too large for model `{model}` in organization `org_1` on tokens per minute "
                    "(TPM): Limit 6000, Requested 14368, please reduce your message size and try again."
                ),
                "type": "tokens",
                "code": "rate_limit_exceeded",
            }
        },
        "https://github.com/assafelovic/gpt-researcher/issues/985",
        retry_header=False,
    ),
    "unauthorized": ServerError(
        401,
        {
            "error": {
                "message": "Invalid API Key",
                "type": "invalid_request_error",
                "code": "invalid_api_key",
            }
        },
        "https://github.com/continuedev/continue/issues/11010",
    ),
    "unknown_model": ServerError(
        404,
        {
            "error": {
                "message": "The model `{model}` does not exist or you do not have access to it.",
                "type": "invalid_request_error",
                "code": "model_not_found",
            }
        },
        "https://github.com/continuedev/continue/issues/11567",
    ),
}

GROQ: Final = ServerQuirks(
    "groq",
    (
        ServedAPI(
            chat,
            _ERRORS,
            (Quirk(thoughts_in_field("reasoning"), "https://console.groq.com/docs/reasoning"),),
        ),
    ),
)
