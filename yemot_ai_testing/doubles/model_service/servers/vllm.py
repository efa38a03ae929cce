"""vLLM: types of errors by their Python names, and thoughts in ``reasoning``.

Older versions (``VLLM_OLD``) have no ``error`` around an error, write the thoughts into
``reasoning_content``, the finish reason into the chunk with the last piece, and an empty ``output`` into
``response.completed``. Without ``--reasoning-parser`` (``VLLM_UNPARSED``) the thoughts are in the text.
"""

from __future__ import annotations

from typing import Any, Final

from yemot_ai_testing.doubles.model_service import chat, messages, responses
from yemot_ai_testing.doubles.model_service.quirks import messages as messages_quirks
from yemot_ai_testing.doubles.model_service.quirks import responses as responses_quirks
from yemot_ai_testing.doubles.model_service.quirks.chat import (
    text_in_last_chunk,
    thoughts_before_end_tag,
    thoughts_in_field,
)
from yemot_ai_testing.doubles.model_service.served import Quirk, ServedAPI, ServerError, ServerQuirks

__all__ = ["VLLM", "VLLM_OLD", "VLLM_UNPARSED"]

_OVERFLOW: Final[dict[str, Any]] = {
    "message": (
        "This model's maximum context length is 16384 tokens. However, you requested 19591 tokens (9591 in "
        "the messages, 10000 in the completion). Please reduce the length of the messages or completion."
    ),
    "type": "BadRequestError",
    "param": None,
    "code": 400,
}
_UNKNOWN_MODEL: Final[dict[str, Any]] = {
    "message": "The model `{model}` does not exist.",
    "type": "NotFoundError",
    "param": None,
    "code": 404,
}
_OVERFLOW_SOURCE: Final = "https://github.com/vllm-project/vllm/issues/20409"
_MODEL_SOURCE: Final = "https://github.com/vllm-project/vllm/issues/3485"

_UNAUTHORIZED: Final = ServerError(
    401, {"error": "Unauthorized"}, "https://github.com/vllm-project/vllm/issues/22407"
)

_ERRORS: Final = {
    "context_overflow": ServerError(400, {"error": _OVERFLOW}, _OVERFLOW_SOURCE),
    "unauthorized": _UNAUTHORIZED,
    "unknown_model": ServerError(404, {"error": _UNKNOWN_MODEL}, _MODEL_SOURCE),
    "overloaded": ServerError(
        500,
        {
            "error": {
                "message": "EngineCore encountered an issue. See stack trace (above) for the root cause.",
                "type": "Internal Server Error",
                "param": None,
                "code": 500,
            }
        },
        "https://github.com/vllm-project/vllm/issues/24495",
    ),
}

_OLD_ERRORS: Final = {
    "context_overflow": ServerError(400, {"object": "error", **_OVERFLOW}, _OVERFLOW_SOURCE),
    "unauthorized": _UNAUTHORIZED,
    "unknown_model": ServerError(404, {"object": "error", **_UNKNOWN_MODEL}, _MODEL_SOURCE),
}

_SESSION_LOST: Final = ServerError(
    404,
    {
        "error": {
            "message": "Response with id '{response}' not found.",
            "type": "invalid_request_error",
            "param": "response_id",
            "code": 404,
        }
    },
    "https://github.com/BerriAI/litellm/issues/26147",
)

VLLM: Final = ServerQuirks(
    "vllm",
    (
        ServedAPI(
            chat,
            _ERRORS,
            (Quirk(thoughts_in_field("reasoning"), "https://github.com/BerriAI/litellm/pull/24020"),),
        ),
        ServedAPI(
            responses,
            {**_ERRORS, "session_lost": _SESSION_LOST},
            (
                Quirk(
                    responses_quirks.thoughts_as_item,
                    "https://docs.vllm.ai/en/latest/features/reasoning_outputs.html",
                ),
            ),
        ),
    ),
)

VLLM_OLD: Final = ServerQuirks(
    "vllm-old",
    (
        ServedAPI(
            chat,
            _OLD_ERRORS,
            (
                Quirk(
                    thoughts_in_field("reasoning_content"), "https://github.com/BerriAI/litellm/issues/20246"
                ),
                Quirk(text_in_last_chunk, "https://github.com/vllm-project/vllm/pull/36944"),
            ),
        ),
        ServedAPI(
            responses,
            {**_OLD_ERRORS, "session_lost": _SESSION_LOST},
            (
                Quirk(
                    responses_quirks.final_output("last piece"),
                    "https://github.com/vllm-project/vllm/pull/30223",
                ),
            ),
        ),
    ),
)

VLLM_UNPARSED: Final = ServerQuirks(
    "vllm-unparsed",
    (
        ServedAPI(
            chat,
            _ERRORS,
            (Quirk(thoughts_before_end_tag, "https://github.com/vllm-project/vllm/issues/45687"),),
        ),
        ServedAPI(
            messages,
            {},
            (
                Quirk(
                    messages_quirks.thoughts_in_tags,
                    "https://github.com/anthropics/anthropic-sdk-python/issues/1109",
                ),
            ),
        ),
    ),
)
