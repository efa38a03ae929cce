"""OpenRouter: numbers as codes, errors with status 200, and thoughts in ``reasoning``."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.doubles.model_service import chat
from yemot_ai_testing.doubles.model_service.quirks.chat import error_in_choice, thoughts_in_field
from yemot_ai_testing.doubles.model_service.quirks.streams import begins_with_comment
from yemot_ai_testing.doubles.model_service.served import Quirk, ServedAPI, ServerError, ServerQuirks

__all__ = ["OPENROUTER"]

_ERRORS_PAGE: Final = "https://openrouter.ai/docs/api/reference/errors-and-debugging"

_ERRORS: Final = {
    "rate_limited": ServerError(
        429,
        {
            "error": {
                "message": "Provider returned error",
                "code": 429,
                "metadata": {"error_type": "rate_limit_exceeded"},
            }
        },
        "https://github.com/digiogithub/pando/issues/8",
    ),
    "unauthorized": ServerError(
        401,
        {"error": {"message": "No auth credentials found", "code": 401}},
        "https://github.com/musistudio/claude-code-router/issues/227",
    ),
    "overloaded": ServerError(
        200,
        {"error": {"message": "Provider returned error", "code": 502, "metadata": {"provider_name": "X"}}},
        _ERRORS_PAGE,
        streamed=True,
    ),
    "context_overflow": ServerError(
        400,
        {
            "error": {
                "message": (
                    "This endpoint's maximum context length is 131072 tokens. However, you requested about "
                    "141607 tokens (10535 of text input, 131072 in the output). Please reduce the length of "
                    'either one, or use the "middle-out" transform to compress your prompt automatically.'
                ),
                "code": 400,
                "metadata": {"provider_name": "Chutes"},
            }
        },
        "https://github.com/Aider-AI/aider/issues/3721",
    ),
    "quota_exceeded": ServerError(
        402,
        {
            "error": {
                "message": (
                    "Insufficient credits. This account never purchased credits. Make sure your key is on "
                    "the correct account or org, and if so, purchase more at "
                    "https://openrouter.ai/settings/credits"
                ),
                "code": 402,
            }
        },
        "https://github.com/Alishahryar1/free-claude-code/issues/772",
    ),
    "unknown_model": ServerError(
        404,
        {"error": {"message": "No endpoints found for {model}.", "code": 404}},
        "https://github.com/vyancharuk/nodejs-api-boilerplate/issues/16",
    ),
    "refused_request": ServerError(
        403,
        {
            "error": {
                "message": (
                    '{model} requires moderation on OpenAI. Your input was flagged for "violence". No '
                    "credits were charged."
                ),
                "code": 403,
                "metadata": {
                    "reasons": ["violence"],
                    "flagged_input": "…",
                    "provider_name": "OpenAI",
                    "model_slug": "{model}",
                },
            }
        },
        _ERRORS_PAGE,
    ),
}

OPENROUTER: Final = ServerQuirks(
    "openrouter",
    (
        ServedAPI(
            chat,
            _ERRORS,
            (
                Quirk(
                    thoughts_in_field("reasoning"),
                    "https://openrouter.ai/docs/use-cases/reasoning-tokens",
                ),
                Quirk(
                    error_in_choice({"code": 502, "message": "Provider disconnected unexpectedly"}),
                    _ERRORS_PAGE,
                ),
                Quirk(
                    begins_with_comment("OPENROUTER PROCESSING"),
                    "https://openrouter.ai/docs/api/reference/streaming",
                ),
            ),
        ),
    ),
)
