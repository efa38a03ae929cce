"""Checks what a developer declares, so that a mistake is found at start and not by a caller.

>>> extension_name("/1/2/", "get")
'1/2'
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any, Final

from yemot_ai.errors import ConfigurationError, InvalidValueError
from yemot_ai.errors.source_place import describe_function, function_place, source_place
from yemot_ai.flow.compat.option_values import folder_target
from yemot_ai.protocol import GoToFolder
from yemot_ai.validation import check_type

__all__ = ["OTHER_NAMES", "check_handler", "declared_as", "extension_name", "wants_agent"]

_GET: Final = 'write @flow.get("1/2"): it answers GET and POST'
_AGENT: Final = 'write @flow.ai_agent("1/2")'
_SERVE: Final = "serve it with `yemot-ai serve module:flow`, or mount `flow.wsgi_app` or `flow.asgi_app`"

OTHER_NAMES: Final = {
    **dict.fromkeys(("post", "put", "any", "all", "route", "handler", "handle", "extension", "menu"), _GET),
    **dict.fromkeys(("agent", "aiagent", "ai_get", "voice_agent"), _AGENT),
    **dict.fromkeys(("run", "serve", "app", "listen"), _SERVE),
}
"""By a name that other libraries have, what to write with a flow."""

_HANDLER: Final = "(call)"
_AGENT_FUNCTION: Final = "(call, text) or (call, agent)"
_OTHER_KIND: Final = {
    _HANDLER: "; the function of an agent takes two arguments, under @flow.ai_agent(…)",
    _AGENT_FUNCTION: "; a plain handler takes one argument, under @flow.get(…)",
}
_ARGUMENTS: Final = {_HANDLER: 1, _AGENT_FUNCTION: 2}


@contextlib.contextmanager
def declared_as(example: str) -> Iterator[None]:
    """Begin the message of each error with the place in the developer's code; a decorator.

    Args:
        example: what to write, for a call with wrong arguments.

    Raises:
        ConfigurationError: the arguments do not fit the decorated function.
    """
    try:
        yield
    except TypeError as error:
        if not _is_wrong_call(error):
            raise
        raise ConfigurationError(f"{source_place()}: {error}; write {example}") from None
    except ConfigurationError as error:
        if error.place and not str(error).startswith(error.place):
            error.args = (f"{error.place}: {error}", *error.args[1:])
        raise


def extension_name(extension: str, declared_by: str) -> str:
    """Return the name of an extension, without the slashes around it.

    Args:
        extension: the developer's argument.
        declared_by: the method of the flow that got it.

    Raises:
        ConfigurationError: it is not a text: a number, or the function itself, if the decorator has no
            parentheses; or the line cannot have such an extension.
    """
    if callable(extension):
        raise ConfigurationError(_without_extension(extension, declared_by), place=function_place(extension))
    check_type("extension", extension, str, "a text such as '1/2', or '' for the root")
    name = folder_target(extension).strip("/")
    _check_folder(extension, name)
    return name


def check_handler(handler: Callable[..., Any]) -> None:
    """Check that a handler can be called with the call.

    Raises:
        ConfigurationError: it cannot.
    """
    _check_signature(handler, _HANDLER)


def wants_agent(function: Callable[..., Any]) -> bool:
    """Return whether the second parameter of an agent's function is named ``agent``.

    Raises:
        ConfigurationError: the function cannot be called with a call and a text.
    """
    signature = _check_signature(function, _AGENT_FUNCTION)
    return [*signature.parameters, ""][1] == "agent"


def _is_wrong_call(error: TypeError) -> bool:
    """Whether the decorated function was not even called."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_code.co_filename == contextlib.__file__


def _without_extension(function: Callable[..., Any], declared_by: str) -> str:
    way = f'@flow.{declared_by}("") above it for the root, @flow.{declared_by}("1/2") for extension 2 in 1'
    if declared_by == "add_route":
        way = 'flow.add_route("1/2", function), the extension first'
    return f"{describe_function(function)} is where the extension belongs: write {way}"


def _check_folder(extension: str, name: str) -> None:
    if name == "hangup":
        raise ConfigurationError(
            "extension='hangup': that is no folder: call.hangup() ends a call, and ai.on_call_end is called "
            "at its end"
        )
    if "://" in extension:
        raise ConfigurationError(
            f"extension={extension!r} is an address, which `yemot-ai ext-ini` writes into the ext.ini files"
        )
    if {".", ".."} & set(name.split("/")):
        raise ConfigurationError(
            f"extension={extension!r}: write the whole path from the root, such as '1/2'"
        )
    try:
        GoToFolder(f"/{name}")
    except InvalidValueError as error:
        raise ConfigurationError(
            f"extension={extension!r} cannot be a folder of the line: use digits or letters, without . , = &"
        ) from error


def _check_signature(function: Callable[..., Any], expected: str) -> inspect.Signature:
    """Return the signature of a function that can be called as ``expected``."""
    reason = _reason_against(function)
    if reason:
        raise ConfigurationError(f"{_describe(function)} {reason}", place=_place(function))
    try:
        signature = inspect.signature(function)
        signature.bind(*[None] * _ARGUMENTS[expected])
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"{_describe(function)} must take {expected}: {error}{_OTHER_KIND[expected]}",
            place=_place(function),
        ) from error
    return signature


def _reason_against(function: object) -> str:
    """Return why what a developer gave is no function that can answer, as a clause; "" if it is one."""
    if asyncio.iscoroutine(function):
        function.close()
        return "is what the function returns: give the function itself, without parentheses"
    if not callable(function):
        return "is no function: give the function that answers"
    if isinstance(function, type):
        return f"is a class: give a function, or an object, {function.__name__}(…), with __call__"
    # Not the function in a decorator, which may have used up what it yields.
    called = (function, type(function).__call__)
    if any(inspect.isgeneratorfunction(one) or inspect.isasyncgenfunction(one) for one in called):
        return "yields: play with call.play_message(…), and return a value or nothing"
    if inspect.isfunction(function) and next(iter(inspect.signature(function).parameters), "") == "self":
        return "is a method without its object: register flow.get(extension)(object.method) instead"
    return ""


def _describe(function: object) -> str:
    return describe_function(function) if callable(function) else f"{function!r:.80}"


def _place(function: object) -> str:
    return function_place(function) if callable(function) else ""
