"""Tools in a scenario file: their calls under ``agent:``, what runs in their place, which must have run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import yaml

from yemot_ai_testing.scenario.format.durations import parse_duration
from yemot_ai_testing.scenario.format.model import ExpectedTool, ToolReplacement
from yemot_ai_testing.scenario.format.yaml_nodes import (
    Problems,
    child_nodes,
    describe,
    json_value,
    mapping_values,
    plain_value,
)

__all__ = [
    "agent_values",
    "check_agent",
    "check_calls",
    "check_json",
    "expected_tools",
    "expected_tools_list",
    "replacements",
    "replacements_mapping",
]


CALL_KEYS: Final = frozenset({"calls", "with", "saying", "after"})


def check_json(problems: Problems, node: yaml.Node, label: str) -> None:
    """Add what in a node is no value of JSON: a key that is no word, or is written twice."""
    seen: set[str] = set()
    for key in (key for key, _ in node.value) if isinstance(node, yaml.MappingNode) else ():
        if not isinstance(key, yaml.ScalarNode):
            problems.add(key, f"a key of {label} must be a word, not {describe(key)}")
        elif key.value in seen:
            problems.add(key, f"{key.value!r} is written twice in {label}; the later one would silently win")
        seen.add(str(key.value))
    values = (value for _, value in node.value) if isinstance(node, yaml.MappingNode) else child_nodes(node)
    for value in values:
        check_json(problems, value, label)


def check_agent(problems: Problems, node: yaml.Node, label: str) -> None:
    """Add a problem if a step does not say which arguments are those of which call."""
    values = mapping_values(node)
    calls, arguments = values.get("calls"), values.get("with")
    if calls is None or arguments is None:
        return
    called, given = (
        len(child_nodes(one)) if isinstance(one, yaml.SequenceNode) else 1 for one in (calls, arguments)
    )
    if called != given:
        problems.add(
            arguments,
            f"{label}.with needs the arguments of each of {called} calls, such as [{{id: 7}}, {{}}]",
        )


def check_calls(problems: Problems, node: yaml.Node) -> None:
    """Add a problem at each call of a tool after which the model is asked again, and has no step."""
    turns: list[yaml.Node] = node.value
    for number, turn in enumerate(turns, start=1):
        step = _last_step(mapping_values(turn).get("agent"))
        keys = mapping_values(step).keys()  # any other one is a mistake of its own
        if "calls" in keys and keys <= CALL_KEYS and not _may_stay_unasked(turn, turns[number:]):
            problems.add(
                step,
                "nothing answers the result of the call: write then: {answers: …}, what the model says with "
                "it; if the caller is asked first, or hangs up, write that turn after it",
            )


def _last_step(node: yaml.Node | None) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode):
        return _last_step(node.value[-1]) if node.value else None
    return _last_step(mapping_values(node)["then"]) if "then" in mapping_values(node) else node


def _may_stay_unasked(turn: yaml.Node, later: Iterable[yaml.Node]) -> bool:
    """Return whether the caller may act before the model is asked again, or a later turn has its step."""
    events = mapping_values(turn).get("meanwhile")
    items = events.value if isinstance(events, yaml.SequenceNode) else [events]
    return any(mapping_values(item).keys() & {"hangs_up", "presses"} for item in items) or any(
        mapping_values(one).keys() & {"agent", "hangs_up"} for one in later
    )


def agent_values(node: yaml.Node) -> Any:  # noqa: ANN401 - a mapping, or a tuple of them
    """Return the value of ``agent:`` as texts; the arguments of calls are values of JSON."""
    if isinstance(node, yaml.SequenceNode):
        return tuple(map(agent_values, node.value))
    return {key: _AGENT_VALUES.get(key, plain_value)(value) for key, value in mapping_values(node).items()}


def _call_arguments(node: yaml.Node) -> Any:  # noqa: ANN401 - as above
    return tuple(map(json_value, node.value)) if isinstance(node, yaml.SequenceNode) else json_value(node)


_AGENT_VALUES: Final[Mapping[str, Callable[[yaml.Node], Any]]] = {
    "with": _call_arguments,
    "then": agent_values,
}


def replacements(problems: Problems, *nodes: yaml.Node | None) -> tuple[ToolReplacement, ...]:
    """Return what runs in the place of tools; of two for the same tool, that of the later node.

    Args:
        problems: has the file.
        nodes: the values of ``tool:``, of the file and of a scenario; None where it is missing.
    """
    found = {
        key.value: _replacement(problems, key, value)
        for node in nodes
        if node is not None
        for key, value in node.value
    }
    return tuple(found.values())


def _replacement(problems: Problems, key: yaml.Node, node: yaml.Node) -> ToolReplacement:
    values = mapping_values(node)
    return ToolReplacement(
        key.value,
        problems.location(key),
        returns=json_value(values["returns"]) if "returns" in values else None,
        raises=plain_value(values.get("raises")),
        after=parse_duration(plain_value(values.get("after")) or "") or 0.0,
        runs=not values.keys() & {"returns", "raises"},
    )


def replacements_mapping(tools: Iterable[ToolReplacement]) -> Mapping[str, Any]:
    """Return the value of ``tool:`` that ``replacements`` reads; ``after`` is in seconds."""
    return {tool.name: _replacement_mapping(tool) for tool in tools}


def _replacement_mapping(tool: ToolReplacement) -> Mapping[str, Any]:
    after = {"after": float(tool.after)} if tool.after or tool.runs else {}
    if tool.runs:
        return after
    return ({"returns": tool.returns} if tool.raises is None else {"raises": tool.raises}) | after


def expected_tools(node: yaml.Node) -> tuple[ExpectedTool, ...]:
    """Return the tools that must have run, of the value of ``tools:``."""
    return tuple(map(_expected_tool, node.value))


def _expected_tool(node: yaml.Node) -> ExpectedTool:
    if not isinstance(node, yaml.MappingNode):
        return ExpectedTool(node.value)
    ((name, arguments),) = mapping_values(node).items()
    return ExpectedTool(name, json_value(arguments))


def expected_tools_list(tools: Iterable[ExpectedTool]) -> list[Any]:
    """Return the value of ``tools:`` that ``expected_tools`` reads."""
    return [{tool.name: tool.arguments} if tool.arguments else tool.name for tool in tools]
