"""A model service that is asked over HTTP: its key, its model, and what its refusals mean.

The services have much in common, for one generator writes their SDKs, and compatible servers
imitate them: a status, sometimes a code, always a sentence. The code is believed first, then the
words of a sentence that tell its class, then the status.
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
    """What a service said instead of an answer.

    Attributes:
        message: its sentence.
        codes: its code and its type of error, those that it gave.
        status: of HTTP; None where the refusal stood in a 200.
        retry_after: seconds that it asked to wait.
    """

    message: str
    codes: tuple[str, ...] = ()
    status: int | None = None
    retry_after: float | None = None

    @classmethod
    def parse(cls, body: object, *, status: int | None = None, retry_after: str | None = None) -> ErrorBody:
        """Read an error's body: ``{"error": {…}}``, what stands in it, or whatever a proxy sends."""
        inner = body.get("error", body) if isinstance(body, Mapping) else body
        names: tuple[str, ...] = ()
        message = inner
        if isinstance(inner, Mapping):
            names = tuple(name for key in ("code", "type") if isinstance(name := inner.get(key), str))
            message = inner.get("message")
        if not isinstance(message, str) or message.lstrip().startswith(
            "<"
        ):  # a page: nobody reads it in a log
            message = f"HTTP status {status}" if status is not None else "an error without a message"
        return cls(message[:MAX_MESSAGE], names, status, _seconds(retry_after))


@dataclass(frozen=True, slots=True)
class Service:
    """What there is to know of a service.

    Attributes:
        name: the provider's name, the SDK's package and our extra.
        title: its maker, for messages.
        default_model: the model that is asked unless another is named.
        error_types: what the codes of its refusals mean.
        model_variable: the environment variable that names another model; the service's own unless given.
    """

    name: str
    title: str
    default_model: str
    error_types: ErrorTypes
    model_variable: str = ""

    def resolve_key(self, given: str | None) -> str:
        """Return the key: ``given``, else the environment's.

        Raises:
            MissingExtraError: the SDK is not installed.
            MissingKeyError: there is no key.
        """
        if importlib.util.find_spec(self.name) is None:
            raise MissingExtraError(package=self.name, extra=self.name)
        variable = f"{self.name.upper()}_API_KEY"
        key = (given or os.environ.get(variable) or "").strip()
        if not key:
            raise MissingKeyError(provider=self.title, variable=variable, argument=f"{self.name}_api_key")
        return key

    def resolve_model(self, given: str | None) -> str:
        """Return the model's name: ``given``, else the environment's, else the default."""
        return given or os.environ.get(self._model_variable_name) or self.default_model

    def error_from(self, refusal: ErrorBody, *, model: str) -> ProviderError:
        """Return the error that a program can react to."""
        kind = self._error_type(refusal)
        if kind is UnknownModelError:
            way_out = f"pass model=… or set {self._model_variable_name}"
            message = f"{self.title} does not know the model {model!r}: {way_out}"
            return UnknownModelError(message, model=model, provider=self.name)
        if kind is RateLimitedError:
            return RateLimitedError(refusal.message, retry_after=refusal.retry_after, provider=self.name)
        if kind is SessionLostError:
            return SessionLostError(refusal.message, thread_id="", provider=self.name)
        return kind(refusal.message, provider=self.name)

    def malformed_error(self, why: str) -> MalformedStreamError:
        """Return the error for an answer that is not the service's protocol."""
        return MalformedStreamError(
            f"the server's answer is not {self.title}'s API ({why}): check base_url", provider=self.name
        )

    @property
    def _model_variable_name(self) -> str:
        return self.model_variable or f"{self.name.upper()}_MODEL"

    def _error_type(self, refusal: ErrorBody) -> type[ProviderError]:
        named = next((self.error_types[name] for name in refusal.codes if name in self.error_types), None)
        if named is not None:
            return named
        if refusal.status in _AMBIGUOUS_STATUSES:
            for words, kind in _MESSAGE_PATTERNS:
                if words.search(refusal.message):
                    return kind
        status = refusal.status or 0
        return _STATUS_TYPES.get(status, OverloadedError if status >= SERVER_ERROR else ProviderError)


_AMBIGUOUS_STATUSES: Final = frozenset({None, 400, 404, 413, 422})
"""The statuses that say nothing by themselves."""

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


def _seconds(header: Any) -> float | None:  # noqa: ANN401 - whatever stands in a header
    try:
        return float(header) if header is not None else None
    except ValueError:  # an HTTP date: too far away to wait for on the phone
        return None
