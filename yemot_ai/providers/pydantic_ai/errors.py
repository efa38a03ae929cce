"""What the exceptions of pydantic-ai mean for a call."""

from __future__ import annotations

from typing import Final

from pydantic_ai.exceptions import (
    AgentRunError,
    ConcurrencyLimitExceeded,
    ContentFilterError,
    FallbackExceptionGroup,
    ModelAPIError,
    ModelConnectionError,
    ModelHTTPError,
    ModelRequestTimeout,
    ModelTimeoutError,
    OutputTokenLimitExceeded,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
    UserError,
)

from yemot_ai.errors import (
    AnswerEmptyError,
    MalformedStreamError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitedError,
    RefusedRequestError,
    SessionLostError,
    UnknownModelError,
)
from yemot_ai.providers.refusals import ErrorBody, LimitNotice, refusal_kind
from yemot_ai.providers.sdk.stop_reasons import stop_error, stop_reason

__all__ = ["RunErrors"]

MAX_MESSAGE: Final = 400
"""Characters of a message in an error."""

_KINDS: Final = (
    (OutputTokenLimitExceeded, AnswerEmptyError),
    (ContentFilterError, RefusedRequestError),
    (UnexpectedModelBehavior, MalformedStreamError),
    (ConcurrencyLimitExceeded, OverloadedError),
    (UsageLimitExceeded, ProviderError),
    (AgentRunError, ProviderError),
    (UserError, ProviderError),
)
"""The classes of a run's exceptions that are no refusals of a service, the narrowest first."""

_TRANSPORTS: Final = frozenset({"httpx", "httpx2", "httpcore", "httpcore2", "aiohttp"})
"""The HTTP libraries of the models' SDKs."""


class RunErrors:
    """Makes the errors of a provider.

    Args:
        provider: its name.
        timeout: seconds for one answer.
    """

    def __init__(self, *, provider: str, timeout: float) -> None:
        self._provider = provider
        self._timeout = timeout
        self._limit_notice = LimitNotice()

    def of_run(self, error: BaseException) -> ProviderError | None:
        """Return the error for an exception of a run; None if it is a mistake in the developer's code."""
        if isinstance(error, FallbackExceptionGroup):  # of several models: the last one's
            return self.of_run(error.exceptions[-1])
        if isinstance(error, ModelTimeoutError | ModelRequestTimeout):
            return self.timed_out()
        if isinstance(error, ModelConnectionError):
            return self._broke_off(error.__cause__ or error)
        if isinstance(error, ModelAPIError):
            return self._refused(error)
        return self._behaved(error)

    def timed_out(self) -> ProviderTimeoutError:
        """Return the error for an answer that is late."""
        return ProviderTimeoutError(seconds=self._timeout, provider=self._provider)

    def empty(self, reason: str) -> ProviderError:
        """Return the error for a message without a text.

        Args:
            reason: why the model stopped.
        """
        message = f"the agent answered without text ({stop_reason(reason) or 'no reason'})"
        return stop_error(reason)(message, provider=self._provider)

    def _behaved(self, error: BaseException) -> ProviderError | None:
        if isinstance(error, ProviderError):
            return error
        if type(error).__module__.partition(".")[0] in _TRANSPORTS:
            return self._broke_off(error)
        kind = next((kind for known, kind in _KINDS if isinstance(error, known)), None)
        return kind and kind(_first_line(error), provider=self._provider)

    def _broke_off(self, error: BaseException) -> ProviderCrashError:
        return ProviderCrashError(
            f"no connection to the agent's model, or it broke off ({type(error).__name__})",
            provider=self._provider,
        )

    def _refused(self, error: ModelAPIError) -> ProviderError:
        http = error if isinstance(error, ModelHTTPError) else None
        body = ErrorBody.parse(
            error.message if error.body is None else error.body,
            status=None if http is None else http.status_code,
            headers=None if http is None else http.headers,
        )
        kind = refusal_kind(body) or ProviderError
        refused = self._new(kind, body.message[:MAX_MESSAGE], error.model_name)
        wait = error.retry_after if body.retry_after is None else body.retry_after
        if wait is None and isinstance(refused, RateLimitedError):
            wait = body.reset_after
        if wait is not None:
            refused.retry_after = wait
        self._limit_notice.report(error.model_name, refused)
        return refused

    def _new(self, kind: type[ProviderError], reason: str, model: str) -> ProviderError:
        if issubclass(kind, UnknownModelError):
            message = (
                f"the agent's service does not know the model {model!r}: change the agent's model ({reason})"
            )
            return UnknownModelError(message, model=model, provider=self._provider)
        if issubclass(kind, SessionLostError):
            return SessionLostError(reason, thread_id="", provider=self._provider)
        return kind(reason, provider=self._provider)


def _first_line(error: BaseException) -> str:
    """Return the message without the body, which quotes the model."""
    text = str(getattr(error, "message", error))
    return text.partition("\n")[0][:MAX_MESSAGE]
