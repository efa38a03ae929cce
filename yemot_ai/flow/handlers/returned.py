"""What a plain handler returned: nothing, or a response to the line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from yemot_ai.errors import ConfigurationError, InvalidValueError, ResponseSyntaxError
from yemot_ai.errors.source_place import describe_function, function_name, function_place
from yemot_ai.flow.call import BaseCall
from yemot_ai.flow.code_warnings import warn_once
from yemot_ai.flow.targets import warn_of_unknown_target
from yemot_ai.protocol import GoToFolder, Response, SimpleAnswer

__all__ = ["parse_returned", "warn_of_moves"]

_RESPONSE: Final = re.compile(r"\s*[a-z_]{3,}\s*=")
"""The beginning of a text that was meant as a response."""

_WAY_OUT: Final = "to speak, write call.play_message(…); return nothing, or a response to the line"


def parse_returned(returned: object, handler: Callable[..., Any]) -> Response:
    """Return what a handler returned as a response; accepts what yemot-flow accepts.

    No message has the text: a model or a caller may have said it.

    Args:
        returned: what it returned, not None.
        handler: the handler.

    Raises:
        ConfigurationError: it is no response; with the place of the handler, and what to write.
    """
    if isinstance(returned, str):
        return _parse_text(returned, handler)
    try:
        actions = tuple(returned) if isinstance(returned, Response | tuple) else ()
        if actions:
            return Response(actions)
    except InvalidValueError:
        raise _error(handler, f"a {type(returned).__name__} that is no tuple of actions") from None
    empty = "an empty " if returned == () else ""
    raise _error(handler, f"{empty}{type(returned).__name__}")


def warn_of_moves(response: Response, handler: Callable[..., Any], call: BaseCall) -> None:
    """Log each move of a returned response that leads to no handler of the flow."""
    for move in response:
        if isinstance(move, GoToFolder):
            warn_of_unknown_target(
                call.flow, call.extension, move.target, f"the returned {move}", place=function_place(handler)
            )


def _parse_text(text: str, handler: Callable[..., Any]) -> Response:
    try:
        response = Response.parse(text)
    except ResponseSyntaxError as error:
        if _RESPONSE.match(text):
            what = f"a response that the line cannot read: {error.reason} (at character {error.position})"
            raise _error(handler, what) from error
        kind = "a text that is no response to the line" if text.strip() else "an empty text"
        raise _error(handler, kind) from None
    if any(isinstance(action, SimpleAnswer) for action in response):
        warn_once(
            "%s returned a bare word, which the line does not speak: it plays a file of that name, or does "
            "api_answer_… of ext.ini. To speak, write call.play_message(…)",
            function_name(handler),
            place=function_place(handler),
        )
    return response


def _error(handler: Callable[..., Any], what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{describe_function(handler)} returned {what}: {_WAY_OUT}", place=function_place(handler)
    )
