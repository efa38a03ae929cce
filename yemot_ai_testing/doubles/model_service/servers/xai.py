"""xAI: ``error`` is a text, ``code`` a sentence, and a wrong key a bad request."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.doubles.model_service import chat, responses
from yemot_ai_testing.doubles.model_service.quirks.chat import thoughts_in_field
from yemot_ai_testing.doubles.model_service.served import Quirk, ServedAPI, ServerError, ServerQuirks
from yemot_ai_testing.doubles.model_service.servers.openai import SESSION_LOST

__all__ = ["XAI"]

_ERRORS: Final = {
    "rate_limited": ServerError(
        429,
        {
            "code": "Some resource has been exhausted",
            "error": (
                "Too many tokens for team 1 and model {model}. Your team's rate limit is — Tokens per Minute "
                "(actual/limit): 65605/16000. You can view your team rate limits at https://console.x.ai."
            ),
        },
        "https://github.com/cline/cline/issues/4826",
    ),
    "unauthorized": ServerError(
        400,
        {
            "code": "Client specified an invalid argument",
            "error": (
                "Incorrect API key provided: na***ys. You can obtain an API key from https://console.x.ai."
            ),
        },
        "https://github.com/continuedev/continue/issues/10778",
    ),
    "context_overflow": ServerError(
        400,
        {
            "code": "invalid-argument",
            "error": ("This model's maximum prompt length is 131072 but the request contains 537812 tokens."),
        },
        "https://github.com/earendil-works/pi/issues/129",
    ),
    "refused_request": ServerError(
        403,
        {
            "code": "The caller does not have permission to execute the specified operation",
            "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO",
        },
        "https://github.com/UKGovernmentBEIS/inspect_ai/pull/2267",
    ),
}

XAI: Final = ServerQuirks(
    "xai",
    (
        ServedAPI(
            chat,
            _ERRORS,
            (Quirk(thoughts_in_field("reasoning_content"), "https://docs.x.ai/docs/guides/reasoning"),),
        ),
        ServedAPI(responses, {**_ERRORS, "session_lost": SESSION_LOST}),
    ),
)
