"""Turn Codex's error messages into ``ProviderError`` subclasses.

Codex has no error codes: it prints sentences, and they change between versions. So a sentence is
matched by single words, never whole. Measured on 0.120, 0.142 and 0.169.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from yemot_ai.errors import (
    AuthenticationError,
    ContextOverflowError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    SessionBusyError,
    SessionLostError,
    UnknownModelError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["error_from_text", "parse_retry_after"]

_PROVIDER: Final = "codex"


def error_from_text(
    text: str, *, exit_code: int | None = None, stderr_tail: str = "", thread_id: str = ""
) -> ProviderError:
    """Return the error for a turn that failed with ``text``.

    Args:
        text: the error in the stream, or the last lines of standard error.
        exit_code: the process's exit code (negative: a signal), or None if it did not end by itself.
        stderr_tail: the end of standard error.
        thread_id: Codex's id of the conversation, if it is known.

    Returns:
        A subclass of ``ProviderError`` with all of these; ``ProviderCrashError`` if no word matches.
    """
    for words, make in _ERROR_PATTERNS:
        if words.search(text):
            return _with_details(make(text, thread_id), exit_code, stderr_tail, thread_id)
    message = text or "Codex ended without a message"
    crash = ProviderCrashError(message, exit_code=exit_code, stderr_tail=stderr_tail, provider=_PROVIDER)
    return _with_details(crash, exit_code, stderr_tail, thread_id)


def parse_retry_after(text: str) -> float | None:
    """Return the seconds to wait that an error message names (``Please try again in 1.5s``), or None."""
    match = _WAIT.search(text)
    if match is None:
        return None
    return float(match[1]) * _UNITS[match[2].lower()]


_WAIT: Final = re.compile(r"(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?)\s*(ms|s|m|h)", re.IGNORECASE)
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


def _lost(text: str, thread_id: str) -> ProviderError:
    return SessionLostError(text, thread_id=thread_id, provider=_PROVIDER)


def _busy(text: str, thread_id: str) -> ProviderError:
    return SessionBusyError(text, thread_id=thread_id, provider=_PROVIDER)


def _rate_limited(text: str, _thread_id: str) -> ProviderError:
    return RateLimitedError(text, retry_after=parse_retry_after(text), provider=_PROVIDER)


def _unknown_model(text: str, _thread_id: str) -> ProviderError:
    named = re.search(r"model [`'\"]([^`'\"]+)[`'\"]|[`'\"]([^`'\"]+)[`'\"] model", text, re.IGNORECASE)
    return UnknownModelError(text, model=(named[1] or named[2]) if named else "", provider=_PROVIDER)


def _simple(
    kind: type[AuthenticationError | ContextOverflowError | OverloadedError | QuotaExceededError],
) -> Callable[[str, str], ProviderError]:
    return lambda text, _thread_id: kind(text, provider=_PROVIDER)


# The first match wins: a message about a lost thread may contain any status, and an empty account is
# refused with the same status 429 as too many requests.
_ERROR_PATTERNS: Final[tuple[tuple[re.Pattern[str], Callable[[str, str], ProviderError]], ...]] = (
    (_words(r"no rollout found", r"(?:thread|session|conversation) not found"), _lost),
    (_words(r"already has an active writer"), _busy),
    (_words(r"context[ _]window", r"context[ _]length"), _simple(ContextOverflowError)),
    (
        _words(r"quota", r"usage[ _]limit", r"out of credits", r"billing", r"payment required"),
        _simple(QuotaExceededError),
    ),
    (
        _words(
            r"status:? 401",
            r"\b403 forbidden",
            r"unauthorized",
            r"api[ _]key",
            r"not logged in",
            r"log ?in again",
            r"authentication",
            r"(?:access|refresh) token",
            r"missing environment variable",
        ),
        _simple(AuthenticationError),
    ),
    (_words(r"status:? 429", r"too many requests", r"rate[ _]limit"), _rate_limited),
    (
        _words(
            r"model[ _]not[ _]found",
            r"model (?:\S+ )?does not exist",
            r"model is not supported",
            r"unknown model",
        ),
        _unknown_model,
    ),
    (
        _words(
            r"high demand",
            r"overloaded",
            r"at capacity",
            r"slow[ _]down",
            r"server[ _]error",
            r"status:? 5\d\d\b",
            r"service unavailable",
            r"bad gateway",
            r"gateway time-?out",
        ),
        _simple(OverloadedError),
    ),
)


def _with_details(
    error: ProviderError, exit_code: int | None, stderr_tail: str, thread_id: str
) -> ProviderError:
    error.exit_code = exit_code
    error.stderr_tail = stderr_tail
    error.thread_id = thread_id
    return error
