"""The place in the developer's code that has raised an exception."""

from __future__ import annotations

import traceback

from yemot_ai.errors.base import YemotAIError
from yemot_ai.errors.source_place import is_developers

__all__ = ["describe_failure", "failure_place"]


def failure_place(error: BaseException) -> str:
    """Return ``file:line`` of the developer's code that an exception is about; "" if there is none.

    That is the place that the exception itself names, else the innermost line of the developer's code; a
    library that this line has called is not the developer's.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    if place := getattr(error, "place", ""):
        return str(place)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_developers(frame.filename)]
    own = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""


def describe_failure(error: BaseException) -> str:
    """Return an exception as one text: the place in the developer's code, its type and its message.

    The message of an error of this package says all, so its type is left out.
    """
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    if not isinstance(error, YemotAIError):
        text = f"{type(error).__name__}: {text}".removesuffix(": ")
    place = failure_place(error)
    return text if not place or text.startswith(place) else f"{place}: {text}"
