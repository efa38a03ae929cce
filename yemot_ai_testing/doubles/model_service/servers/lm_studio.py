"""LM Studio: errors as texts, and errors of a stream in events after status 200."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.doubles.model_service import chat, responses
from yemot_ai_testing.doubles.model_service.quirks import responses as responses_quirks
from yemot_ai_testing.doubles.model_service.quirks.chat import thoughts_in_tags
from yemot_ai_testing.doubles.model_service.served import Quirk, ServedAPI, ServerError, ServerQuirks

__all__ = ["LM_STUDIO"]

_TRACKER: Final = "https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues"

_OVERFLOW: Final = (
    "Trying to keep the first 6547 tokens when context the overflows. However, the model is loaded with "
    "context length of only 4096 tokens, which is not enough. Try to load the model with a larger context "
    "length, or provide a shorter input"
)

_ERRORS: Final = {
    "context_overflow": ServerError(
        400,
        {"error": _OVERFLOW},
        "https://github.com/dyad-sh/dyad/issues/925",
        streamed=True,  # nugget/thane-ai-agent#1395, lmstudio-bug-tracker#2322, zendev-sh/goai#110
        event_body={"error": {"message": _OVERFLOW}, "message": _OVERFLOW},
        event_name="error",
    ),
    "unknown_model": ServerError(
        404,
        {
            "error": {
                "message": (
                    "No models loaded. Please load a model in the developer page or use the 'lms load' "
                    "command."
                ),
                "type": "invalid_request_error",
                "param": "model",
                "code": "model_not_found",
            }
        },
        "https://lmstudio.ai/docs/developer/openai-compat",
    ),
}

_SESSION_LOST: Final = ServerError(
    400,
    {
        "error": {
            "message": (
                "Prediction history node with id '{response}' not found while attempting to build chat "
                "history chain that includes this node."
            ),
            "type": "invalid_request_error",
            "param": "previous_response_id",
            "code": "previous_response_not_found",
        }
    },
    f"{_TRACKER}/1188",
)

LM_STUDIO: Final = ServerQuirks(
    "lmstudio",
    (
        ServedAPI(
            chat, _ERRORS, (Quirk(thoughts_in_tags, "https://lmstudio.ai/docs/developer/openai-compat"),)
        ),
        ServedAPI(
            responses,
            {**_ERRORS, "session_lost": _SESSION_LOST},
            (
                Quirk(
                    responses_quirks.thoughts_as_item,
                    "https://lmstudio.ai/docs/developer/openai-compat/responses",
                ),
            ),
        ),
    ),
)
