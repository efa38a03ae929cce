"""Services that report an error in an event of a stream, without ``error`` around it."""

from __future__ import annotations

from typing import Any, Final

from yemot_ai_testing.doubles.model_service import chat
from yemot_ai_testing.doubles.model_service.served import ServedAPI, ServerError, ServerQuirks

__all__ = ["DASHSCOPE", "DEEPINFRA"]

_THROTTLED: Final[dict[str, Any]] = {
    "code": "Throttling.AllocationQuota",
    "message": "Allocated quota exceeded, please increase your quota limit.",
}

DASHSCOPE: Final = ServerQuirks(
    "dashscope",
    (
        ServedAPI(
            chat,
            {
                "rate_limited": ServerError(
                    429,
                    {"error": _THROTTLED},
                    "https://github.com/NousResearch/hermes-agent/issues/58017",
                    streamed=True,
                    event_name="error",
                    event_body=_THROTTLED,
                )
            },
        ),
    ),
)

_OVERFLOW: Final = (
    "This model's maximum context length is 163840 tokens. However, you requested 170000 tokens. Please "
    "reduce the length of the messages or completion."
)

DEEPINFRA: Final = ServerQuirks(
    "deepinfra",
    (
        ServedAPI(
            chat,
            {
                "context_overflow": ServerError(
                    400,
                    {"error": {"message": _OVERFLOW, "type": "invalid_request_error"}},
                    "https://github.com/NousResearch/hermes-agent/issues/65631",
                    streamed=True,
                    event_body={
                        "choices": None,
                        "error_type": "invalid_request_error",
                        "error_message": _OVERFLOW,
                    },
                )
            },
        ),
    ),
)
