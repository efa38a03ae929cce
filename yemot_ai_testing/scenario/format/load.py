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
from yemot_ai_testing.scenario.format.agent_steps import steps
from yemot_ai_testing.scenario.format.durations import in_seconds
from yemot_ai_testing.scenario.format.expectations import expectation
from yemot_ai_testing.scenario.format.model import (
    AFTERWARDS,
    VERBS,
    Action,
    Afterwards,
    CallerSpec,
    CallFile,
    Meanwhile,
    Place,
    Scenario,
    Serve,
    Turn,
)
from yemot_ai_testing.scenario.format.schema import SCHEMA
from yemot_ai_testing.scenario.format.yaml_nodes import STR, Mistakes, composed, entries, texts

__all__ = ["SUFFIX", "load", "loads"]

SUFFIX = ".call.yaml"


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
    mistakes = Mistakes(path)
    node = composed(text, mistakes)
    if node is None:
        raise ScenarioLoadError([f"{path}:1:1: the file is empty: write `scenarios:` with at least one call"])
    shape.check(mistakes, node, SCHEMA, "a call file")
    _check_names(mistakes, node)
    mistakes.raise_if_any()
    return _File(path, text.splitlines()).read(node)


def _check_names(mistakes: Mistakes, node: yaml.Node) -> None:
    scenarios = entries(node).get("scenarios")
    known: set[str] = set()
    for scenario in scenarios.value if isinstance(scenarios, yaml.SequenceNode) else ():
        name = entries(scenario).get("name")
        if isinstance(name, yaml.ScalarNode):
            if name.value in known:
                mistakes.add(
                    name, f"two scenarios are named {name.value!r}: reports could not tell them apart"
                )
            known.add(name.value)


class _File:
    """Reads a file without mistakes; knows its lines, so that a turn can be shown as it was written."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self._path = path
        self._lines = lines

    def read(self, node: yaml.Node) -> CallFile:
        found = entries(node)
        name = found["name"].value if "name" in found else self._path.name.removesuffix(SUFFIX)
        scenarios = enumerate(found["scenarios"].value)
        return CallFile(
            self._path, name, tuple(self._scenario(number, item, found) for number, item in scenarios)
        )

    def _scenario(self, number: int, node: yaml.Node, defaults: Mapping[str, yaml.Node]) -> Scenario:
        found = entries(node)
        return Scenario(
            name=found["name"].value,
            place=self._place(node),
            turns=tuple(map(self._turn, found["turns"].value)),
            app=_called(found) or _called(defaults),
            caller=_caller(found.get("caller", defaults.get("caller"))),
            afterwards=self._afterwards(found.get("afterwards")),
            number=number,
        )

    def _turn(self, node: yaml.Node) -> Turn:
        found = entries(node)
        hears = found.get("hears")
        return Turn(
            place=self._place(node),
            source=tuple(self._lines[node.start_mark.line : _last_line(node) + 1]),
            action=_action(found),
            hears=expectation(hears),
            agent=steps(found.get("agent")),
            meanwhile=_meanwhile(found.get("meanwhile")),
            hears_line=_line_of_key(node, "hears"),
        )

    def _afterwards(self, node: yaml.Node | None) -> Afterwards | None:
        if node is None:
            return None
        found = entries(node)
        return Afterwards(
            self._place(node), {word: int(found[word].value) for word in AFTERWARDS if word in found}
        )

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._path, node.start_mark.line + 1, node.start_mark.column + 1)


def _called(found: Mapping[str, yaml.Node]) -> str | Serve | None:
    if "serve" in found:
        return _serve(found["serve"])
    return str(found["app"].value) if "app" in found else None


def _serve(node: yaml.Node) -> Serve:
    if not isinstance(node, yaml.MappingNode):
        return Serve(_command(node))
    found = entries(node)
    given: dict[str, Any] = {}
    if "path" in found:
        given["path"] = found["path"].value
    if "within" in found:
        given["within"] = in_seconds(found["within"].value)
    return Serve(_command(found["command"]), **given)


def _command(node: yaml.Node) -> tuple[str, ...]:
    return tuple(shlex.split(node.value)) if node.tag == STR else texts(node)


def _caller(node: yaml.Node | None) -> CallerSpec:
    given: dict[str, Any] = {key: value.value for key, value in entries(node).items()}
    return CallerSpec(**given)


def _action(found: Mapping[str, yaml.Node]) -> Action | None:
    verb = next((verb for verb in VERBS if verb in found), None)
    if verb is None:
        return None
    return Action(verb, found[verb].value) if found[verb].tag == STR else Action(verb)


def _meanwhile(node: yaml.Node | None) -> Meanwhile | None:
    if node is None:
        return None
    found = entries(node)
    after = in_seconds(found["after"].value) or 0.0 if "after" in found else 0.0
    return Meanwhile(found["presses"].value if "presses" in found else None, after)


def _line_of_key(node: yaml.Node, name: str) -> int | None:
    return next((key.start_mark.line + 1 for key, _ in node.value if key.value == name), None)


def _last_line(node: yaml.Node) -> int:
    """Return the line on which ``node`` ends; a block's own end mark stands where the next begins."""
    if isinstance(node.value, str) or not node.value or getattr(node, "flow_style", False):
        mark = node.end_mark
        return int(mark.line - (mark.column == 0 and mark.line > node.start_mark.line))
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)
