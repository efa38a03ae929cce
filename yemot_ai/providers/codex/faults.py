"""Turn Codex's error messages into ``ProviderError`` subclasses.

Codex has few error codes: it prints sentences, and they change between versions. So a sentence is matched by
single words, never whole: first by the words that are Codex's own, then by the table for all model services
(``refusals``), since Codex often passes on what the service said. Measured on 0.120, 0.142, 0.169 and
0.171.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from yemot_ai.errors import (
    AnswerEmptyError,
    AuthenticationError,
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
from yemot_ai.providers.refusals import ErrorBody, LimitNotice, refusal_kind

__all__ = ["cut_reason", "error_from_text", "makes_unusable", "resume_error", "with_details"]

_PROVIDER: Final = "codex"

_LIMIT_NOTICE: Final = LimitNotice()
"""For all Codex providers of the process: they share one login."""


def error_from_text(text: str, *, thread_id: str = "") -> ProviderError:
    """Return the error for a turn that failed with ``text``.

    Args:
        text: the error in the stream, or the last lines of standard error.
        thread_id: Codex's id of the conversation, if it is known.

    Returns:
        A subclass of ``ProviderError``, with the wait that the text names; ``ProviderCrashError`` if no word
        matches.
    """
    body = ErrorBody.parse(text)
    kind = (
        _matching(_CODEX_PATTERNS, text)
        or refusal_kind(body)
        or _matching(_GENERAL_PATTERNS, text)
        or ProviderCrashError
    )
    # Codex passes on the body of some refusals as JSON.
    message = body.message if text.startswith("{") else text
    error = _make_error(kind, message or "Codex ended without a message", thread_id)
    error.retry_after = body.reset_after if body.retry_after is None else body.retry_after
    error.thread_id = thread_id
    _LIMIT_NOTICE.report("Codex", error)
    return error


def resume_error(text: str, *, thread_id: str) -> ProviderError:
    """Return the error for a thread that could not be resumed.

    Whatever the reason is, such as a damaged rollout, the thread cannot be continued: the conversation is
    lost, unless the words name another class of error.
    """
    error = error_from_text(text, thread_id=thread_id)
    if type(error) is not ProviderCrashError:
        return error
    return SessionLostError(text, thread_id=thread_id, provider=_PROVIDER)


def cut_reason(error: ProviderError) -> str:
    """Return why the model stopped before its answer was whole, in the service's word.

    Args:
        error: the error of the turn.

    Returns:
        A word such as ``max_output_tokens``; empty if that is not the error, or if it refuses the request.
    """
    stopped = None if isinstance(error, RefusedRequestError) else _STOPPED.search(str(error))
    return stopped[1] if stopped else ""


def makes_unusable(error: BaseException, *, reported: bool) -> bool:
    """Return whether a thread cannot be continued after a turn that failed.

    The words of that turn stay in the thread. If the service refuses them, in words that are known or not,
    or has no answer to them, it would do the same at every later turn.

    Args:
        error: the error of the turn.
        reported: whether Codex has reported that the turn failed, so that its process did not crash.
    """
    if isinstance(error, SessionLostError | RefusedRequestError | AnswerEmptyError):
        return True
    is_unknown = type(error) is ProviderCrashError and not _CONNECTION.search(str(error))
    return reported and is_unknown


def with_details(
    error: ProviderError, exit_code: int | None, stderr_tail: str, thread_id: str
) -> ProviderError:
    """Add to ``error`` how its process ended, and return it.

    Args:
        error: the error.
        exit_code: the process's exit code (negative: a signal), or None if it did not end by itself.
        stderr_tail: the end of standard error.
        thread_id: Codex's id of the conversation, if it is known.
    """
    error.exit_code = exit_code
    error.stderr_tail = stderr_tail
    error.thread_id = thread_id
    return error


_Patterns: TypeAlias = "tuple[tuple[re.Pattern[str], type[ProviderError]], ...]"


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


def _matching(patterns: _Patterns, text: str) -> type[ProviderError] | None:
    """Return the kind of the first pattern that ``text`` contains."""
    return next((kind for pattern, kind in patterns if pattern.search(text)), None)


def _make_error(kind: type[ProviderError], text: str, thread_id: str) -> ProviderError:
    if issubclass(kind, SessionLostError | SessionBusyError):
        return kind(text, thread_id=thread_id, provider=_PROVIDER)
    if issubclass(kind, UnknownModelError):
        named = _MODEL.search(text)
        return kind(text, model=(named[1] or named[2]) if named else "", provider=_PROVIDER)
    return kind(text, provider=_PROVIDER)


_MODEL: Final = re.compile(r"model [`'\"]([^`'\"]+)[`'\"]|[`'\"]([^`'\"]+)[`'\"] model", re.IGNORECASE)

_STOPPED: Final = re.compile(r"incomplete response returned, reason: (\w+)", re.IGNORECASE)
"""What Codex says of ``response.incomplete`` (measured, 0.142 to 0.171)."""

_CONNECTION: Final = _words(
    r"stream closed before", r"error sending request", r"error decoding", r"connection", r"idle timeout"
)
"""What Codex says of a broken connection, in which no words were refused (measured, 0.142 to 0.171)."""

# The first match wins: a thread that is being written to cannot be resumed either.
_CODEX_PATTERNS: Final[_Patterns] = (
    # Also where a thread is resumed, which is not lost then (measured, 0.142 to 0.171).
    (_words(r"required MCP servers failed to initialize"), ProviderError),
    (_words(r"already has an active writer"), SessionBusyError),
    (
        _words(
            r"no rollout found",
            r"(?:thread|session|conversation) not found",
            r"thread/resume failed",
            r"resuming thread",
            r"session metadata",
            r"rollout record",
        ),
        SessionLostError,
    ),
    (
        _words(r"\w[_ ]policy\)", r"reason: content_filter", r"response was filtered"),
        RefusedRequestError,
    ),
    (_STOPPED, AnswerEmptyError),
)

# Words that the body of a refusal, which Codex passes on, may have too: the table reads it better.
_GENERAL_PATTERNS: Final[_Patterns] = (
    (_words(r"with your ChatGPT plan", r"quota", r"out of credits", r"billing"), QuotaExceededError),
    (
        _words(
            r"\b403 forbidden",
            r"api[ _]key",
            r"(?:access|refresh) token",
            r"missing environment variable",
        ),
        AuthenticationError,
    ),
    (_words(r"rate limit exceeded", r"too many requests"), RateLimitedError),
    # The last two are of OpenAI's server_error: of an error in a stream, Codex passes on the words alone
    # (measured, 0.142 to 0.171).
    (
        _words(r"server[ _]error", r"server had an error", r"error occurred while processing"),
        OverloadedError,
    ),
)
