"""What can go wrong with whoever answers."""

from __future__ import annotations

from typing import ClassVar

from yemot_ai.errors.base import ConfigurationError, YemotAIError

__all__ = [
    "AgentFunctionError",
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
    "SessionBusyError",
    "SessionLostError",
    "UnknownModelError",
]


class ProviderError(YemotAIError):
    """A model's side could not answer; the base of all that ``ai.reply`` raises about it.

    Attributes:
        kind: a stable word for the class of error; it is what a session's ledger keeps.
        transient: the same question may well succeed a moment later.
        provider: the provider's name, where known.
        exit_code: the exit code of the provider's process (negative: the signal), where there was one.
        stderr_tail: the end of what that process wrote to standard error.
        thread_id: the provider's own id of the conversation, where known.
    """

    kind: ClassVar[str] = "provider"
    transient: ClassVar[bool] = False
    exit_code: int | None = None
    stderr_tail: str = ""
    thread_id: str = ""

    def __init__(self, message: str, *, provider: str = "") -> None:
        self.provider = provider
        super().__init__(message)


class CodexNotFoundError(ProviderError, ConfigurationError):
    """There is no Codex executable under the name given.

    Attributes:
        executable: the name or path that was looked for.
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
    """The account has no money or quota left; waiting does not help."""

    kind = "quota_exceeded"


class UnknownModelError(ProviderError):
    """The provider does not know the model.

    Attributes:
        model: the name that was asked for.
    """

    kind = "unknown_model"

    def __init__(self, message: str, *, model: str, provider: str = "") -> None:
        self.model = model
        super().__init__(message, provider=provider)


class RateLimitedError(ProviderError):
    """Too many requests.

    Attributes:
        retry_after: seconds that the provider asked us to wait, or None.
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


class ContextOverflowError(ProviderError):
    """The conversation no longer fits into the model's context window."""

    kind = "context_overflow"


class SessionLostError(ProviderError):
    """The provider no longer knows the conversation; it can be rebuilt from our transcript.

    Attributes:
        thread_id: the provider's own id of the conversation.
    """

    kind = "session_lost"

    def __init__(self, message: str, *, thread_id: str, provider: str = "") -> None:
        self.thread_id = thread_id
        super().__init__(message, provider=provider)


class SessionBusyError(ProviderError):
    """Somebody else is writing to the conversation right now.

    Attributes:
        thread_id: the provider's own id of the conversation.
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
    """The provider's process or connection broke off before it had answered.

    Attributes:
        exit_code: the process's exit code (negative: the signal), or None for a connection.
        stderr_tail: the last lines the process wrote to standard error.
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
    """The provider sent something that is not its protocol."""

    kind = "malformed"


class AnswerEmptyError(ProviderError):
    """The provider reported success and said nothing."""

    kind = "empty"
    transient = True


class LimitReachedError(ProviderError):
    """The call or the caller has had as many turns, or as much time, as they may have.

    Attributes:
        limit: which of ``Limits`` it was: ``turns``, ``minutes`` or ``turns_per_day``.
        most: how much is allowed.
    """

    kind = "limit"

    def __init__(self, *, limit: str, most: float) -> None:
        self.limit = limit
        self.most = most
        super().__init__(f"no more than {most:g} {limit.replace('_', ' ')}: no model was asked")


class AgentFunctionError(ProviderError):
    """The developer's own agent function raised; the log has its traceback.

    Attributes:
        function: the function's name.
    """

    kind = "agent_function"

    def __init__(self, message: str, *, function: str) -> None:
        self.function = function
        super().__init__(message)
