"""The published schema and the loader accept the same documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.scenario.format.load import load, loads
from yemot_ai_testing.scenario.format.schema import SCHEMA, Schema

VALIDATOR = Draft7Validator(SCHEMA)
FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "scenarios").glob("*.call.yaml"))

LOADER_ONLY = (
    "two scenarios are named",
    "warn not above fail",
    "not a regular expression",
    "cannot be split",
    "must name a program",
    "only the first turn (the greeting) can be without a verb",
    "the caller acts once in meanwhile",
    "needs the arguments of each of",
    "nothing answers the result of the call",
)
"""Messages of the checks that a schema cannot express (listed in docs/scenarios.md)."""

TEXTS = st.text("אבג ab01.:*#'/-", max_size=6)
WRITTEN = ("2s", "500ms", "1.5m", "3", "12#", "*", "a:b", "a.b:c", "/", "/a", "node x", "'", "")
JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2_000_000_000), st.just(0.5), TEXTS, st.just([]), st.just({})
)
STEPS = st.sampled_from([{"answers": "א"}, {"calls": "a", "then": {"hangs": True}}])
"""Steps in the place of the definition that a step itself refers to."""


def like(schema: Schema) -> st.SearchStrategy[Any]:
    """Return documents that mostly satisfy ``schema``, and sometimes junk."""
    valid = STEPS if "$ref" in schema else _valid(schema)
    return st.integers(0, 60).flatmap(lambda number: valid if number else JUNK)


def _valid(schema: Schema) -> st.SearchStrategy[Any]:
    if "anyOf" in schema:
        return st.one_of([like(branch) for branch in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "pattern" in schema:
        return st.sampled_from([text for text in WRITTEN if re.search(schema["pattern"], text)])
    if "const" in schema:
        return st.just(schema["const"])
    kind = schema["type"]
    if kind == "object":
        rules = Draft7Validator({"allOf": schema.get("allOf", [{}])})
        return st.one_of(_objects(schema), *[_objects(schema).filter(rules.is_valid)] * 20)
    return {
        "array": _lists(schema),
        "boolean": st.booleans(),
        "integer": st.integers(0, 3),
    }.get(kind if isinstance(kind, str) else "", st.one_of(TEXTS, st.integers(-5, 99)))


@st.composite
def _objects(draw: st.DrawFn, schema: Schema) -> dict[str, Any]:
    if "properties" not in schema:
        values = like(schema["additionalProperties"]) if "additionalProperties" in schema else JUNK
        return draw(st.dictionaries(TEXTS, values, min_size=schema.get("minProperties", 0), max_size=2))
    names = list(schema["properties"])
    required = [name for name in schema.get("required", ()) if draw(st.integers(0, 60))]
    chosen = draw(st.lists(st.sampled_from(names), max_size=3))
    unknown = {} if draw(st.integers(0, 60)) else {"hear": "x"}
    return {name: draw(like(schema["properties"][name])) for name in (*required, *chosen)} | unknown


@st.composite
def _lists(draw: st.DrawFn, schema: Schema) -> list[Any]:
    size = draw(st.integers(schema.get("minItems", 0), 2) if draw(st.integers(0, 60)) else st.integers(0, 3))
    return [draw(like(schema["items"])) for _ in range(size)]


def loader_problems(document: object) -> list[str]:
    """Return the problems of a document that a schema can express too."""
    try:
        loads(json.dumps(document, ensure_ascii=False), Path("x.call.yaml"))
    except ScenarioLoadError as error:
        return [
            problem for problem in error.problems if not any(message in problem for message in LOADER_ONLY)
        ]
    return []


def test_the_schema_is_a_valid_schema() -> None:
    Draft7Validator.check_schema(SCHEMA)


def undescribed(schema: Schema) -> Iterator[str]:
    """Yield each key of a mapping, at any depth, that has no description."""
    for key, value in schema.get("properties", {}).items():
        if "description" not in value:
            yield f"{schema['title']}: {key}"
        yield from undescribed(value)
    parts = [schema[key] for key in ("items", "additionalProperties") if schema.get(key)]
    for part in (*schema.get("anyOf", ()), *parts):
        yield from undescribed(part)


def test_each_key_has_a_description_for_editors_and_the_reference() -> None:
    assert list(undescribed(SCHEMA)) == []


def keywords(schema: Schema) -> Iterator[str]:
    """Yield every keyword that a schema uses."""
    yield from schema
    subschemas = [*schema.get("properties", {}).values()]
    subschemas += [branch for key in ("anyOf", "oneOf", "allOf") for branch in schema.get(key, ())]
    subschemas += [schema[key] for key in ("not", "items", "additionalProperties") if schema.get(key)]
    for subschema in subschemas:
        yield from keywords(subschema)


def test_the_schema_uses_only_keywords_of_draft_7() -> None:
    own = {"$schema", "definitions", "title", "description", "x-message"}
    assert set(keywords(SCHEMA)) - own <= set(Draft7Validator.VALIDATORS)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_shipped_files_satisfy_the_schema(path: Path) -> None:
    assert load(path).scenarios
    assert VALIDATOR.is_valid(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(like(SCHEMA))
def test_the_loader_accepts_exactly_what_the_schema_accepts(document: object) -> None:
    problems = loader_problems(document)
    assert VALIDATOR.is_valid(document) == (not problems), problems


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(like(SCHEMA["properties"]["scenarios"]["items"]["properties"]["turns"]))
def test_schema_and_loader_agree_about_turns(turns: object) -> None:
    document = {"scenarios": [{"name": "x", "turns": turns}]}
    problems = loader_problems(document)
    assert VALIDATOR.is_valid(document) == (not problems), problems


@pytest.mark.parametrize(
    ("turn", "valid"),
    [
        ({"says": "a"}, True),
        ({"says": "a", "presses": "1"}, False),
        ({"says": "a", "agent": {"answers": ["b"], "after": "2s"}}, True),
        ({"says": "a", "agent": {"hangs": True, "after": "2s"}}, False),
        ({"says": "a", "agent": {"answers": "b", "hangs": True}}, False),
        ({"says": "a", "agent": {"answers": []}}, False),
        ({"says": "a", "meanwhile": {"presses": "1"}}, True),
        ({"hangs_up": True, "meanwhile": {"presses": "1"}}, False),
        ({"says": "a", "meanwhile": {"posts": "/a", "data": {"b": "c", "d": 1}, "after": "2s"}}, True),
        ({"says": "a", "meanwhile": {"calls": "/a", "data": {"b": "c"}}}, False),
        ({"says": "a", "meanwhile": {"posts": "a"}}, False),
        ({"says": "a", "meanwhile": {"calls": "a.b:c"}}, True),
        ({"says": "a", "meanwhile": {"calls": "a.b"}}, False),
        ({"says": "a", "meanwhile": {"posts": "/a", "calls": "/b"}}, False),
        ({"says": "a", "meanwhile": {"posts": "/a", "data": ["b"]}}, False),
        ({"says": "a", "meanwhile": [{"posts": "/a"}, {"presses": "1"}]}, True),
        ({"says": "a", "meanwhile": []}, False),
        ({"meanwhile": {"posts": "/a"}}, True),
        ({"hears": {"ends": True}}, True),
        ({"hears": {"ends": "maybe"}}, True),
        ({"says": "a", "hears": {"ends": "agent"}}, True),
        ({"says": "a", "hears": {"ends": "other"}}, False),
        ({"says": "a", "hears": {"ends": 1}}, False),
        ({"hangs_up": True, "agent": []}, False),
        ({"says": "a", "agent": {"calls": "b", "with": {"c": 1}, "then": {"answers": "d"}}}, True),
        ({"says": "a", "agent": {"calls": "b", "then": [{"calls": "c"}, {"answers": "d"}]}}, True),
        ({"says": "a", "agent": {"calls": ["b", "c"], "then": {"answers": "d"}}}, True),
        ({"says": "a", "agent": {"calls": "b", "with": 1, "then": {"answers": "d"}}}, False),
        ({"says": "a", "agent": {"calls": "b", "then": {"answer": "d"}}}, False),
        ({"says": "a", "agent": {"answers": "b", "then": {"answers": "d"}}}, False),
        ({"says": "a", "agent": {"answers": "b", "with": {"c": 1}}}, False),
        ({"presses": 1}, False),
        ({"says": 1}, True),
        ({"says": ""}, False),
    ],
)
def test_schema_and_loader_apply_the_rules_of_a_turn(turn: object, valid: bool) -> None:  # noqa: FBT001 - a test parameter
    document = {"scenarios": [{"name": "x", "turns": [{"hears": "a"}, turn]}]}
    assert VALIDATOR.is_valid(document) == valid
    assert (not loader_problems(document)) == valid
