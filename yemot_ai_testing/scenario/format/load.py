"""Load ``*.call.yaml`` strictly and report all problems of a file at once.

The file is validated against the schema first; parsing then relies on it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.scenario.format.agent_steps import parse_agent_steps
from yemot_ai_testing.scenario.format.durations import parse_duration
from yemot_ai_testing.scenario.format.expectations import parse_expectation
from yemot_ai_testing.scenario.format.model import (
    LEFTOVER_KINDS,
    VERBS,
    CallerAction,
    CallerSpec,
    CallFile,
    ExpectedLeftovers,
    InterruptionSpec,
    Scenario,
    ScenarioTurn,
    ServerCommand,
    SourceLocation,
)
from yemot_ai_testing.scenario.format.schema import SCHEMA
from yemot_ai_testing.scenario.format.validate import validate
from yemot_ai_testing.scenario.format.yaml_nodes import STR, Problems, compose, mapping_values, text_list

__all__ = ["SCENARIO_SUFFIX", "load", "loads"]

SCENARIO_SUFFIX = ".call.yaml"


def load(path: Path) -> CallFile:
    """Load a scenario file.

    Raises:
        ScenarioLoadError: if the file cannot be read or has problems; with all of them.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ScenarioLoadError([f"{path}:{line}:1: this is not UTF-8: save the file as UTF-8"]) from error
    except OSError as error:
        raise ScenarioLoadError([f"{path}:1:1: cannot be read: {error}"]) from error
    return loads(text, path)


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
    return _CallFileReader(path, text.splitlines()).read(node)


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

    def __init__(self, path: Path, lines: list[str]) -> None:
        self._path = path
        self._lines = lines

    def read(self, node: yaml.Node) -> CallFile:
        values = mapping_values(node)
        name = values["name"].value if "name" in values else self._path.name.removesuffix(SCENARIO_SUFFIX)
        scenarios = enumerate(values["scenarios"].value)
        return CallFile(
            self._path, name, tuple(self._scenario(number, item, values) for number, item in scenarios)
        )

    def _scenario(self, number: int, node: yaml.Node, defaults: Mapping[str, yaml.Node]) -> Scenario:
        values = mapping_values(node)
        return Scenario(
            name=values["name"].value,
            location=self._location(node),
            turns=tuple(map(self._turn, values["turns"].value)),
            app=_target(values) or _target(defaults),
            caller=_caller(values.get("caller", defaults.get("caller"))),
            afterwards=self._afterwards(values.get("afterwards")),
            index=number,
        )

    def _turn(self, node: yaml.Node) -> ScenarioTurn:
        values = mapping_values(node)
        hears = values.get("hears")
        return ScenarioTurn(
            location=self._location(node),
            source=tuple(self._lines[node.start_mark.line : _last_line(node) + 1]),
            action=_action(values),
            hears=parse_expectation(hears),
            agent=parse_agent_steps(values.get("agent")),
            interruption=_interruption(values.get("meanwhile")),
            hears_line=_line_of_key(node, "hears"),
        )

    def _afterwards(self, node: yaml.Node | None) -> ExpectedLeftovers | None:
        if node is None:
            return None
        values = mapping_values(node)
        return ExpectedLeftovers(
            self._location(node), {kind: int(values[kind].value) for kind in LEFTOVER_KINDS if kind in values}
        )

    def _location(self, node: yaml.Node) -> SourceLocation:
        return SourceLocation(self._path, node.start_mark.line + 1, node.start_mark.column + 1)


def _target(values: Mapping[str, yaml.Node]) -> str | ServerCommand | None:
    if "serve" in values:
        return _serve(values["serve"])
    return str(values["app"].value) if "app" in values else None


def _serve(node: yaml.Node) -> ServerCommand:
    if not isinstance(node, yaml.MappingNode):
        return ServerCommand(_command(node))
    values = mapping_values(node)
    options: dict[str, Any] = {}
    if "path" in values:
        options["path"] = values["path"].value
    if "within" in values:
        options["within"] = parse_duration(values["within"].value)
    return ServerCommand(_command(values["command"]), **options)


def _command(node: yaml.Node) -> tuple[str, ...]:
    return tuple(shlex.split(node.value)) if node.tag == STR else text_list(node)


def _caller(node: yaml.Node | None) -> CallerSpec:
    fields: dict[str, Any] = {key: value.value for key, value in mapping_values(node).items()}
    return CallerSpec(**fields)


def _action(values: Mapping[str, yaml.Node]) -> CallerAction | None:
    verb = next((verb for verb in VERBS if verb in values), None)
    if verb is None:
        return None
    return CallerAction(verb, values[verb].value) if values[verb].tag == STR else CallerAction(verb)


def _interruption(node: yaml.Node | None) -> InterruptionSpec | None:
    if node is None:
        return None
    values = mapping_values(node)
    after = parse_duration(values["after"].value) or 0.0 if "after" in values else 0.0
    return InterruptionSpec(values["presses"].value if "presses" in values else None, after)


def _line_of_key(node: yaml.Node, name: str) -> int | None:
    return next((key.start_mark.line + 1 for key, _ in node.value if key.value == name), None)


def _last_line(node: yaml.Node) -> int:
    """Return the last line of ``node``; the end mark of a block node is where the next node begins."""
    if isinstance(node.value, str) or not node.value or getattr(node, "flow_style", False):
        end = node.end_mark
        return int(end.line - (end.column == 0 and end.line > node.start_mark.line))
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)
