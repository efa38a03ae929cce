"""The events of tools: the functions of the developer that a model calls."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ToolCalled", "ToolReturned"]


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The function of a tool began to run.

    Attributes:
        run_id: the number of this run in the history.
        call: the name of the call.
        name: the tool.
        arguments: its arguments, as JSON.
        key: names one call of the tool by the model: equal for each run for it; "" if it is not known.
        tool_call_id: the ID that the model's service gave that call; "" if it is not known.
        repeatable: it may run again for the same call of the model, after its worker has died.
        worker: the worker that runs it, if there are several.
    """

    at: float
    run_id: int
    call: str
    name: str
    arguments: str = "{}"
    key: str = ""
    tool_call_id: str = ""
    repeatable: bool = False
    worker: str = ""


@dataclass(frozen=True, slots=True)
class ToolReturned:
    """The function of a tool ended.

    Attributes:
        run_id: the number of the run.
        result: what it returned, or its message to the model, as text; "" for none.
        error: the name of the exception that it raised, or ``cancelled``; "" if it returned.
    """

    at: float
    run_id: int
    result: str = ""
    error: str = ""
