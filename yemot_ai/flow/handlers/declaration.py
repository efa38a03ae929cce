"""Checks what a developer declares, so that a mistake is found at start and not by a caller."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from yemot_ai.errors import ConfigurationError
from yemot_ai.validation import check_type

__all__ = ["check_handler", "extension_name", "wants_agent"]


def extension_name(extension: str) -> str:
    """Return the name of an extension, without the slashes around it.

    Raises:
        ConfigurationError: it is not a text: a number, or the function itself, if the decorator has no
            parentheses.
    """
    check_type("extension", extension, str, "a text such as '1/2', or '' for the root")
    return extension.strip("/")


def check_handler(handler: Callable[..., Any]) -> None:
    """Check that a handler can be called with the call.

    Raises:
        ConfigurationError: it cannot.
    """
    _bind(handler, 1, "(call)")


def wants_agent(function: Callable[..., Any]) -> bool:
    """Return whether the second parameter of an agent's function is named ``agent``.

    Raises:
        ConfigurationError: the function cannot be called with a call and a text.
    """
    signature = _bind(function, 2, "(call, text) or (call, agent)")
    return [*signature.parameters, ""][1] == "agent"


def _bind(function: Callable[..., Any], count: int, expected: str) -> inspect.Signature:
    """Return the signature of a function that takes ``count`` positional arguments."""
    try:
        signature = inspect.signature(function)
        signature.bind(*[None] * count)
    except TypeError as error:
        name = getattr(function, "__qualname__", repr(function))
        raise ConfigurationError(f"{name} must take {expected}: {error}") from error
    return signature
