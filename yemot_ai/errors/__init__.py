"""The errors of this package, in one tree.

``except YemotAIError`` catches every error that this package raises on purpose. A leaf has the
attributes that a program needs to react (``exit_code``, ``retry_after``, ``thread_id`` …), and its
message says what happened and what to do. No message is ever spoken to a caller.
"""

from __future__ import annotations

from yemot_ai.errors.base import (
    CallEndedError,
    ConfigurationError,
    EngineLoopError,
    InvalidValueError,
    MissingExtraError,
    MissingKeyError,
    ResponseSyntaxError,
    YemotAIError,
)
from yemot_ai.errors.provider import (
    AgentFunctionError,
    AnswerCutError,
    AnswerEmptyError,
    AuthenticationError,
    CodexNotFoundError,
    ContextOverflowError,
    LimitReachedError,
    MalformedStreamError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    RefusedRequestError,
    SessionBusyError,
    SessionLostError,
    UnknownModelError,
)
from yemot_ai.errors.store import (
    HoldLostError,
    SessionConflictError,
    SessionDamagedError,
    SessionFormatError,
    StoreError,
)
from yemot_ai.errors.tools import ToolError, ToolFailedError, ToolNotConfirmedError, ToolUnknownError

__all__ = [
    "AgentFunctionError",
    "AnswerCutError",
    "AnswerEmptyError",
    "AuthenticationError",
    "CallEndedError",
    "CodexNotFoundError",
    "ConfigurationError",
    "ContextOverflowError",
    "EngineLoopError",
    "HoldLostError",
    "InvalidValueError",
    "LimitReachedError",
    "MalformedStreamError",
    "MissingExtraError",
    "MissingKeyError",
    "OverloadedError",
    "ProviderCrashError",
    "ProviderError",
    "ProviderTimeoutError",
    "QuotaExceededError",
    "RateLimitedError",
    "RefusedRequestError",
    "ResponseSyntaxError",
    "SessionBusyError",
    "SessionConflictError",
    "SessionDamagedError",
    "SessionFormatError",
    "SessionLostError",
    "StoreError",
    "ToolError",
    "ToolFailedError",
    "ToolNotConfirmedError",
    "ToolUnknownError",
    "UnknownModelError",
    "YemotAIError",
]

for _name in __all__:
    # A traceback shows the name by which an error is imported.
    globals()[_name].__module__ = __name__
