"""What a handler may return."""

from __future__ import annotations

from yemot_ai.errors import ConfigurationError
from yemot_ai.protocol import Action, Response

__all__ = ["parse_returned"]


def parse_returned(returned: object) -> Response:
    """Understand what a handler returned, as yemot-flow does: an answer to the line.

    Raises:
        ConfigurationError: it is none.
        ResponseSyntaxError: a text is not what the line speaks.
    """
    if isinstance(returned, Response):
        return returned
    if isinstance(returned, str):
        return Response.parse(returned)
    actions: tuple[Action, ...] = tuple(returned) if isinstance(returned, tuple) else ()
    if actions:
        return Response(actions)
    raise ConfigurationError(
        f"a handler returned {type(returned).__name__}; return nothing, or an answer to the line"
    )
