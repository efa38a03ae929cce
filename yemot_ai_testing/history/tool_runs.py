"""An index of the runs of tools, each with the model's message that has called the tool.

A run that does not know the ID of the model's call is matched by its arguments: tests give them the ID of the
utterance, so that they differ.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TypeAlias

from yemot_ai_testing.history.tool_events import ToolCalled, ToolReturned
from yemot_ai_testing.history.views import CallView, ModelCallView, ToolRunView

__all__ = ["ToolRuns"]

Caller: TypeAlias = tuple[ModelCallView, str]
"""A message of the model, and the ID of one of the calls in it."""


class ToolRuns:
    """The runs of a history."""

    def __init__(self) -> None:
        self.runs: dict[int, ToolRunView] = {}
        self._callers: dict[tuple[str, ...], list[Caller]] = defaultdict(list)
        self._names: dict[tuple[str, str], str] = {}
        self._runs_by_id: dict[tuple[str, str], list[ToolRunView]] = defaultdict(list)

    def name(self, call: str, tool_call_id: str) -> str:
        """Return the name of the tool that a model has called, by the ID of the call; "" if not known."""
        return self._names.get((call, tool_call_id), "")

    def runs_for(self, call: str, tool_call_id: str) -> list[ToolRunView]:
        """Return the runs for a call of the model."""
        return self._runs_by_id.get((call, tool_call_id), [])

    def read_model_call(self, model_call: ModelCallView) -> None:
        """Remember which tools a message of the model calls."""
        call, _ = model_call.subject
        for tool_call_id, name, arguments in model_call.tool_calls:
            caller = model_call, tool_call_id
            self._names[call, tool_call_id] = name
            self._callers[call, tool_call_id].append(caller)
            self._callers[call, name, _comparable(arguments)].append(caller)

    def read_called(self, position: int, event: ToolCalled, call: CallView) -> None:
        """Add a run."""
        run = self.runs[event.run_id] = ToolRunView(event, position)
        call.tool_runs.append(run)
        if caller := self._caller_of(event):
            run.model_call, run.tool_call_id = caller
            run.model_call.tool_runs.append(run)
            self._runs_by_id[event.call, run.tool_call_id].append(run)

    def _caller_of(self, event: ToolCalled) -> Caller | None:
        """Return the newest call of the model that a run may be for; rather one that has not run yet."""
        by_arguments = event.call, event.name, _comparable(event.arguments)
        callers = self._callers[(event.call, event.tool_call_id) if event.tool_call_id else by_arguments]
        newest = [caller for caller in callers if caller[0] is callers[-1][0]]
        waiting = (caller for caller in newest if not caller[0].runs_of(caller[1]))
        return next(waiting, newest[-1] if newest else None)

    def read_returned(self, position: int, event: ToolReturned) -> str:
        """Add the end of a run, and return its call."""
        run = self.runs[event.run_id]
        run.returned_index, run.returned = position, event
        return run.event.call


def _comparable(arguments: str) -> str:
    """Return arguments without the order of their names, and without the types that a function converts."""
    try:
        values = json.loads(arguments or "{}")
    except ValueError:
        return arguments
    if not isinstance(values, dict):
        return arguments
    return json.dumps({name: str(value) for name, value in values.items()}, sort_keys=True)
