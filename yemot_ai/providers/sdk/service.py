"""A model service over HTTP: its key, its model, and the meaning of its errors.

The services are similar: one generator writes their SDKs, and compatible servers imitate them. An error
has a status, sometimes a code, always a message. The code decides first, then words of the message, then
the status.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from yemot_ai.errors import (
    AuthenticationError,
    ContextOverflowError,
    MalformedStreamError,
    MissingExtraError,
    MissingKeyError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    SessionLostError,
    UnknownModelError,
)

__all__ = ["ErrorBody", "ErrorTypes", "Service"]

ErrorTypes: TypeAlias = Mapping[str, type[ProviderError]]

SERVER_ERROR: Final = 500
MAX_MESSAGE: Final = 400


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """An error response.

    Attributes:
        message: the message.
        codes: the error's code and type, if it has them.
        status: the HTTP status; None for an error in a 200.
        retry_after: seconds to wait, from the header.
    """

    message: str
    codes: tuple[str, ...] = ()
    status: int | None = None
    retry_after: float | None = None

    @classmethod
    def parse(cls, body: object, *, status: int | None = None, retry_after: str | None = None) -> ErrorBody:
        """Parse an error's body: ``{"error": {…}}``, the inner object, or any text of a proxy."""
        inner = body.get("error", body) if isinstance(body, Mapping) else body
        names: tuple[str, ...] = ()
        message = inner
        if isinstance(inner, Mapping):
            names = tuple(name for key in ("code", "type") if isinstance(name := inner.get(key), str))
            message = inner.get("message")
        if not isinstance(message, str) or message.lstrip().startswith("<"):  # no HTML page in a log
            message = f"HTTP status {status}" if status is not None else "an error without a message"
        return cls(message[:MAX_MESSAGE], names, status, _seconds(retry_after))


@dataclass(frozen=True, slots=True)
class Service:
    """Constants of a service.

    Attributes:
        name: the name of the provider, of the SDK's package and of the extra.
        title: the service's name in messages, and the class of its client in the SDK; an asynchronous one
            has ``Async`` before it.
        default_model: the model if no other is named.
        error_types: the exceptions for its error codes.
        model_variable: the environment variable for the model; ``{NAME}_MODEL`` by default.
    """

    name: str
    title: str
    default_model: str
    error_types: ErrorTypes
    model_variable: str = ""

    def resolve_key(self, key: str | None) -> str:
        """Return ``key``, else the environment's.

        Raises:
            MissingExtraError: the SDK is not installed.
            MissingKeyError: there is no key.
        """
        if importlib.util.find_spec(self.name) is None:
            raise MissingExtraError(package=self.name, extra=self.name)
        variable = f"{self.name.upper()}_API_KEY"
        resolved = (key or os.environ.get(variable) or "").strip()
        if not resolved:
            raise MissingKeyError(provider=self.title, variable=variable, argument=f"{self.name}_api_key")
        return resolved

    def resolve_model(self, model: str | None) -> str:
        """Return ``model``, else the environment's, else the default."""
        return model or os.environ.get(self._model_variable_name) or self.default_model

    def error_from(self, body: ErrorBody, *, model: str) -> ProviderError:
        """Return the ``ProviderError`` subclass for an error response."""
        kind = self._error_type(body)
        if kind is UnknownModelError:
            hint = f"pass model=… or set {self._model_variable_name}"
            message = f"{self.title} does not know the model {model!r}: {hint}"
            return UnknownModelError(message, model=model, provider=self.name)
        if kind is RateLimitedError:
            return RateLimitedError(body.message, retry_after=body.retry_after, provider=self.name)
        if kind is SessionLostError:
            return SessionLostError(body.message, thread_id="", provider=self.name)
        return kind(body.message, provider=self.name)

    def malformed_error(self, why: str) -> MalformedStreamError:
        """Return the error for a response that does not follow the service's API."""
        return MalformedStreamError(
            f"the server's answer is not {self.title}'s API ({why}): check base_url", provider=self.name
        )

    @property
    def _model_variable_name(self) -> str:
        return self.model_variable or f"{self.name.upper()}_MODEL"

    def _error_type(self, body: ErrorBody) -> type[ProviderError]:
        by_code = next((self.error_types[code] for code in body.codes if code in self.error_types), None)
        if by_code is not None:
            return by_code
        if body.status in _AMBIGUOUS_STATUSES:
            for words, kind in _MESSAGE_PATTERNS:
                if words.search(body.message):
                    return kind
        status = body.status or 0
        return _STATUS_TYPES.get(status, OverloadedError if status >= SERVER_ERROR else ProviderError)


_AMBIGUOUS_STATUSES: Final = frozenset({None, 400, 404, 413, 422})
"""Statuses with several meanings."""

_MESSAGE_PATTERNS: Final[tuple[tuple[re.Pattern[str], type[ProviderError]], ...]] = (
    (
        re.compile(r"context window|context.length|prompt is too long|too many tokens", re.IGNORECASE),
        ContextOverflowError,
    ),
    (
        re.compile(r"credit balance|insufficient (?:quota|credits|balance)|payment required", re.IGNORECASE),
        QuotaExceededError,
    ),
    (
        re.compile(
            r"^model: |unknown model|\bmodel\b.*(?:not found|not exist|not a valid|not supported)",
            re.IGNORECASE,
        ),
        UnknownModelError,
    ),
)

_STATUS_TYPES: Final[Mapping[int, type[ProviderError]]] = {
    401: AuthenticationError,
    402: QuotaExceededError,
    403: AuthenticationError,
    408: OverloadedError,
    413: ContextOverflowError,
    429: RateLimitedError,
}


def _seconds(header: Any) -> float | None:  # noqa: ANN401 - the value of a header
    try:
        return float(header) if header is not None else None
    except ValueError:  # an HTTP date: too late to wait for during a call
        return None
