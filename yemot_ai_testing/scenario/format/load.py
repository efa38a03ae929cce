"""``*.call.yaml`` into scenarios: strict, with all mistakes of a file at once.

A file is first held against the schema; what is right is then read without a further look.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.scenario.format import validate as shape
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
from yemot_ai_testing.scenario.format.yaml_nodes import STR, Problems, compose, mapping_values, text_list

__all__ = ["SCENARIO_SUFFIX", "load", "loads"]

SCENARIO_SUFFIX = ".call.yaml"


def load(path: Path) -> CallFile:
    """Load a file.

    Raises:
        ScenarioLoadError: all its mistakes.
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
    """Load the text of a file.

    Args:
        text: YAML.
        path: where it stands, for messages.

    Raises:
        ScenarioLoadError: all its mistakes.
    """
    mistakes = Problems(path)
    node = compose(text, mistakes)
    if node is None:
        raise ScenarioLoadError([f"{path}:1:1: the file is empty: write `scenarios:` with at least one call"])
    shape.validate(mistakes, node, SCHEMA, "a call file")
    _check_names(mistakes, node)
    mistakes.raise_if_any()
    return _CallFileReader(path, text.splitlines()).read(node)


def _check_names(problems: Problems, node: yaml.Node) -> None:
    scenarios = mapping_values(node).get("scenarios")
    known: set[str] = set()
    for scenario in scenarios.value if isinstance(scenarios, yaml.SequenceNode) else ():
        name = mapping_values(scenario).get("name")
        if isinstance(name, yaml.ScalarNode):
            if name.value in known:
                problems.add(
                    name, f"two scenarios are named {name.value!r}: reports could not tell them apart"
                )
            known.add(name.value)


class _CallFileReader:
    """Reads a file without mistakes; knows its lines, so that a turn can be shown as it was written."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self._path = path
        self._lines = lines

    def read(self, node: yaml.Node) -> CallFile:
        found = mapping_values(node)
        name = found["name"].value if "name" in found else self._path.name.removesuffix(SCENARIO_SUFFIX)
        scenarios = enumerate(found["scenarios"].value)
        return CallFile(
            self._path, name, tuple(self._scenario(number, item, found) for number, item in scenarios)
        )

    def _scenario(self, number: int, node: yaml.Node, defaults: Mapping[str, yaml.Node]) -> Scenario:
        found = mapping_values(node)
        return Scenario(
            name=found["name"].value,
            location=self._location(node),
            turns=tuple(map(self._turn, found["turns"].value)),
            app=_target(found) or _target(defaults),
            caller=_caller(found.get("caller", defaults.get("caller"))),
            afterwards=self._afterwards(found.get("afterwards")),
            index=number,
        )

    def _turn(self, node: yaml.Node) -> ScenarioTurn:
        found = mapping_values(node)
        hears = found.get("hears")
        return ScenarioTurn(
            location=self._location(node),
            source=tuple(self._lines[node.start_mark.line : _last_line(node) + 1]),
            action=_action(found),
            hears=parse_expectation(hears),
            agent=parse_agent_steps(found.get("agent")),
            interruption=_meanwhile(found.get("meanwhile")),
            hears_line=_line_of_key(node, "hears"),
        )

    def _afterwards(self, node: yaml.Node | None) -> ExpectedLeftovers | None:
        if node is None:
            return None
        found = mapping_values(node)
        return ExpectedLeftovers(
            self._location(node), {word: int(found[word].value) for word in LEFTOVER_KINDS if word in found}
        )

    def _location(self, node: yaml.Node) -> SourceLocation:
        return SourceLocation(self._path, node.start_mark.line + 1, node.start_mark.column + 1)


def _target(found: Mapping[str, yaml.Node]) -> str | ServerCommand | None:
    if "serve" in found:
        return _serve(found["serve"])
    return str(found["app"].value) if "app" in found else None


def _serve(node: yaml.Node) -> ServerCommand:
    if not isinstance(node, yaml.MappingNode):
        return ServerCommand(_command(node))
    found = mapping_values(node)
    given: dict[str, Any] = {}
    if "path" in found:
        given["path"] = found["path"].value
    if "within" in found:
        given["within"] = parse_duration(found["within"].value)
    return ServerCommand(_command(found["command"]), **given)


def _command(node: yaml.Node) -> tuple[str, ...]:
    return tuple(shlex.split(node.value)) if node.tag == STR else text_list(node)


def _caller(node: yaml.Node | None) -> CallerSpec:
    given: dict[str, Any] = {key: value.value for key, value in mapping_values(node).items()}
    return CallerSpec(**given)


def _action(found: Mapping[str, yaml.Node]) -> CallerAction | None:
    verb = next((verb for verb in VERBS if verb in found), None)
    if verb is None:
        return None
    return CallerAction(verb, found[verb].value) if found[verb].tag == STR else CallerAction(verb)


def _meanwhile(node: yaml.Node | None) -> InterruptionSpec | None:
    if node is None:
        return None
    found = mapping_values(node)
    after = parse_duration(found["after"].value) or 0.0 if "after" in found else 0.0
    return InterruptionSpec(found["presses"].value if "presses" in found else None, after)


def _line_of_key(node: yaml.Node, name: str) -> int | None:
    return next((key.start_mark.line + 1 for key, _ in node.value if key.value == name), None)


def _last_line(node: yaml.Node) -> int:
    """Return the line on which ``node`` ends; a block's own end mark stands where the next begins."""
    if isinstance(node.value, str) or not node.value or getattr(node, "flow_style", False):
        mark = node.end_mark
        return int(mark.line - (mark.column == 0 and mark.line > node.start_mark.line))
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)
