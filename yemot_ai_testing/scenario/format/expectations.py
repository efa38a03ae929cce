"""Parse ``hears:``, the expectations of a turn."""

from __future__ import annotations

from dataclasses import fields
from typing import Final, Literal

import yaml

from yemot_ai.protocol import Record, Tap, Voice
from yemot_ai_testing.scenario.format.durations import parse_duration
from yemot_ai_testing.scenario.format.model import Expectation, ReadExpectation, SilenceLimits
from yemot_ai_testing.scenario.format.yaml_nodes import NULL, mapping_values, text_list

__all__ = ["MODES", "READ_FIELDS", "parse_expectation"]

MODES: Final = {"tap": Tap, "voice": Voice, "record": Record}
READ_FIELDS: Final = (
    "mode",
    "name",
    "reuse",
    *dict.fromkeys(f.name for mode in MODES.values() for f in fields(mode)),
)


def parse_expectation(node: yaml.Node | None) -> Expectation | None:
    """Return the expectation of a turn; a text means ``contains``. None for None."""
    if node is None:
        return None
    if isinstance(node, yaml.ScalarNode):
        return Expectation(contains=(node.value,))
    values = mapping_values(node)
    return Expectation(
        contains=text_list(values.get("contains")),
        excludes=text_list(values.get("excludes")),
        equals=_text(values.get("equals")),
        matches=_text(values.get("matches")),
        read=_read(values.get("read")),
        play=text_list(values.get("play")),
        goto=_text(values.get("goto")),
        ends=_bool(values.get("ends")),
        same=_bool(values.get("same")),
        within=_silence_limits(values.get("within")),
    )


def _text(node: yaml.Node | None) -> str | None:
    return None if node is None else str(node.value)


def _bool(node: yaml.Node | None) -> bool | None:
    return None if node is None else bool(node.value == "true")


def _read(node: yaml.Node | None) -> ReadExpectation | Literal[False] | None:
    if node is None:
        return None
    if isinstance(node, yaml.ScalarNode):
        return ReadExpectation({}) if node.value == "true" else False
    return ReadExpectation(
        {key: "null" if value.tag == NULL else value.value for key, value in mapping_values(node).items()}
    )


def _silence_limits(node: yaml.Node | None) -> SilenceLimits | None:
    if node is None:
        return None
    limits = [parse_duration(text) or 0.0 for text in text_list(node)]
    return SilenceLimits(limits[0], limits[-1])
