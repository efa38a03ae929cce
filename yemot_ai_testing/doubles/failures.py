"""The errors that a provider raises for the failure steps of a script.

>>> from yemot_ai_testing.doubles.steps import Failure
>>> provider_error_for(Failure("rate_limited", retry_after=2.0), "s-1", provider="scripted").retry_after
2.0
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, assert_never

from yemot_ai.errors import (
    AuthenticationError,
    ContextOverflowError,
    MalformedStreamError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    RefusedRequestError,
    SessionBusyError,
    SessionLostError,
    UnknownModelError,
)
from yemot_ai_testing.doubles.steps import (
    BusySession,
    Crash,
    Cut,
    Drop,
    Failure,
    Malformed,
    Reconnect,
    UnknownSession,
)

__all__ = ["FailureStep", "provider_error_for"]

FailureStep: TypeAlias = "Failure | Drop | Cut | Crash | Malformed | Reconnect | UnknownSession | BusySession"

_ERRORS_BY_KIND: Mapping[str, type[ProviderError]] = {
    kind.kind: kind
    for kind in (
        AuthenticationError,
        ContextOverflowError,
        OverloadedError,
        QuotaExceededError,
        RefusedRequestError,
    )
}


def provider_error_for(step: FailureStep, session: str, *, provider: str) -> ProviderError:
    """Return the exception that a provider raises for a step.

    Args:
        step: the failure of the model or its process.
        session: the conversation of the model call.
        provider: the provider's name, for the message.
    """
    match step:
        case Failure() | Cut():
            return _refusal_error(step, provider)
        case Drop() | Reconnect():
            return ProviderCrashError(
                "the connection was closed in the middle of the answer", provider=provider
            )
        case Crash():
            message = f"exit code {step.exit}"
            return ProviderCrashError(
                message, exit_code=step.exit, stderr_tail=step.stderr, provider=provider
            )
        case Malformed():
            return MalformedStreamError("not a message of the protocol", provider=provider)
        case UnknownSession():
            return SessionLostError("no such session", thread_id=session, provider=provider)
        case BusySession():
            return SessionBusyError("another writer", thread_id=session, provider=provider)
        case _:
            assert_never(step)


def _refusal_error(step: Failure | Cut, provider: str) -> ProviderError:
    if isinstance(step, Cut):
        return OverloadedError("the service gave up in the middle of the answer", provider=provider)
    if step.kind == "rate_limited":
        return RateLimitedError("too many requests", retry_after=step.retry_after, provider=provider)
    if step.kind == "unknown_model":
        return UnknownModelError("no such model", model=provider, provider=provider)
    return _ERRORS_BY_KIND[step.kind](step.kind, provider=provider)
