"""The keys of ``*.call.yaml``, from its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from site_builder.reference.markdown import code, document, table
from yemot_ai_testing.scenario.format.schema import SCHEMA

__all__ = ["page"]

INTRODUCTION = (
    "Every key of a `*.call.yaml` file. `yemot-ai-testing schema` prints the JSON Schema that this page is "
    "made from, for editors. How to write calls: [scenarios](../scenarios.md)."
)


def page() -> str:
    """Return the page, with a heading for each mapping."""
    parts = [part for name, schema in _objects(SCHEMA).items() for part in _object(name, schema)]
    return document("Keys of a scenario", INTRODUCTION, *parts)


def _objects(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return each mapping of a schema, by its title; one that occurs twice counts once."""
    found: dict[str, dict[str, Any]] = {}
    if "properties" in schema:
        found[schema["title"]] = schema
    for part in _parts(schema):
        found |= {title: one for title, one in _objects(part).items() if title not in found}
    return found


def _parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from schema.get("properties", {}).values()
    yield from schema.get("anyOf", ())
    yield from (schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict))


def _object(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"## {name}"
    required = schema.get("required", ())
    rows = [
        (
            f"{code(key)}{' (required)' if key in required else ''}",
            _value(value),
            value.get("description", ""),
        )
        for key, value in schema["properties"].items()
    ]
    yield table(("key", "value", ""), rows)
    rules = [rule["x-message"] for rule in schema.get("allOf", ()) if "x-message" in rule]
    yield "\n".join(f"* {rule[:1].upper()}{rule[1:]}." for rule in rules)


def _value(schema: dict[str, Any]) -> str:
    """Return what a value may be, in words."""
    if schema.get("type") == "array":
        return f"a list: {_value(schema['items'])}"
    if "x-message" in schema:
        return str(schema["x-message"])
    if "const" in schema or "enum" in schema:
        return ", ".join(
            code(str(one).lower() if isinstance(one, bool) else str(one))
            for one in schema.get("enum", [schema.get("const")])
        )
    if "anyOf" in schema:
        return ", or ".join(dict.fromkeys(map(_value, schema["anyOf"])))
    name = schema.get("title") or schema.get("$ref", "").rpartition("/")[2]
    if name:
        has_keys = "properties" in schema or "$ref" in schema
        return f"a mapping: [{name}](#{_anchor(name)})" if has_keys else "a mapping"
    return _type(schema.get("type"))


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-").replace(".", "")


def _type(kind: object) -> str:
    names = {"object": "a mapping", "integer": "a number", "boolean": "`true`, `false`", "null": "`null`"}
    if isinstance(kind, list):
        return "any value" if "object" in kind else "a text"
    return names.get(str(kind), f"a {kind}")
