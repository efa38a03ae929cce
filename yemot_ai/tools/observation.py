"""Let a test observe the runs of tools, and run something in their place.

>>> from yemot_ai.sessions import ToolUse
>>> class Names:
...     def tool_starts(self, call_id, turn):
...         return None
...     def tool_done(self, call_id, turn):
...         print(turn.tool.name)
>>> with observe_tools(Names()):
...     report_tool_done("call-1", Turn("ai_1.tool1", "", tool=ToolUse("order_status", "{}", "", 1)))
order_status
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, Protocol, TypeAlias

from yemot_ai.sessions import Turn

__all__ = ["ToolObserver", "ToolReplacement", "observe_tools", "report_tool_done", "report_tool_start"]

ToolReplacement: TypeAlias = Callable[[Mapping[str, Any], Callable[[], Awaitable[Any]]], Awaitable[Any]]
"""Gets the arguments of a tool, and a function that runs the tool itself; returns the result, or raises."""


class ToolObserver(Protocol):
    """A test that observes tools; its methods are called on the engine's loop."""

    def tool_starts(self, call_id: str, turn: Turn) -> ToolReplacement | None:
        """Return what runs in the place of the tool ``turn.tool.name``; None: the tool itself."""
        ...

    def tool_done(self, call_id: str, turn: Turn) -> None:
        """Take note of the end of a call of a tool, which may not have run: ``turn.answer`` is the result."""
        ...


_observers: Final[ContextVar[tuple[ToolObserver, ...]]] = ContextVar("tool_observers", default=())
"""Of the context that sends the requests; the tasks that answer them inherit it."""


@contextmanager
def observe_tools(observer: ToolObserver) -> Iterator[None]:
    """Let ``observer`` observe the tools of the calls that are made in this context; a context manager."""
    token = _observers.set((*_observers.get(), observer))
    try:
        yield
    finally:
        _observers.reset(token)


def report_tool_start(call_id: str, turn: Turn) -> ToolReplacement | None:
    """Report that a tool runs now; return what runs in its place; None: the tool itself."""
    found = [observer.tool_starts(call_id, turn) for observer in reversed(_observers.get())]
    return next((one for one in found if one is not None), None)


def report_tool_done(call_id: str, turn: Turn) -> None:
    """Report the end of a call of a tool."""
    for observer in _observers.get():
        observer.tool_done(call_id, turn)
