"""Checks the arguments of ``@pytest.mark.yemot(…)``.

>>> list(argument_errors(("shop:flow",), {"ap": "shop:flow"}))
["yemot() takes arguments by name only, not 'shop:flow'", "yemot() has no argument 'ap'; did you mean 'app'?"]
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.platform.settings import CallerOptions

if TYPE_CHECKING:
    import pytest

__all__ = ["ARGUMENTS", "argument_errors", "check_markers"]

_TARGET_ARGUMENTS = ("app", "url", "codex")
_CALLER_ARGUMENTS = tuple(
    name
    for name, parameter in inspect.signature(Caller.__init__).parameters.items()
    if name not in {"self", "app"} and parameter.kind is not inspect.Parameter.VAR_KEYWORD
)
ARGUMENTS: frozenset[str] = frozenset(
    {*_TARGET_ARGUMENTS, *_CALLER_ARGUMENTS, *CallerOptions.__annotations__}
)
"""The arguments of the marker: the application, the Codex, and those of ``Caller``."""


def check_markers(item: pytest.Item) -> list[str]:
    """Return the errors in the markers of a test."""
    markers = item.iter_markers("yemot")
    return [error for marker in markers for error in argument_errors(marker.args, marker.kwargs)]


def argument_errors(positional: tuple[Any, ...], named: Mapping[str, Any]) -> Iterator[str]:
    """Yield the errors in the arguments of one marker, each with a hint."""
    for value in positional:
        yield f"yemot() takes arguments by name only, not {value!r}"
    for name in named.keys() - ARGUMENTS:
        near = difflib.get_close_matches(name, ARGUMENTS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(ARGUMENTS))}"
        yield f"yemot() has no argument {name!r}; {hint}"
    if named.get("app") is not None and named.get("url") is not None:
        yield "yemot() takes app= or url=, not both"
