"""OpenAI, and Anthropic's Messages beside it: the standard shapes, which the modules of the APIs have.

Every API is served here, so that one server can replace both services.
"""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.doubles.model_service import chat, messages, responses, transcription
from yemot_ai_testing.doubles.model_service.served import ServedAPI, ServerError, ServerQuirks

__all__ = ["OPENAI", "SESSION_LOST"]

SESSION_LOST: Final = ServerError(
    400,
    {
        "error": {
            "message": "Previous response with id '{response}' not found.",
            "type": "invalid_request_error",
            "param": "previous_response_id",
            "code": "previous_response_not_found",
        }
    },
    "https://github.com/maximhq/bifrost/issues/2441",
)

OPENAI: Final = ServerQuirks(
    "openai",
    (
        ServedAPI(responses, {"session_lost": SESSION_LOST}),
        ServedAPI(chat),
        ServedAPI(messages),
        ServedAPI(transcription),
    ),
)
