"""Record the runs of tools: the functions of the developer that a model calls.

>>> from yemot_ai import ToolContext
>>> from yemot_ai_testing.history.history import History
>>> history = History(now=lambda: 0.0)
>>> def order_status(id: int) -> str:
...     '''Return the status of an order.'''
...     return "ready"
>>> recorded = RecordedTools(history).record(order_status)
>>> recorded(ToolContext("00c1", "", "ai_1", "call_7", "00c1:ai_1.tool1", {}), id=7)
'ready'
>>> [(type(event).__name__, event.run_id) for event in history.events]
[('ToolCalled', 1), ('ToolReturned', 1)]
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from yemot_ai.errors import ToolError
from yemot_ai.tools import Tool, ToolContext, tool
from yemot_ai.tools.results import failure_text, refusal, result_text
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.recorders.app import call_name
from yemot_ai_testing.history.tool_events import ToolCalled, ToolReturned

__all__ = ["RecordedTools"]


class RecordedTools:
    """Makes tools whose runs are recorded.

    Args:
        history: where the events are added.
        worker: the name of the worker, if there are several.
    """

    def __init__(self, history: History, *, worker: str = "") -> None:
        self._history = history
        self._worker = worker

    def record(self, function: Tool | Callable[..., Any]) -> Tool:
        """Return a tool that does the same and is recorded; its name, schema and options are equal.

        Args:
            function: the function, or what ``tool`` has made of one.
        """
        made = function if isinstance(function, Tool) else tool(function)

        def own(call: ToolContext) -> tuple[ToolContext, ...]:
            return (call,) if made.signature.takes_context else ()

        def run(call: ToolContext, **named: Any) -> Any:  # noqa: ANN401 - the developer's own
            with self._recorded_run(made, call, named) as returned:
                returned.append(made.function(*own(call), **named))
            return returned[0]

        async def run_async(call: ToolContext, **named: Any) -> Any:  # noqa: ANN401 - the developer's own
            with self._recorded_run(made, call, named) as returned:
                returned.append(await made.function(*own(call), **named))
            return returned[0]

        wrapper = run_async if inspect.iscoroutinefunction(made.function) else run
        recorded = functools.wraps(made.function)(wrapper)
        return replace(made, function=recorded, signature=replace(made.signature, takes_context=True))

    @contextmanager
    def _recorded_run(self, made: Tool, call: ToolContext, named: Mapping[str, Any]) -> Iterator[list[Any]]:
        """Record that a tool runs, and at the end of the context what it has returned or raised."""
        now, run_id, returned = self._history.now, self._history.next_number(), list[Any]()
        name, arguments = call_name(call.call_id), json.dumps(named, ensure_ascii=False, default=str)
        self._history.add(
            ToolCalled(
                now(),
                run_id,
                name,
                made.name,
                arguments,
                call.key,
                call.tool_call_id,
                repeatable=made.retry,
                worker=self._worker,
            )
        )
        try:
            yield returned
            result = result_text(returned[0])
        except ToolError as error:
            self._history.add(ToolReturned(now(), run_id, failure_text(refusal(error)), type(error).__name__))
            raise
        except BaseException as error:
            cancelled = isinstance(error, asyncio.CancelledError)
            kind = "cancelled" if cancelled else type(error).__name__
            self._history.add(ToolReturned(now(), run_id, error=kind))
            raise
        self._history.add(ToolReturned(now(), run_id, result))
