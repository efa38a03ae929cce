"""``hears:``: what the caller must hear in a turn, as it is written."""

from __future__ import annotations

from dataclasses import fields
from typing import Final, Literal

import yaml

from yemot_ai.protocol import Record, Tap, Voice
from yemot_ai_testing.scenario.format.durations import in_seconds
from yemot_ai_testing.scenario.format.model import Expectation, ReadFields, Within
from yemot_ai_testing.scenario.format.yaml_nodes import NULL, entries, texts

__all__ = ["MODES", "READ_FIELDS", "expectation"]

MODES: Final = {"tap": Tap, "voice": Voice, "record": Record}
READ_FIELDS: Final = (
    "mode",
    "name",
    "reuse",
    *dict.fromkeys(f.name for mode in MODES.values() for f in fields(mode)),
)


def expectation(node: yaml.Node | None) -> Expectation | None:
    """Return what a bare text (it must be contained) or a mapping says; None without any."""
    if node is None:
        return None
    if isinstance(node, yaml.ScalarNode):
        return Expectation(contains=(node.value,))
    found = entries(node)
    return Expectation(
        contains=texts(found.get("contains")),
        excludes=texts(found.get("excludes")),
        equals=_text(found.get("equals")),
        matches=_text(found.get("matches")),
        read=_read(found.get("read")),
        play=texts(found.get("play")),
        goto=_text(found.get("goto")),
        ends=_truth(found.get("ends")),
        same=_truth(found.get("same")),
        within=_within(found.get("within")),
    )


def _text(node: yaml.Node | None) -> str | None:
    return None if node is None else str(node.value)


def _truth(node: yaml.Node | None) -> bool | None:
    return None if node is None else bool(node.value == "true")


def _read(node: yaml.Node | None) -> ReadFields | Literal[False] | None:
    if node is None:
        return None
    if isinstance(node, yaml.ScalarNode):
        return ReadFields({}) if node.value == "true" else False
    return ReadFields(
        {key: "null" if value.tag == NULL else value.value for key, value in entries(node).items()}
    )


def _within(node: yaml.Node | None) -> Within | None:
    if node is None:
        return None
    limits = [in_seconds(text) or 0.0 for text in texts(node)]
    return Within(limits[0], limits[-1])
