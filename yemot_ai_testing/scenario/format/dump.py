r"""Write scenarios as ``*.call.yaml`` that loads to equal scenarios.

All texts are quoted, so that phone numbers, keys, hours and ``no`` stay texts.

>>> from pathlib import Path
>>> from yemot_ai_testing.scenario.format.load import loads
>>> text = "scenarios:\n- name: x\n  turns:\n  - says: 012\n"
>>> print(dumps(loads(text, Path("x.call.yaml"))))
name: "x"
scenarios:
- name: "x"
  turns:
  - says: "012"
<BLANKLINE>
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from yemot_ai_testing.doubles.steps import Step
from yemot_ai_testing.scenario.format.agent_steps import step_mapping
from yemot_ai_testing.scenario.format.model import (
    CallerSpec,
    CallFile,
    Expectation,
    InterruptionSpec,
    ReadExpectation,
    Scenario,
    ScenarioTurn,
    ServerCommand,
)

__all__ = ["dumps"]

MAX_WIDTH = 10_000
"""Columns; wide enough that no text is folded."""

YamlMapping = dict[str, Any]


def dumps(file: CallFile) -> str:
    """Return ``file`` as YAML.

    Args:
        file: the scenarios; paths and positions are not written.

    Raises:
        ValueError: if a model step has no scenario syntax.
    """
    tree = {"name": file.name, "scenarios": [_scenario(scenario) for scenario in file.scenarios]}
    return yaml.dump(tree, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=MAX_WIDTH)


class _Seconds(float):
    """A duration, written with its unit."""


class _Dumper(yaml.SafeDumper):
    """Quote all values that are texts, but no keys."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - aliases are never written
        return True

    def represent_mapping(self, tag: str, mapping: Any, flow_style: Any = None) -> yaml.MappingNode:  # noqa: ANN401 - PyYAML's signature
        node = super().represent_mapping(tag, mapping, flow_style)
        for key, _ in node.value:
            key.style = None
        return node


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


def _represent_seconds(dumper: yaml.SafeDumper, seconds: _Seconds) -> yaml.Node:
    number = f"{seconds:.6f}".rstrip("0").rstrip(".")
    return dumper.represent_scalar("tag:yaml.org,2002:str", f"{number}s")


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(_Seconds, _represent_seconds)


def _scenario(scenario: Scenario) -> YamlMapping:
    tree: YamlMapping = {"name": scenario.name}
    match scenario.app:
        case ServerCommand() as serve:
            within = _Seconds(serve.within)
            tree["serve"] = {"command": list(serve.command), "path": serve.path, "within": within}
        case str() as app:
            tree["app"] = app
        case None:
            pass
    if scenario.caller != CallerSpec():
        caller = scenario.caller
        tree["caller"] = {"phone": caller.phone, "extension": caller.extension, "method": caller.method}
    tree["turns"] = [_turn(turn) for turn in scenario.turns]
    if scenario.afterwards is not None:
        tree["afterwards"] = {str(kind): count for kind, count in scenario.afterwards.counts.items()}
    return tree


def _turn(turn: ScenarioTurn) -> YamlMapping:
    tree: YamlMapping = {}
    if turn.action is not None:
        takes_text = turn.action.verb in {"says", "presses", "records"}
        tree[turn.action.verb] = turn.action.text if takes_text else True
    if turn.agent:
        steps = [_step(step) for step in turn.agent]
        tree["agent"] = steps[0] if len(steps) == 1 else steps
    if turn.interruption is not None:
        tree["meanwhile"] = _interruption(turn.interruption)
    if turn.hears is not None:
        tree["hears"] = _hears(turn.hears)
    return tree


def _interruption(interruption: InterruptionSpec) -> YamlMapping:
    action: YamlMapping = {"hangs_up": True} if interruption.keys is None else {"presses": interruption.keys}
    return {**action, "after": _Seconds(interruption.after)}


def _hears(hears: Expectation) -> YamlMapping | str:
    tree: YamlMapping = dict(_texts(hears))
    for name in ("equals", "matches", "goto", "ends", "same"):
        if getattr(hears, name) is not None:
            tree[name] = getattr(hears, name)
    match hears.read:
        case ReadExpectation(fields=expected):
            tree["read"] = dict(expected) or True
        case False:
            tree["read"] = False
        case None:
            pass
    if hears.within is not None:
        tree["within"] = [_Seconds(hears.within.warn), _Seconds(hears.within.fail)]
    if set(tree) == {"contains"} and len(hears.contains) == 1:
        return hears.contains[0]
    return tree


def _texts(hears: Expectation) -> Iterator[tuple[str, list[str]]]:
    for name in ("contains", "excludes", "play"):
        if getattr(hears, name):
            yield name, list(getattr(hears, name))


def _step(step: Step) -> YamlMapping:
    mapping = step_mapping(step)
    return {key: _Seconds(value) if key == "after" else value for key, value in mapping.items()}
