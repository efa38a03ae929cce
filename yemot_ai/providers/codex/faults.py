"""Turn Codex's error messages into ``ProviderError`` subclasses.

Codex has no error codes: it prints sentences, and they change between versions. So a sentence is
matched by single words, never whole. Measured on 0.120, 0.142 and 0.169.
"""

from __future__ import annotations

import re
from typing import Final

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

__all__ = ["error_from_text", "parse_retry_after", "with_details"]

_PROVIDER: Final = "codex"


def error_from_text(text: str, *, thread_id: str = "") -> ProviderError:
    """Return the error for a turn that failed with ``text``.

    Args:
        text: the error in the stream, or the last lines of standard error.
        thread_id: Codex's id of the conversation, if it is known.

    Returns:
        A subclass of ``ProviderError``; ``ProviderCrashError`` if no word matches.
    """
    kind = next((kind for words, kind in _ERROR_PATTERNS if words.search(text)), ProviderCrashError)
    error = _make_error(kind, text or "Codex ended without a message", thread_id)
    error.thread_id = thread_id
    return error


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


def _make_error(kind: type[ProviderError], text: str, thread_id: str) -> ProviderError:
    if issubclass(kind, SessionLostError | SessionBusyError):
        return kind(text, thread_id=thread_id, provider=_PROVIDER)
    if issubclass(kind, RateLimitedError):
        return kind(text, retry_after=parse_retry_after(text), provider=_PROVIDER)
    if issubclass(kind, UnknownModelError):
        named = _MODEL.search(text)
        return kind(text, model=(named[1] or named[2]) if named else "", provider=_PROVIDER)
    return kind(text, provider=_PROVIDER)


_MODEL: Final = re.compile(r"model [`'\"]([^`'\"]+)[`'\"]|[`'\"]([^`'\"]+)[`'\"] model", re.IGNORECASE)

# The first match wins: a message about a lost thread may contain any status, and an empty account is
# refused with the same status 429 as too many requests.
_ERROR_PATTERNS: Final[tuple[tuple[re.Pattern[str], type[ProviderError]], ...]] = (
    (_words(r"no rollout found", r"(?:thread|session|conversation) not found"), SessionLostError),
    (_words(r"already has an active writer"), SessionBusyError),
    (_words(r"context[ _]window", r"context[ _]length"), ContextOverflowError),
    (
        _words(r"quota", r"usage[ _]limit", r"out of credits", r"billing", r"payment required"),
        QuotaExceededError,
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
        AuthenticationError,
    ),
    (_words(r"status:? 429", r"too many requests", r"rate[ _]limit"), RateLimitedError),
    (
        _words(
            r"model[ _]not[ _]found",
            r"model (?:\S+ )?does not exist",
            r"model is not supported",
            r"unknown model",
        ),
        UnknownModelError,
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
        OverloadedError,
    ),
)
