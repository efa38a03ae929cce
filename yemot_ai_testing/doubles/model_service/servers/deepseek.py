"""DeepSeek: one code for every error, comments while it waits, and thoughts in ``reasoning_content``."""

from __future__ import annotations

from typing import Any, Final

from yemot_ai_testing.doubles.model_service import chat
from yemot_ai_testing.doubles.model_service.quirks.chat import thoughts_in_field
from yemot_ai_testing.doubles.model_service.quirks.streams import begins_with_comment
from yemot_ai_testing.doubles.model_service.served import Quirk, ServedAPI, ServerError, ServerQuirks

__all__ = ["DEEPSEEK"]


def _body(message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": "invalid_request_error"}}


_ERRORS: Final = {
    "quota_exceeded": ServerError(
        402, _body("Insufficient Balance", "unknown_error"), "https://github.com/Aider-AI/aider/issues/4851"
    ),
    "unknown_model": ServerError(
        400, _body("Model Not Exist"), "https://github.com/ConardLi/easy-dataset/issues/9"
    ),
    "refused_request": ServerError(
        400, _body("Content Exists Risk"), "https://github.com/666ghj/BettaFish/issues/108"
    ),
}

DEEPSEEK: Final = ServerQuirks(
    "deepseek",
    (
        ServedAPI(
            chat,
            _ERRORS,
            (
                Quirk(
                    thoughts_in_field("reasoning_content"),
                    "https://api-docs.deepseek.com/guides/thinking_mode",
                ),
                Quirk(
                    begins_with_comment("keep-alive"), "https://api-docs.deepseek.com/quick_start/rate_limit"
                ),
            ),
        ),
    ),
)
