"""Amazon Bedrock: the type of an error in a header, and a body with a message only."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.doubles.model_service import chat, messages
from yemot_ai_testing.doubles.model_service.served import ServedAPI, ServerError, ServerQuirks

__all__ = ["BEDROCK"]


def _error(status: int, name: str, message: str, source: str) -> ServerError:
    headers = {"x-amzn-errortype": f"{name}:http://internal.amazon.com/coral/com.amazon.bedrock/"}
    return ServerError(status, {"message": message}, source, headers=headers, retry_header=False)


_ERRORS: Final = {
    "rate_limited": _error(
        429,
        "ThrottlingException",
        "Too many tokens, please wait before trying again.",
        "https://github.com/anthropics/claude-code/issues/236",
    ),
    "unauthorized": _error(
        403,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        "https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html",
    ),
    "overloaded": _error(
        503,
        "ServiceUnavailableException",
        "Bedrock is unable to process your request.",
        "https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html",
    ),
    "context_overflow": _error(
        400,
        "ValidationException",
        "The model returned the following errors: Input is too long for requested model.",
        "https://github.com/dyad-sh/dyad/issues/1950",
    ),
    "unknown_model": _error(
        400,
        "ValidationException",
        "The provided model identifier is invalid.",
        "https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html",
    ),
}

BEDROCK: Final = ServerQuirks("bedrock", (ServedAPI(chat, _ERRORS), ServedAPI(messages, _ERRORS)))
