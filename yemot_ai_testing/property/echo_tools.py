"""The tools of a machine's application: a run is recorded, and may take time, fail, or let something happen.

>>> from yemot_ai import ToolContext
>>> from yemot_ai_testing.history.history import History
>>> from yemot_ai_testing.property.engines.ordered import OrderedEngine
>>> tools = EchoTools(OrderedEngine(), History())
>>> cancel_order = tools.all[1]
>>> cancel_order(ToolContext("c1", "", "ai_1", "call_1", "c1:ai_1.tool1", {}), order="אמירה 7001")
'תוצאה 1 של אמירה 7001'
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from yemot_ai import Tool, tool
from yemot_ai.errors import ToolError
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.recorders.tools import RecordedTools
from yemot_ai_testing.virtual_time import VirtualEngine

__all__ = ["EchoTools"]


class EchoTools:
    """Three tools: ``place_order`` is async, ``cancel_order`` blocks, ``find_order`` may be repeated.

    Each returns its argument with the number of the run.

    Args:
        engine: the engine on which turns run.
        history: where the runs are recorded.

    Attributes:
        seconds: seconds of a run.
        fails: whether a run refuses, with a text for the model.
        on_running: a function to call once, during the next run.
    """

    def __init__(self, engine: VirtualEngine, history: History) -> None:
        self.seconds = 0.0
        self.fails = False
        self.on_running: Callable[[], object] | None = None
        self._engine = engine
        self._recorded = RecordedTools(history)
        self._numbers = itertools.count(1)

    @functools.cached_property
    def all(self) -> tuple[Tool, ...]:
        """The tools, for ``YemotAI(tools=…)`` or an agent."""
        return (
            self.record(self.place_order),
            self.record(tool(says="אני מבטל")(self.cancel_order)),
            self.record(tool(retry=True)(self.find_order)),
        )

    def clear(self) -> None:
        """Let further runs end at once, and return."""
        self.seconds, self.fails, self.on_running = 0.0, False, None

    def record(self, function: Tool | Callable[..., Any]) -> Tool:
        """Return a tool of the application that is recorded as these are, and takes their time."""
        made = function if isinstance(function, Tool) else tool(function)

        def run(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - the developer's own
            self._engine.run(self._wait())
            return made.function(*args, **named)

        async def run_async(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - the developer's own
            await self._wait()
            return await made.function(*args, **named)

        slow = run_async if inspect.iscoroutinefunction(made.function) else run
        return self._recorded.record(replace(made, function=functools.wraps(made.function)(slow)))

    async def _wait(self) -> None:
        hook, self.on_running = self.on_running, None
        seconds, fails = self.seconds, self.fails
        if hook is not None:  # shielded, because it may cancel this run
            await asyncio.shield(asyncio.create_task(self._engine.run_in_thread(hook)))
        await asyncio.sleep(seconds)
        if fails:
            raise ToolError(f"run {next(self._numbers)} was refused")

    async def place_order(self, order: str) -> str:
        """Place an order."""
        return self._result(order)

    def cancel_order(self, order: str) -> str:
        """Cancel an order."""
        return self._result(order)

    async def find_order(self, order: str) -> str:
        """Find an order."""
        return self._result(order)

    def _result(self, order: str) -> str:
        return f"תוצאה {next(self._numbers)} של {order}"
