"""``hears:``: what the caller must hear in a turn, as it is written."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import partial
from typing import Any

import yaml

from yemot_ai.protocol import Record, Tap, Voice
from yemot_ai_testing.scenario.durations import within
from yemot_ai_testing.scenario.model import Expectation, ReadFields, Within
from yemot_ai_testing.scenario.nodes import BOOL, MISSING, NULL, Mistakes, described

__all__ = ["HEARS", "MODES", "READ_FIELDS", "read"]

MODES = {"tap": Tap, "voice": Voice, "record": Record}
READ_FIELDS = (
    "mode",
    "name",
    "reuse",
    *dict.fromkeys(f.name for mode in MODES.values() for f in fields(mode)),
)
HEARS = ("contains", "excludes", "equals", "matches", "read", "play", "goto", "ends", "same", "within")


def read(mistakes: Mistakes, node: yaml.Node) -> Any:  # noqa: ANN401 - an Expectation or MISSING
    """Read a bare text (it must be contained), or a mapping."""
    if isinstance(node, yaml.ScalarNode):
        text = mistakes.text(node, of="hears")
        return MISSING if text is MISSING else Expectation(contains=(text,))
    readers = {
        "contains": partial(mistakes.texts, of="hears.contains"),
        "excludes": partial(mistakes.texts, of="hears.excludes"),
        "equals": partial(mistakes.text, of="hears.equals"),
        "matches": partial(_pattern, mistakes),
        "read": partial(_read_fields, mistakes),
        "play": partial(mistakes.texts, of="hears.play"),
        "goto": partial(mistakes.text, of="hears.goto"),
        "ends": partial(mistakes.truth, of="hears.ends"),
        "same": partial(mistakes.truth, of="hears.same"),
        "within": partial(_within, mistakes),
    }
    return Expectation(**mistakes.mapping(node, readers, of="hears"))


def _pattern(mistakes: Mistakes, node: yaml.Node) -> Any:  # noqa: ANN401 - a str or MISSING
    text = mistakes.text(node, of="hears.matches")
    if text is MISSING:
        return MISSING
    try:
        re.compile(text)
    except re.error as error:
        mistakes.add(node, f"hears.matches is no regular expression: {error}")
        return MISSING
    return text


def _read_fields(mistakes: Mistakes, node: yaml.Node) -> Any:  # noqa: ANN401 - ReadFields, False or MISSING
    if isinstance(node, yaml.ScalarNode) and node.tag == BOOL:
        return ReadFields({}) if node.value == "true" else False
    readers = {name: partial(_field, mistakes, name) for name in READ_FIELDS}
    return ReadFields(mistakes.mapping(node, readers, of="hears.read"))


def _field(mistakes: Mistakes, name: str, node: yaml.Node) -> Any:  # noqa: ANN401 - a str or MISSING
    if name == "mode":
        return mistakes.choice(node, tuple(MODES), of="hears.read.mode")
    if not isinstance(node, yaml.ScalarNode):
        mistakes.add(
            node, f"hears.read.{name} must be a text, a number, true, false or null, not {described(node)}"
        )
        return MISSING
    return "null" if node.tag == NULL else node.value


def _within(mistakes: Mistakes, node: yaml.Node) -> Any:  # noqa: ANN401 - a Within or MISSING
    limits = within(mistakes, node)
    return MISSING if limits is MISSING else Within(*limits)
