"""Together AI: statuses of its own for a long conversation and for an unknown model."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.doubles.model_service import chat
from yemot_ai_testing.doubles.model_service.quirks.chat import thoughts_in_tags
from yemot_ai_testing.doubles.model_service.served import Quirk, ServedAPI, ServerError, ServerQuirks

__all__ = ["TOGETHER"]

_ERRORS: Final = {
    "unauthorized": ServerError(
        401,
        {
            "error": {
                "message": (
                    "Invalid API key provided. You can find your API key at "
                    "https://api.together.xyz/settings/api-keys."
                ),
                "type": "invalid_request_error",
                "param": None,
                "code": "invalid_api_key",
            }
        },
        "https://github.com/harshitv804/LawGPT/issues/4",
    ),
    "context_overflow": ServerError(
        422,
        {
            "error": {
                "message": (
                    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: "
                    "5013 `inputs` tokens and 128 `max_new_tokens`"
                ),
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "https://portkey.ai/error-library/input-validation-error-10151",
    ),
    "unknown_model": ServerError(
        400,
        {
            "error": {
                "message": (
                    "Unable to access model {model}. Please visit https://api.together.ai/models to view "
                    "the list of supported models."
                ),
                "type": "invalid_request_error",
                "param": "model",
                "code": "model_not_available",
            }
        },
        "https://github.com/can1357/oh-my-pi/pull/8333",
    ),
}

TOGETHER: Final = ServerQuirks(
    "together",
    (
        ServedAPI(
            chat,
            _ERRORS,
            (Quirk(thoughts_in_tags, "https://docs.together.ai/docs/deepseek-r1"),),
        ),
    ),
)
