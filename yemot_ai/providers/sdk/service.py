"""A model service over HTTP: its key, its model, and the errors of its refusals."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from typing import Final

from yemot_ai.errors import (
    ConfigurationError,
    MalformedStreamError,
    MissingExtraError,
    MissingKeyError,
    ProviderError,
    RateLimitedError,
    SessionLostError,
    UnknownModelError,
)
from yemot_ai.providers.refusals import ErrorBody, refusal_kind
from yemot_ai.providers.sdk.headers import check_key
from yemot_ai.providers.sdk.settings import clean_base_url, clean_name

__all__ = ["Service"]

MAX_MESSAGE: Final = 400
"""Characters of a service's message in an error."""


@dataclass(frozen=True, slots=True)
class Service:
    """Constants of a service.

    Attributes:
        name: the name of the provider, of the SDK's package and of the extra.
        title: the service's name in messages, and the class of its client in the SDK; an asynchronous one
            has ``Async`` before it.
        default_model: the model if no other is named.
        model_variable: the environment variable for the model; ``{NAME}_MODEL`` by default.
        paths: paths that the SDK adds to the address of a server.
    """

    name: str
    title: str
    default_model: str
    model_variable: str = ""
    paths: tuple[str, ...] = ()

    def resolve_key(self, key: str | None) -> str:
        """Return ``key``, else the environment's.

        Raises:
            MissingExtraError: the SDK is not installed.
            MissingKeyError: there is no key.
            ConfigurationError: no header can carry the key.
        """
        if importlib.util.find_spec(self.name) is None:
            raise MissingExtraError(package=self.name, extra=self.name)
        variable = f"{self.name.upper()}_API_KEY"
        given: object = key or os.environ.get(variable) or ""
        if not isinstance(given, str):
            what = f"the key of {self.title} ({variable})"
            raise ConfigurationError(f"{what} is of type {type(given).__name__}: give a text")
        resolved = given.strip()
        if not resolved:
            raise MissingKeyError(provider=self.title, variable=variable, argument=f"{self.name}_api_key")
        check_key(f"the key of {self.title} ({variable})", resolved)
        return resolved

    def resolve_model(self, model: str | None) -> str:
        """Return ``model``, else the environment's, else the default.

        Raises:
            ConfigurationError: it is no name.
        """
        given = model or os.environ.get(self._model_variable_name) or self.default_model
        return clean_name(f"the model ({self._model_variable_name})", given)

    def resolve_base_url(self, url: str | None) -> str | None:
        """Return ``url``, else the environment's; None for the service's own.

        Raises:
            ConfigurationError: no request can be sent to it.
        """
        variable = f"{self.name.upper()}_BASE_URL"
        given = os.environ.get(variable) if url is None else url
        what = variable if url is None else "base_url"
        return None if given is None else clean_base_url(given, what=what, endings=self.paths)

    def error_from(self, body: ErrorBody, *, model: str) -> ProviderError:
        """Return the ``ProviderError`` subclass for a refusal, with the wait that it asks for."""
        error = self._new_error(refusal_kind(body) or ProviderError, body.message[:MAX_MESSAGE], model)
        wait = body.retry_after
        if wait is None and isinstance(error, RateLimitedError):
            wait = body.reset_after
        if wait is not None:
            error.retry_after = wait
        return error

    def _new_error(self, kind: type[ProviderError], reason: str, model: str) -> ProviderError:
        if issubclass(kind, UnknownModelError):
            hint = f"pass model=… or set {self._model_variable_name}"
            message = f"{self.title} does not know the model {model!r}: {hint} ({reason})"
            return UnknownModelError(message, model=model, provider=self.name)
        if issubclass(kind, SessionLostError):
            return SessionLostError(reason, thread_id="", provider=self.name)
        return kind(reason, provider=self.name)

    def malformed_error(self, why: str) -> MalformedStreamError:
        """Return the error for a response that does not follow the service's API."""
        return MalformedStreamError(
            f"the server's answer is not {self.title}'s API ({why}): check base_url", provider=self.name
        )

    @property
    def _model_variable_name(self) -> str:
        return self.model_variable or f"{self.name.upper()}_MODEL"
