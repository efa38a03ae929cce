"""The errors of one model service, without its key."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any, Final
from urllib.request import getproxies

from yemot_ai.errors import (
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
)
from yemot_ai.providers.refusals import ErrorBody, LimitNotice, refusal_in
from yemot_ai.providers.sdk.service import Service
from yemot_ai.providers.sdk.stop_reasons import stop_error, stop_reason

__all__ = ["ServiceErrors"]

MIN_SECRET_LENGTH: Final = 8
"""Characters; a shorter key is a word such as ``none``, for a server that needs no key."""


class ServiceErrors:
    """Makes the errors of a service.

    Args:
        service: the service.
        key: the key; it never appears in an error.
        model: the model's name.
        timeout: seconds for one answer.
    """

    def __init__(self, service: Service, *, key: str, model: str, timeout: float) -> None:
        self._service = service
        self._key = key
        self._model = model
        self._timeout = timeout
        self._limit_notice = LimitNotice()

    def from_sdk(self, sdk: ModuleType, error: Any) -> ProviderError:  # noqa: ANN401 - an error of an SDK
        """Return the error for an ``APIError`` of the SDK."""
        if isinstance(error, sdk.APITimeoutError):
            return self.timeout()
        if isinstance(error, sdk.APIConnectionError):
            why = f"{error} ({error.__cause__})" if error.__cause__ else str(error)
            return self._crash(f"no connection to {self._service.title}: {why}{_through_proxies()}")
        if not isinstance(error, sdk.APIStatusError):
            return self.from_body(error.body or {"message": error.message})
        response = error.response
        # The SDK takes the error out of a body; fields beside it would be lost. An error event in a stream
        # has no other body.
        whole = response.is_error and response.is_stream_consumed
        body = response.text if whole else error.body
        return self._from_refusal(
            ErrorBody.parse(body, status=response.status_code, headers=response.headers)
        )

    def from_body(self, body: object) -> ProviderError:
        """Return the error for an error body with status 200."""
        return self._from_refusal(ErrorBody.parse(body))

    def found_in(self, response: object, otherwise: ProviderError) -> ProviderError:
        """Return the error of the refusal that a response is, or ``otherwise``."""
        return self.refusal_in(response) or otherwise

    def refusal_in(self, response: object) -> ProviderError | None:
        """Return the error of the refusal that a response is; None if it is none."""
        refusal = refusal_in(response)
        return None if refusal is None else self._from_refusal(refusal)

    def timeout(self) -> ProviderTimeoutError:
        """Return the error for an answer that is late."""
        return ProviderTimeoutError(seconds=self._timeout, provider=self._service.name)

    def no_client(self, error: Exception) -> ProviderError:
        """Return the error for an HTTP client that cannot be made: of a proxy, or of a wrong address."""
        variables = ", ".join(f"{scheme}_proxy" for scheme in sorted(getproxies())) or "no proxy is set"
        if isinstance(error, ImportError):
            way_out = "install the package socksio, or unset the variable"
        else:
            way_out = "check base_url and the proxy"
        message = f"no client for {self._service.title}: {error} ({variables}): {way_out}"
        return ProviderError(message, provider=self._service.name)

    def cut_off(self, why: str) -> ProviderCrashError:
        """Return the error for a stream that ends before its answer."""
        return self._crash(f"{self._service.title} broke off in the answer ({why})")

    def empty(self, reason: object) -> ProviderError:
        """Return the error for a response without text.

        Args:
            reason: why the model stopped, in the service's word; None if it did not say it.
        """
        why = stop_reason(reason) or "no reason"
        message = f"{self._service.title} answered without text ({why})"
        return stop_error(reason)(message, provider=self._service.name)

    def _crash(self, message: str) -> ProviderCrashError:
        return ProviderCrashError(message, provider=self._service.name)

    def _from_refusal(self, body: ErrorBody) -> ProviderError:
        quoted = self._quotes_key(body.message)
        message = body.message.replace(self._key, "…") if quoted else body.message
        refusal = self._service.error_from(replace(body, message=message), model=self._model)
        self._limit_notice.report(self._service.title, refusal)
        return refusal

    def _quotes_key(self, text: str) -> bool:
        return len(self._key) >= MIN_SECRET_LENGTH and self._key in text


def _through_proxies() -> str:
    """Return which variables name a proxy, without their values, which may contain a password."""
    variables = ", ".join(f"{scheme}_proxy" for scheme in sorted(getproxies()) if scheme != "no")
    return f"; a proxy is set: {variables}" if variables else ""
