"""The errors of providers and transcribers."""

from __future__ import annotations

from typing import ClassVar

from yemot_ai.errors.base import ConfigurationError, YemotAIError

__all__ = [
    "AgentFunctionError",
    "AnswerCutError",
    "AnswerEmptyError",
    "AuthenticationError",
    "CodexNotFoundError",
    "ContextOverflowError",
    "LimitReachedError",
    "MalformedStreamError",
    "OverloadedError",
    "ProviderCrashError",
    "ProviderError",
    "ProviderTimeoutError",
    "QuotaExceededError",
    "RateLimitedError",
    "RefusedRequestError",
    "SessionBusyError",
    "SessionLostError",
    "UnknownModelError",
]


class ProviderError(YemotAIError):
    """A provider could not answer; the base class of the errors of ``ai.reply`` about it.

    Attributes:
        kind: the stable name of the class of error, which sessions store.
        transient: whether a retry is likely to succeed.
        provider: the provider's name, if known.
        exit_code: the exit code of the provider's process (negative: the signal), if there was one.
        stderr_tail: the end of the standard error of that process.
        thread_id: the provider's id of the conversation, if known.
        retry_after: seconds that the provider asks to wait, or None.
    """

    kind: ClassVar[str] = "provider"
    transient: ClassVar[bool] = False
    exit_code: int | None = None
    stderr_tail: str = ""
    thread_id: str = ""
    retry_after: float | None = None

    def __init__(self, message: str, *, provider: str = "") -> None:
        self.provider = provider
        super().__init__(message)


class CodexNotFoundError(ProviderError, ConfigurationError):
    """There is no Codex executable with the given name.

    Attributes:
        executable: the name or path.
    """

    kind = "codex_not_found"

    def __init__(self, executable: str) -> None:
        self.executable = executable
        super().__init__(
            f"no executable {executable!r}: install Codex with 'npm install -g @openai/codex' or "
            "'pip install \"yemot-ai[codex]\"', or pass CodexCLIProvider(executable=…)",
            provider="codex",
        )


class AuthenticationError(ProviderError):
    """The provider refused the key or login."""

    kind = "unauthorized"


class QuotaExceededError(ProviderError):
    """The account has no credit or quota left; a retry does not help."""

    kind = "quota_exceeded"


class UnknownModelError(ProviderError):
    """The provider does not know the model.

    Attributes:
        model: the name of the model.
    """

    kind = "unknown_model"

    def __init__(self, message: str, *, model: str, provider: str = "") -> None:
        self.model = model
        super().__init__(message, provider=provider)


class RateLimitedError(ProviderError):
    """Too many requests.

    Attributes:
        retry_after: seconds that the provider asks to wait, or None.
    """

    kind = "rate_limited"
    transient = True

    def __init__(self, message: str, *, retry_after: float | None = None, provider: str = "") -> None:
        self.retry_after = retry_after
        super().__init__(message, provider=provider)


class OverloadedError(ProviderError):
    """The provider is overloaded or answered with a server error (5xx)."""

    kind = "overloaded"
    transient = True


class RefusedRequestError(ProviderError):
    """The provider refuses the words of this request, such as those that its content policy forbids.

    The provider works: other requests are answered. A retry with the same words does not help.
    """

    kind = "refused_request"


class ContextOverflowError(ProviderError):
    """The conversation no longer fits into the model's context window.

    Attributes:
        prompt_alone: even the prompt without any history did not fit.
    """

    kind = "context_overflow"
    prompt_alone: bool = False


class SessionLostError(ProviderError):
    """The provider has lost the conversation; it can be rebuilt from the history.

    Attributes:
        thread_id: the provider's id of the conversation.
    """

    kind = "session_lost"

    def __init__(self, message: str, *, thread_id: str, provider: str = "") -> None:
        self.thread_id = thread_id
        super().__init__(message, provider=provider)


class SessionBusyError(ProviderError):
    """Another process is writing to the conversation.

    Attributes:
        thread_id: the provider's id of the conversation.
    """

    kind = "session_busy"
    transient = True

    def __init__(self, message: str, *, thread_id: str, provider: str = "") -> None:
        self.thread_id = thread_id
        super().__init__(message, provider=provider)


class ProviderTimeoutError(ProviderError, TimeoutError):
    """No answer within the deadline.

    Attributes:
        seconds: the deadline that passed.
    """

    kind = "timeout"

    def __init__(self, *, seconds: float, provider: str = "", detail: str = "") -> None:
        self.seconds = seconds
        message = f"no answer from {provider or 'the provider'} within {seconds:g} s"
        super().__init__(f"{message} ({detail})" if detail else message, provider=provider)


class ProviderCrashError(ProviderError):
    """The provider's process or connection ended before the answer was complete.

    Attributes:
        exit_code: the process's exit code (negative: the signal), or None for a connection.
        stderr_tail: the last lines of the standard error of the process.
    """

    kind = "crashed"
    transient = True

    def __init__(
        self, message: str, *, exit_code: int | None = None, stderr_tail: str = "", provider: str = ""
    ) -> None:
        self.exit_code = exit_code
        self.stderr_tail = stderr_tail
        super().__init__(message, provider=provider)


class MalformedStreamError(ProviderCrashError):
    """The provider sent data that its protocol does not allow."""

    kind = "malformed"


class AnswerEmptyError(ProviderError):
    """The provider reported success without an answer."""

    kind = "empty"
    transient = True


class AnswerCutError(ProviderError):
    """The model stopped before its answer was whole.

    Attributes:
        reason: why, in the service's word, such as ``length`` or ``content_filter``.
        text: the answer up to there, as the model wrote it; its end is missing.
    """

    kind = "answer_cut"

    def __init__(self, *, reason: str, text: str, provider: str = "") -> None:
        self.reason = reason
        self.text = text
        super().__init__(f"the answer was cut: {reason}", provider=provider)


class LimitReachedError(ProviderError):
    """The call or the caller is at a limit.

    Attributes:
        limit: the field of ``Limits``: ``turns``, ``minutes`` or ``turns_per_day``.
        most: the value of the limit.
    """

    kind = "limit"

    def __init__(self, *, limit: str, most: float) -> None:
        self.limit = limit
        self.most = most
        super().__init__(f"the limit is {most:g} {limit.replace('_', ' ')}: no model was asked")


class AgentFunctionError(ProviderError):
    """The developer's agent function raised an exception; the log has its traceback.

    Attributes:
        function: the function's name.
        place: ``file:line`` of the mistake, else of the function; "" if it has none.
    """

    kind = "agent_function"

    def __init__(self, message: str, *, function: str, place: str = "") -> None:
        self.function = function
        self.place = place
        super().__init__(message)
