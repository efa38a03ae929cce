"""Compare the tools that ran with ``afterwards: {tools: …}``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from yemot_ai_testing.scenario.format.model import ExpectedTool
from yemot_ai_testing.scenario.play.tools.runs import ToolRun, unknown_tool

__all__ = ["tools_mismatch"]


def tools_mismatch(
    expected: Sequence[ExpectedTool], runs: Sequence[ToolRun], known: Sequence[str] | None = None
) -> str:
    """Return how the tools that ran differ from those expected; empty if they do not.

    Args:
        expected: the tools, in order.
        runs: all calls of tools; one that did not run, such as of a tool that does not exist, does not count.
        known: the tools of the application; None if they are not known.
    """
    problems = [problem for tool in expected if (problem := unknown_tool(tool.name, known))]
    if problems:
        return f"tools: {problems[0]}"
    ran = [run for run in runs if run.has_run]
    if len(ran) == len(expected) and all(map(_matches, expected, ran)):
        return ""
    return f"tools: {_listed(ran)} ran, not {_listed(expected)}"


def _matches(expected: ExpectedTool, run: ToolRun) -> bool:
    got = run.arguments if isinstance(run.arguments, Mapping) else {}
    missing = object()
    return expected.name == run.name and all(
        _equal(value, got.get(name, missing)) for name, value in expected.arguments.items()
    )


def _equal(one: Any, other: Any) -> bool:  # noqa: ANN401 - values of JSON
    """Return whether two values of JSON are equal; in Python True is equal to 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def _listed(tools: Sequence[ExpectedTool | ToolRun]) -> str:
    return ", ".join(map(_shown, tools)) or "none"


def _shown(tool: ExpectedTool | ToolRun) -> str:
    if isinstance(tool, ToolRun):
        return str(tool)
    return f"{tool.name}({json.dumps(tool.arguments, ensure_ascii=False)})" if tool.arguments else tool.name
