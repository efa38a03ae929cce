"""Every error of this package, in one tree.

``YemotAIError`` is the root: ``except YemotAIError`` catches whatever this package raises on
purpose. A leaf carries what a program needs to react (``exit_code``, ``retry_after``,
``thread_id`` …), and its message says what happened and the way out. None of them is ever
spoken to a caller.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AgentFunctionError",
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
    "ResponseSyntaxError",
    "SessionBusyError",
    "SessionConflictError",
    "SessionDamagedError",
    "SessionFormatError",
    "SessionLostError",
    "StoreError",
    "UnknownModelError",
    "YemotAIError",
]


class YemotAIError(Exception):
    """The root of all errors of this package."""


class ResponseSyntaxError(YemotAIError, ValueError):
    """A text is not an answer that the line would understand.

    Attributes:
        text: the whole text.
        position: index of the first offending character.
        reason: what is wrong there.
    """

    def __init__(self, reason: str, *, text: str, position: int = 0) -> None:
        self.reason = reason
        self.text = text
        self.position = position
        super().__init__(f"{reason} (at character {position} of {_shortened(text)!r})")


class InvalidValueError(YemotAIError, ValueError):
    """A message or an action was built from a value that the line could not understand.

    Attributes:
        code: the stable code of the rule it breaks, as in ``yemot_ai.protocol.lint``.
        reason: what is wrong with the value.
        position: index of the first offending character of the value.
    """

    def __init__(self, code: str, reason: str, *, position: int = 0) -> None:
        self.code = code
        self.reason = reason
        self.position = position
        super().__init__(f"{reason} ({code})")


class ConfigurationError(YemotAIError):
    """The package was set up in a way that cannot work; raised while it is set up, not in a call."""


class MissingExtraError(ConfigurationError, ImportError):
    """A library that comes with an extra of this package is not installed.

    Attributes:
        package: the library that could not be imported.
        extra: the extra of ``yemot-ai`` that installs it.
    """

    def __init__(self, *, package: str, extra: str) -> None:
        self.package = package
        self.extra = extra
        super().__init__(f"{package} is not installed: pip install 'yemot-ai[{extra}]'")


class MissingKeyError(ConfigurationError):
    """A provider was made without the key it needs.

    Attributes:
        provider: the provider's name.
        variable: the environment variable that may hold the key.
    """

    def __init__(self, *, provider: str, variable: str, argument: str) -> None:
        self.provider = provider
        self.variable = variable
        super().__init__(f"{provider} needs a key: pass {argument}=… or set {variable}")


class EngineLoopError(YemotAIError, RuntimeError):
    """A blocking method was called on the very loop that would have to do its work."""


class CallEndedError(YemotAIError):
    """Something was asked for a call that has already hung up.

    Attributes:
        call_id: the call's ``ApiCallId``.
    """

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        super().__init__(f"call {call_id} has ended; a new call brings a new ApiCallId")


class StoreError(YemotAIError):
    """The session store cannot do its work."""


class SessionConflictError(StoreError):
    """A session was saved over a version that is no longer the newest.

    Attributes:
        call_id: whose session it is.
        expected: the version that the writer had read.
    """

    def __init__(self, call_id: str, *, expected: int) -> None:
        self.call_id = call_id
        self.expected = expected
        super().__init__(f"session {call_id} changed since version {expected}: load it and try again")


class HoldLostError(StoreError):
    """A key was held for longer than its lease lived: the process was frozen, or the store was gone.

    Attributes:
        key: what was held.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"the hold of {key} was lost: somebody else may go on with it")


class SessionFormatError(StoreError):
    """A session was written by a newer version of this package; it is left as it is.

    Attributes:
        found: the format of the record.
        known: the newest format that this version can read.
    """

    def __init__(self, *, found: int, known: int) -> None:
        self.found = found
        self.known = known
        super().__init__(
            f"the session has format {found}, and this version of yemot-ai knows up to {known}: upgrade it, "
            "or give the older workers a store of their own"
        )


class SessionDamagedError(StoreError):
    """A record is no session; stores set it aside and begin anew.

    Attributes:
        reason: what is wrong with it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the record of a session is damaged: {reason}")


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


def _shortened(text: str, limit: int = 120) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
