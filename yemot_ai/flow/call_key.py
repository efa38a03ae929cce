"""The key of a call: what its requests have in common, and no other call's.

``ApiCallId`` is the same for the whole call [OFF], but some lines change it when the caller moves to another
extension [LIVE], and ``api_call_id_send=no`` leaves it out [OFF]. ``ApiYFCallId`` [LIB] stays.
"""

from __future__ import annotations

import inspect
import logging
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from yemot_ai.errors import ConfigurationError
from yemot_ai.errors.code_errors import report_code_error
from yemot_ai.flow.handler_run import is_async
from yemot_ai.protocol import Request
from yemot_ai.sessions import CALLER_KEY_PREFIX

__all__ = ["CallKey", "KeyFunction", "key_function"]

log = logging.getLogger("yemot_ai")

KeyFunction: TypeAlias = Callable[[Request], str]
"""Returns the key of a request's call; the line's own ids are used where it is no printable text."""

CallKey: TypeAlias = Literal["ApiCallId", "ApiYFCallId"] | KeyFunction
"""The argument of ``AIFlow``."""


def key_function(call_key: object) -> KeyFunction | None:
    """Return the function for an argument ``call_key``; None for the default, ``Request.call_key``.

    Raises:
        ConfigurationError: it is neither a known name nor a plain function of one argument.
    """
    if call_key == "ApiCallId":
        return None
    if call_key == "ApiYFCallId":
        return operator.attrgetter("yf_call_id")  # without it, the key is as by default
    if not callable(call_key):
        raise ConfigurationError(
            f"call_key={call_key!r}: use 'ApiCallId', 'ApiYFCallId', or a function that gets the Request"
        )
    _check_signature(call_key)
    return _DeveloperKey(call_key)


def _check_signature(function: Callable[..., object]) -> None:
    name = getattr(function, "__qualname__", repr(function))
    if is_async(function):
        raise ConfigurationError(f"call_key={name} is async: give a plain function that returns a text")
    try:
        signature = inspect.signature(function)
    except ValueError:  # a built-in that has none
        return
    try:
        signature.bind(None)
    except TypeError as error:
        raise ConfigurationError(f"call_key={name} must take one argument, the Request: {error}") from error


@dataclass(frozen=True, slots=True)
class _DeveloperKey:
    """A developer's function; the line's own ids are used where it fails.

    They get a prefix then: an id in a request must not equal what the function returns for another call.
    """

    function: Callable[[Request], object]

    def __call__(self, request: Request) -> str:
        try:
            key = self.function(request)
        except Exception as error:  # foreign code: the call goes on
            report_code_error("call_key", error)
            log.exception("call %.60r: call_key failed; the line's own id is used", request.call_key)
            return _own_id(request)
        if isinstance(key, str) and key.strip() and key.isprintable() and not key.startswith(_RESERVED):
            return key
        what = (
            "a text that is blank, not printable or reserved" if isinstance(key, str) else type(key).__name__
        )
        log.warning("call %.60r: call_key returned %s; the line's own id is used", request.call_key, what)
        return _own_id(request)


_PREFIX = "ApiCallId/"
_RESERVED = (CALLER_KEY_PREFIX, _PREFIX)


def _own_id(request: Request) -> str:
    return f"{_PREFIX}{request.call_key}" if request.call_key else ""
