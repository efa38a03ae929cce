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

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import yaml

from yemot_ai_testing.doubles.steps import Step
from yemot_ai_testing.scenario.format.agent_steps import step_mapping
from yemot_ai_testing.scenario.format.model import (
    CallerSpec,
    CallFile,
    Expectation,
    ExpectedLeftovers,
    Scenario,
    ScenarioTurn,
    ServerAction,
    ServerCommand,
)
from yemot_ai_testing.scenario.format.tools import expected_tools_list, replacements_mapping

__all__ = ["dumps", "step_text"]

MAX_WIDTH = 10_000
"""Columns; wide enough that no text is folded."""

HEARS_KEYS = (
    "contains", "excludes", "play", "equals", "matches", "goto", "ends", "same", "read", "within"
)  # fmt: skip

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


def step_text(step: Step) -> str:
    """Return a step of ``agent:`` in one line, such as ``{answers: ["בשמונה"]}``.

    Raises:
        ValueError: it has no scenario syntax.
    """
    options: Any = {"allow_unicode": True, "sort_keys": False, "width": MAX_WIDTH}
    return str(yaml.dump(_step(step), Dumper=_Dumper, default_flow_style=True, **options)).strip()


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


def _represent_seconds(dumper: yaml.SafeDumper, seconds: float) -> yaml.Node:
    number = f"{seconds:.6f}".rstrip("0").rstrip(".")
    return dumper.represent_scalar("tag:yaml.org,2002:str", f"{number}s")


class _JSONFloat(float):
    """A number of a value of JSON, which is no time."""


def _represent_json_float(dumper: yaml.SafeDumper, number: _JSONFloat) -> yaml.Node:
    text = json.dumps(float(number))
    if "." not in text:  # YAML 1.1 has no 1e+300
        text = text.replace("e", ".0e")
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(float, _represent_seconds)  # all other numbers are counts, or values of JSON
_Dumper.add_representer(_JSONFloat, _represent_json_float)


def _scenario(scenario: Scenario) -> YamlMapping:
    tree: YamlMapping = {"name": scenario.name}
    if isinstance(scenario.app, ServerCommand):
        tree["serve"] = asdict(scenario.app) | {"within": float(scenario.app.within)}
    elif scenario.app is not None:
        tree["app"] = scenario.app
    if scenario.caller != CallerSpec():
        tree["caller"] = asdict(scenario.caller) | {"line": dict(scenario.caller.line)}
        if not scenario.caller.line:
            del tree["caller"]["line"]
    if scenario.order is not None:
        tree["order"] = scenario.order
    if scenario.tools:
        tree["tool"] = {
            name: {key: value if key == "after" else _json(value) for key, value in values.items()}
            for name, values in replacements_mapping(scenario.tools).items()
        }
    tree["turns"] = [_turn(turn) for turn in scenario.turns]
    if scenario.afterwards is not None:
        tree["afterwards"] = _afterwards(scenario.afterwards)
    return tree


def _afterwards(afterwards: ExpectedLeftovers) -> YamlMapping:
    tree: YamlMapping = {str(kind): count for kind, count in afterwards.counts.items()}
    if afterwards.tools is not None:
        tree["tools"] = _json(expected_tools_list(afterwards.tools))
    if afterwards.check:
        tree["check"] = afterwards.check
    return tree


def _turn(turn: ScenarioTurn) -> YamlMapping:
    tree: YamlMapping = {}
    if turn.action is not None:
        takes_text = turn.action.verb in {"says", "presses", "records"}
        tree[turn.action.verb] = turn.action.text if takes_text else True
    if turn.agent:
        steps = [_step(step) for step in turn.agent]
        tree["agent"] = steps[0] if len(steps) == 1 else steps
    events = [*_interruption(turn), *map(_server_action, turn.server_actions)]
    if events:
        tree["meanwhile"] = events[0] if len(events) == 1 else events
    if turn.hears is not None:
        tree["hears"] = _hears(turn.hears)
    return tree


def _interruption(turn: ScenarioTurn) -> list[YamlMapping]:
    if turn.interruption is None:
        return []
    keys, after = turn.interruption.keys, float(turn.interruption.after)
    return [({"hangs_up": True} if keys is None else {"presses": keys}) | {"after": after}]


def _server_action(action: ServerAction) -> YamlMapping:
    data = {"data": dict(action.data)} if action.data else {}
    return {action.verb: action.target, **data, "after": float(action.after)}


def _step(step: Step) -> YamlMapping:
    mapping = step_mapping(step)
    return {key: float(value) if key == "after" else _json(value) for key, value in mapping.items()}


def _json(value: Any) -> Any:  # noqa: ANN401 - a value of JSON
    """Return a value of JSON whose numbers are written as numbers, not as times."""
    if isinstance(value, Mapping):
        return {key: _json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_json(one) for one in value]
    return _JSONFloat(value) if isinstance(value, float) else value


def _hears(hears: Expectation) -> YamlMapping | str:
    tree = {name: getattr(hears, name) for name in HEARS_KEYS}
    if hears.read is not None and hears.read is not False:
        tree["read"] = {
            name: list(value) if isinstance(value, tuple) else value for name, value in hears.read.items()
        } or True
    if hears.within is not None:
        tree["within"] = [float(hears.within.warn), float(hears.within.fail)]
    tree = {name: value for name, value in tree.items() if value is not None and value != ()}
    return hears.contains[0] if tree == {"contains": hears.contains[:1]} else tree
