"""Azure OpenAI: filter results in the first chunk, and refusals by its content filter."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.doubles.model_service import chat, responses
from yemot_ai_testing.doubles.model_service.quirks.chat import begins_with_event
from yemot_ai_testing.doubles.model_service.served import Quirk, ServedAPI, ServerError, ServerQuirks
from yemot_ai_testing.doubles.model_service.servers.openai import SESSION_LOST

__all__ = ["AZURE"]

_SAFE: Final = {"filtered": False, "severity": "safe"}
_VIOLENT: Final = {"filtered": True, "severity": "medium"}

_FILTER_CHUNK: Final = {
    "id": "",
    "object": "",
    "created": 0,
    "model": "",
    "choices": [],
    "prompt_filter_results": [
        {
            "prompt_index": 0,
            "content_filter_results": {"hate": _SAFE, "self_harm": _SAFE, "sexual": _SAFE, "violence": _SAFE},
        }
    ],
}

_ERRORS: Final = {
    "rate_limited": ServerError(
        429,
        {
            "error": {
                "code": "429",
                "message": (
                    "Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded "
                    "token rate limit of your current OpenAI S0 pricing tier. Please retry after {wait} "
                    "seconds."
                ),
            }
        },
        "https://github.com/vanderschaarlab/climb/issues/1",
    ),
    "unauthorized": ServerError(
        401,
        {
            "error": {
                "code": "401",
                "message": (
                    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to "
                    "provide a valid key for an active subscription and use a correct regional API endpoint "
                    "for your resource."
                ),
            }
        },
        "https://learn.microsoft.com/azure/ai-services/openai/reference",
    ),
    "unknown_model": ServerError(
        404,
        {
            "error": {
                "code": "DeploymentNotFound",
                "message": (
                    "The API deployment for this resource does not exist. If you created the deployment "
                    "within the last 5 minutes, please wait a moment and try again."
                ),
            }
        },
        "https://github.com/chatboxai/chatbox/issues/646",
    ),
    "refused_request": ServerError(
        400,
        {
            "error": {
                "message": (
                    "The response was filtered due to the prompt triggering Azure OpenAI's content "
                    "management policy. Please modify your prompt and retry."
                ),
                "type": None,
                "param": "prompt",
                "code": "content_filter",
                "status": 400,
                "innererror": {
                    "code": "ResponsibleAIPolicyViolation",
                    "content_filter_result": {
                        "hate": _SAFE,
                        "jailbreak": {"filtered": False, "detected": False},
                        "self_harm": _SAFE,
                        "sexual": _SAFE,
                        "violence": _VIOLENT,
                    },
                },
            }
        },
        "https://github.com/compl-ai/compl-ai/issues/20",
    ),
}

AZURE: Final = ServerQuirks(
    "azure",
    (
        ServedAPI(
            chat,
            _ERRORS,
            (
                Quirk(
                    begins_with_event(_FILTER_CHUNK),
                    "https://github.com/AbanteAI/archive-old-cli-mentat/issues/429",
                ),
            ),
        ),
        ServedAPI(responses, {**_ERRORS, "session_lost": SESSION_LOST}),
    ),
)
