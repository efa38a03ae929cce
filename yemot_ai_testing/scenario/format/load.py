"""Load ``*.call.yaml`` strictly and report all problems of a file at once.

The file is validated against the schema first; parsing then relies on it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from yemot_ai_testing.doubles.steps import Step
from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.scenario.format.agent_steps import parse_agent_steps
from yemot_ai_testing.scenario.format.durations import parse_duration
from yemot_ai_testing.scenario.format.expectations import parse_expectation
from yemot_ai_testing.scenario.format.line_options import line_options
from yemot_ai_testing.scenario.format.model import (
    LEFTOVER_KINDS,
    SERVER_VERBS,
    VERBS,
    CallerAction,
    CallerSpec,
    CallFile,
    ExpectedLeftovers,
    InterruptionSpec,
    Scenario,
    ScenarioTurn,
    ServerAction,
    ServerCommand,
)
from yemot_ai_testing.scenario.format.schema import AGENT_STEPS, SCHEMA
from yemot_ai_testing.scenario.format.tools import agent_values, expected_tools, replacements
from yemot_ai_testing.scenario.format.validate import validate
from yemot_ai_testing.scenario.format.yaml_nodes import Problems, compose, mapping_values, plain_value

__all__ = ["SCENARIO_SUFFIX", "load", "load_steps", "loads"]

SCENARIO_SUFFIX = ".call.yaml"

DEFAULTED_KEYS: Final = frozenset({"app", "serve", "caller"})
"""The keys of a file that a scenario can replace."""


def load(path: Path) -> CallFile:
    """Load a scenario file.

    Raises:
        ScenarioLoadError: if the file cannot be read or has problems; with all of them.
    """
    return loads(_read_text(path), path)


def load_steps(path: Path) -> tuple[Step, ...]:
    """Load a file with steps of a model, as in ``agent:``.

    Raises:
        ScenarioLoadError: if the file cannot be read or has problems; with all of them.
    """
    problems = Problems(path)
    node = compose(_read_text(path), problems)
    if node is None:
        return ()
    validate(problems, node, AGENT_STEPS, "a script")
    problems.raise_if_any()
    return parse_agent_steps(agent_values(node))


def _read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        ScenarioLoadError: if it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ScenarioLoadError([f"{path}:{line}:1: this is not UTF-8: save the file as UTF-8"]) from error
    except OSError as error:
        raise ScenarioLoadError([f"{path}:1:1: cannot be read: {error}"]) from error


def loads(text: str, path: Path) -> CallFile:
    """Load the text of a scenario file.

    Args:
        text: YAML.
        path: the file, for positions and messages.

    Raises:
        ScenarioLoadError: if the text has problems; with all of them.
    """
    problems = Problems(path)
    node = compose(text, problems)
    if node is None:
        raise ScenarioLoadError([f"{path}:1:1: the file is empty: write `scenarios:` with at least one call"])
    validate(problems, node, SCHEMA, "a call file")
    _check_names(problems, node)
    problems.raise_if_any()
    return _CallFileReader(problems, text.splitlines()).read(node)


def _check_names(problems: Problems, node: yaml.Node) -> None:
    scenarios = mapping_values(node).get("scenarios")
    names: set[str] = set()
    for scenario in scenarios.value if isinstance(scenarios, yaml.SequenceNode) else ():
        name = mapping_values(scenario).get("name")
        if isinstance(name, yaml.ScalarNode):
            if name.value in names:
                problems.add(
                    name, f"two scenarios are named {name.value!r}: reports could not distinguish them"
                )
            names.add(name.value)


class _CallFileReader:
    """Read a valid file; keeps its lines to show a turn as it was written."""

    def __init__(self, problems: Problems, lines: list[str]) -> None:
        self._problems = problems
        self._lines = lines

    def read(self, node: yaml.Node) -> CallFile:
        path, values = self._problems.path, mapping_values(node)
        name = plain_value(values.get("name")) or path.name.removesuffix(SCENARIO_SUFFIX)
        scenarios = enumerate(values["scenarios"].value)
        return CallFile(path, name, tuple(self._scenario(number, item, values) for number, item in scenarios))

    def _scenario(self, number: int, node: yaml.Node, file: Mapping[str, yaml.Node]) -> Scenario:
        nodes = mapping_values(node)
        defaults = {key: plain_value(value) for key, value in file.items() if key in DEFAULTED_KEYS}
        values = {key: plain_value(value) for key, value in nodes.items() if key != "turns"}
        afterwards = nodes.get("afterwards")
        return Scenario(
            name=values["name"],
            location=self._problems.location(node),
            turns=tuple(map(self._turn, nodes["turns"].value)),
            app=_target(values) or _target(defaults),
            caller=_caller(values.get("caller", defaults.get("caller", {}))),
            afterwards=None if afterwards is None else self._afterwards(afterwards),
            index=number,
            order=values.get("order"),
            tools=replacements(self._problems, file.get("tool"), nodes.get("tool")),
        )

    def _turn(self, node: yaml.Node) -> ScenarioTurn:
        values, agent = plain_value(node), mapping_values(node).get("agent")
        return ScenarioTurn(
            location=self._problems.location(node),
            source=tuple(self._lines[node.start_mark.line : _last_line(node) + 1]),
            action=_action(values),
            hears=parse_expectation(values["hears"]) if "hears" in values else None,
            agent=() if agent is None else parse_agent_steps(agent_values(agent)),
            interruption=_interruption(values.get("meanwhile", ())),
            server_actions=tuple(_server_actions(values.get("meanwhile", ()))),
            hears_line=_line_of_key(node, "hears"),
        )

    def _afterwards(self, node: yaml.Node) -> ExpectedLeftovers:
        values, tools = plain_value(node), mapping_values(node).get("tools")
        counts = {kind: int(values[kind]) for kind in LEFTOVER_KINDS if kind in values}
        return ExpectedLeftovers(
            self._problems.location(node),
            counts,
            tools=None if tools is None else expected_tools(tools),
            check=values.get("check", ""),
        )


def _target(values: Mapping[str, Any]) -> str | ServerCommand | None:
    if "serve" not in values:
        app: str | None = values.get("app")
        return app
    serve = values["serve"]
    options = dict(serve) if isinstance(serve, dict) else {"command": serve}
    command = options["command"]
    options["command"] = tuple(shlex.split(command)) if isinstance(command, str) else command
    if "within" in options:
        options["within"] = parse_duration(options["within"])
    return ServerCommand(**options)


def _caller(values: Mapping[str, Any]) -> CallerSpec:
    return CallerSpec(**{**values, "line": tuple(line_options(values.get("line", {})).items())})


def _action(values: Mapping[str, Any]) -> CallerAction | None:
    verb = next((verb for verb in VERBS if verb in values), None)
    if verb is None:
        return None
    return CallerAction(verb) if values[verb] is True else CallerAction(verb, values[verb])


def _interruption(events: Mapping[str, Any] | tuple[Mapping[str, Any], ...]) -> InterruptionSpec | None:
    for item in _items(events):
        if not item.keys() & set(SERVER_VERBS):
            return InterruptionSpec(item.get("presses"), parse_duration(item.get("after", "")) or 0.0)
    return None


def _server_actions(events: Mapping[str, Any] | tuple[Mapping[str, Any], ...]) -> Iterator[ServerAction]:
    for item in _items(events):
        for verb in SERVER_VERBS:
            if verb in item:
                after = parse_duration(item.get("after", "")) or 0.0
                form = tuple((name, _form_text(value)) for name, value in item.get("data", {}).items())
                yield ServerAction(verb, item[verb], form, after)


def _form_text(value: str | bool | None) -> str:  # noqa: FBT001 - a value of the file
    return value if isinstance(value, str) else "" if value is None else str(value).lower()


def _items(events: Mapping[str, Any] | tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
    return events if isinstance(events, tuple) else (events,)


def _line_of_key(node: yaml.Node, name: str) -> int | None:
    return next((key.start_mark.line + 1 for key, _ in node.value if key.value == name), None)


def _last_line(node: yaml.Node) -> int:
    """Return the last line of ``node``; the end mark of a block node is where the next node begins."""
    if isinstance(node.value, str) or not node.value or getattr(node, "flow_style", False):
        end = node.end_mark
        return int(end.line - (end.column == 0 and end.line > node.start_mark.line))
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)
