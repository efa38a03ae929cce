"""``caller.line`` and the ini key ``yemot_line``: settings for what no source confirms about the line.

>>> line_options({"lenient": True, "server_timeout": "5s", "music_seconds": "10"})
{'lenient': True, 'server_timeout': 5.0, 'music_seconds': 10.0}
>>> line_options_from_ini(["lenient = true", "two_plays=second"])
{'lenient': True, 'two_plays': 'second'}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from yemot_ai_testing.line.platform.settings import line_settings
from yemot_ai_testing.scenario.format.durations import parse_duration
from yemot_ai_testing.scenario.format.schema import LINE
from yemot_ai_testing.scenario.format.validate import validate
from yemot_ai_testing.scenario.format.yaml_nodes import LITERALS, STR, Problems, mapping_values, plain_value

__all__ = ["line_options", "line_options_from_ini"]

_INI_KEY: Final = "yemot_line"
_SETTINGS: Final = line_settings()


def line_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return valid settings of a file as arguments of ``Caller``.

    Args:
        values: fields of ``LineSettings``; numbers and times are texts.
    """
    return {name: _parse(_SETTINGS[name].default, value) for name, value in values.items()}


def line_options_from_ini(lines: Iterable[str]) -> dict[str, Any]:
    """Return the settings of an ini key as arguments of ``Caller``.

    Args:
        lines: ``name = value``, one setting each.

    Raises:
        ScenarioLoadError: a name or a value is invalid; with all mistakes, each with the number of its line.
    """
    problems = Problems(Path(_INI_KEY))
    settings = [_setting(number, line) for number, line in enumerate(lines)]
    start = _mark(0, 0)
    node = yaml.MappingNode("tag:yaml.org,2002:map", settings, start, start)
    validate(problems, node, LINE | {"title": _INI_KEY}, _INI_KEY)
    problems.raise_if_any()
    return line_options({name: plain_value(value) for name, value in mapping_values(node).items()})


def _parse(default: object, value: str | bool | None) -> object:  # noqa: FBT001 - a value of the file
    if isinstance(default, str | bool) or not isinstance(value, str):
        return value
    if isinstance(default, int):
        return int(value)
    seconds = parse_duration(value)
    return float(value) if seconds is None else seconds


def _setting(number: int, line: str) -> tuple[yaml.ScalarNode, yaml.ScalarNode]:
    name, _, value = line.partition("=")
    word = value.strip().casefold()
    tag = LITERALS.get(word, STR)
    text = value.strip() if tag == STR else word
    start, value_start = _mark(number, 0), _mark(number, len(line) - len(value.lstrip()))
    return yaml.ScalarNode(STR, name.strip(), start, start), yaml.ScalarNode(
        tag, text, value_start, value_start
    )


def _mark(line: int, column: int) -> yaml.Mark:
    return yaml.Mark(_INI_KEY, 0, line, column, None, 0)
