"""The arguments of the methods that add a step: their checks, and a call with values from a file."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yemot_ai_testing.doubles.steps import ToolArguments

__all__ = ["as_exit_code", "as_pieces", "as_seconds", "as_text", "as_tool_call", "call_verb"]


def as_pieces(text: object) -> tuple[str, ...]:
    """Return the pieces of ``text``.

    Raises:
        TypeError: it is neither a text nor a sequence of texts.
    """
    if isinstance(text, str):
        return (text,)
    if not isinstance(text, Sequence) or not all(isinstance(piece, str) for piece in text):
        raise TypeError(f'a model writes a text such as "hello", or a list of its pieces, not {text!r}')
    return tuple(text)


def as_seconds(name: str, value: object) -> float:
    """Return ``value`` of the argument ``name`` if it is a valid number of seconds.

    Raises:
        TypeError: it is not a number.
        ValueError: it is negative or not finite.
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} is a number of seconds such as 2.5, not {value!r}")
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} is a number of seconds from 0 on, such as 2.5, not {value!r}")
    return value


def as_text(name: str, value: object) -> str:
    """Return ``value`` of the argument ``name`` if it is a text.

    Raises:
        TypeError: it is not a text.
    """
    if not isinstance(value, str):
        raise TypeError(f'{name} is a text such as "hello", not {value!r}')
    return value


def as_exit_code(value: object) -> int:
    """Return ``value`` if it is the exit code of a process.

    Raises:
        TypeError: it is not a whole number.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"an exit code is a whole number such as 1, not {value!r}")
    return value


def as_tool_call(call: object) -> tuple[str, ToolArguments]:
    """Return the tool and the arguments of a scripted call, ``(tool, arguments)`` or ``(tool,)``.

    Raises:
        TypeError: it is no such pair, the tool is not a text, or JSON cannot have the arguments.
        ValueError: the tool has no name, or JSON cannot have a number of the arguments.
    """
    match call:
        case (str(tool),):
            arguments: object = {}
        case (str(tool), arguments):
            pass
        case _:
            raise TypeError(
                f'a call is a tool and its arguments, ("order_status", {{"id": 7}}), not {call!r}'
            )
    if not tool.strip():
        raise ValueError(f"a tool has a name such as order_status, not {tool!r}")
    return tool, _as_tool_arguments(tool, arguments)


def _as_tool_arguments(tool: str, arguments: object) -> ToolArguments:
    if isinstance(arguments, str):
        return arguments
    if not isinstance(arguments, Mapping) or not all(isinstance(name, str) for name in arguments):
        raise TypeError(
            f'the arguments of {tool} are a mapping such as {{"id": 7}}, or raw text, not {arguments!r}'
        )
    json.dumps(arguments, allow_nan=False)
    return dict(arguments)


def call_verb(double: object, verb: str, value: object, **options: object) -> None:
    """Add the step that a file describes: ``verb: value``, and options.

    Args:
        double: the double.
        verb: the name of its method.
        value: the first argument; ``True`` for none. YAML without types has ``"true"``.
        options: the other arguments, by their names.

    Raises:
        TypeError: there is no such argument, or one has another type.
        ValueError: a value is not valid.
    """
    method = getattr(double, verb)
    signature = inspect.signature(method)
    takes_value = any(one.kind is one.POSITIONAL_OR_KEYWORD for one in signature.parameters.values())
    if not takes_value and value not in (True, "true"):
        raise ValueError(f"its value is true, not {value!r}")
    arguments = (value,) if takes_value and value is not True else ()
    signature.bind(*arguments, **options)
    method(*arguments, **options)
