"""Validate YAML nodes against the schema and collect every problem with its position.

Supports the JSON Schema keywords that ``schema`` uses; ``FORMATS`` has what a schema cannot express.
"""

from __future__ import annotations

import re
import shlex
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Final

import yaml

from yemot_ai_testing.scenario.format.durations import parse_duration
from yemot_ai_testing.scenario.format.model import VERBS
from yemot_ai_testing.scenario.format.schema import DEFINITIONS, Schema
from yemot_ai_testing.scenario.format.tools import check_agent, check_calls, check_json
from yemot_ai_testing.scenario.format.yaml_nodes import (
    BOOL,
    NULL,
    STR,
    Problems,
    allowed_words,
    describe,
    mapping_values,
    plain_value,
)

__all__ = ["validate"]

NUMBER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
TYPE_NAMES: Final = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "a text, a number, true, false or null",
}
INTEGER: Final = re.compile("[0-9]{1,9}")

VERBLESS_KEYS: Final = frozenset({"hears", "agent", "meanwhile"})
CALLER_INTERRUPTIONS: Final = frozenset({"hangs_up", "presses"})


def validate(problems: Problems, node: yaml.Node, schema: Schema, label: str) -> None:
    """Add every violation of ``schema`` in ``node`` to ``problems``.

    Args:
        problems: collects the violations.
        node: a part of a file.
        schema: the schema of the part.
        label: the name of the part in messages.
    """
    schema = _resolved(schema)
    branches = [_resolved(branch) for branch in schema["anyOf"]] if "anyOf" in schema else None
    if branches is not None:
        branch = next((branch for branch in branches if _has_accepted_type(node, branch)), None)
        if branch is None:
            expected = schema.get("x-message") or " or ".join(map(_expected_text, branches))
            problems.add(node, f"{label} must be {expected}, not {describe(node)}")
        else:
            validate(problems, node, {"x-message": schema.get("x-message"), **branch}, label)
        return
    title = schema.get("title", label)
    label = label if label.startswith(f"{title}.") else title
    if _hint_at_quotes(problems, node, schema):
        return
    if not _has_accepted_type(node, schema):
        problems.add(node, f"{label} must be {_expected_text(schema)}, not {describe(node)}")
    elif schema.get("format") == "json":
        check_json(problems, node, label)
    elif isinstance(node, yaml.MappingNode):
        _check_object(problems, node, schema, label)
    elif isinstance(node, yaml.SequenceNode):
        _check_array(problems, node, schema, label)
    else:
        _check_scalar(problems, node, schema, label)


def _resolved(schema: Schema) -> Schema:
    """Return the definition that ``schema`` refers to, or ``schema`` itself."""
    return DEFINITIONS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _check_object(problems: Problems, node: yaml.MappingNode, schema: Schema, label: str) -> None:
    names = mapping_values(node)
    properties: Schema = schema.get("properties", dict.fromkeys(names, schema["additionalProperties"]))
    count_before = problems.count
    keys = _check_keys(problems, node, label, properties)
    keys_are_valid = problems.count == count_before
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value in properties:
            validate(problems, value, properties[key.value], _part_name(label, key.value))
    for name in schema.get("required", ()):
        if name not in keys:
            problems.add(node, f"{label} needs {name!r}")
    if not schema.get("minProperties", 0) <= len(keys) <= schema.get("maxProperties", len(keys)):
        problems.add(node, _size_message(schema, label))
    _check_format(problems, node, schema, label)
    for rule in schema.get("allOf", ()) if keys_are_valid else ():
        if not _satisfies(rule, keys):
            problems.add(node, rule["x-message"])


def _check_keys(problems: Problems, node: yaml.MappingNode, label: str, properties: Schema) -> set[str]:
    """Return the keys of a mapping; add the invalid ones to ``problems``."""
    seen: set[str] = set()
    for key, _ in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if not isinstance(key, yaml.ScalarNode):
            problems.add(key, f"a key of {label} must be a word, not {describe(key)}")
        elif name in seen:
            problems.add(key, f"{name!r} is written twice in {label}; the later one would silently win")
        elif name not in properties:
            hint = _hint_at_value(name, properties) or allowed_words(name, properties)
            problems.add(key, f"{label} has no {name!r}{hint}")
        seen.add(name)
    return seen


def _hint_at_value(name: str, properties: Schema) -> str:
    """Return a hint if ``name`` is the value of a key, such as ``refused_request`` of ``fails``; else ""."""
    owners = [key for key, schema in properties.items() if name in schema.get("enum", ())]
    return f": write {owners[0]}: {name}" if owners else ""


def _check_array(problems: Problems, node: yaml.SequenceNode, schema: Schema, label: str) -> None:
    items: list[yaml.Node] = node.value
    if not schema.get("minItems", 0) <= len(items) <= schema.get("maxItems", len(items)):
        problems.add(node, _size_message(schema, label))
    for item in items:
        validate(problems, item, schema["items"], f"each item of {label}")
    _check_format(problems, node, schema, label)


def _check_scalar(problems: Problems, node: yaml.Node, schema: Schema, label: str) -> None:
    if schema.get("const") is True and node.value == "false":
        problems.add(node, f"{label} can only be true; leave it out otherwise")
    elif "enum" in schema and plain_value(node) not in schema["enum"]:
        words = _words(schema["enum"])
        hint = ": leave out the quotes" if node.value in words else allowed_words(node.value, words)
        problems.add(node, f"{label} cannot be {node.value!r}{hint}")
    elif not _matches_pattern(node.value, schema):
        problems.add(node, f"{label} must be {schema['x-message']}, not {node.value!r}")
    else:
        _check_format(problems, node, schema, label)


def _hint_at_quotes(problems: Problems, node: yaml.Node, schema: Schema) -> bool:
    """Add a problem that explains the quotes if YAML took unquoted keys for something else."""
    if schema.get("format") != "keys" or not isinstance(node, yaml.ScalarNode):
        return False
    if node.tag == NULL:
        problems.add(node, 'presses nothing: an unquoted # begins a comment; quote keys, presses: "#"')
    elif node.tag == STR and not node.style and not node.value[:1].isalpha():
        problems.add(node, f'keys are texts: quote them, presses: "{node.value}"')
    else:
        return False
    return True


def _has_accepted_type(node: yaml.Node, schema: Schema) -> bool:
    """Return whether ``schema`` accepts the type of ``node``."""
    if "enum" in schema:
        return _is_type(node, "string") or (True in schema["enum"] and _is_type(node, "boolean"))
    kinds = "boolean" if "const" in schema else schema["type"]
    return any(_is_type(node, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _is_type(node: yaml.Node, kind: str) -> bool:
    if not isinstance(node, yaml.ScalarNode):
        return kind == ("object" if isinstance(node, yaml.MappingNode) else "array")
    match kind:
        case "boolean":
            return bool(node.tag == BOOL)
        case "null":
            return bool(node.tag == NULL)
        case "number":
            return _is_number(node)
        case "integer":
            return _is_number(node) and INTEGER.fullmatch(node.value) is not None
    return kind == "string" and node.tag == STR


def _is_number(node: yaml.ScalarNode) -> bool:
    return not node.style and node.tag == STR and NUMBER.fullmatch(node.value) is not None


def _matches_pattern(text: str, schema: Schema) -> bool:
    if len(text) < schema.get("minLength", 0):
        return False
    return "pattern" not in schema or _pattern(schema["pattern"]).search(text) is not None


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of the schema; its ``$`` matches only at the end, not before a last newline."""
    return re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern)


def _satisfies(rule: Schema, keys: set[str]) -> bool:
    """Return whether a mapping with ``keys`` satisfies a rule about keys."""
    return (
        keys.issuperset(rule.get("required", ()))
        and ("not" not in rule or not _satisfies(rule["not"], keys))
        and ("anyOf" not in rule or any(_satisfies(branch, keys) for branch in rule["anyOf"]))
        and ("oneOf" not in rule or sum(_satisfies(branch, keys) for branch in rule["oneOf"]) == 1)
    )


def _expected_text(schema: Schema) -> str:
    """Describe what ``schema`` accepts."""
    if "pattern" in schema:
        return str(schema["x-message"])
    if "enum" in schema:
        return f"one of {', '.join(_words(schema['enum']))}"
    kinds = "boolean" if "const" in schema else schema.get("type", "string")
    if kinds == "object":
        return f"a mapping with {', '.join(schema.get('properties', ['names and values']))}"
    return TYPE_NAMES.get(kinds if isinstance(kinds, str) else kinds[-1], "a text")


def _words(values: Iterable[str | bool]) -> list[str]:
    """Return the values of an enum as a file writes them."""
    return [value if isinstance(value, str) else str(value).lower() for value in values]


def _size_message(schema: Schema, label: str) -> str:
    message = schema.get("x-message")
    if message is None:
        return f"{label} must not be empty"
    return str(message) if str(message).startswith(label) else f"{label} must be {message}"


def _part_name(label: str, key: str) -> str:
    return key if label.startswith("a ") else f"{label}.{key}"


def _check_format(problems: Problems, node: yaml.Node, schema: Schema, label: str) -> None:
    if schema.get("format") in FORMATS:
        FORMATS[schema["format"]](problems, node, label)


def _check_regex(problems: Problems, node: yaml.Node, label: str) -> None:
    try:
        with warnings.catch_warnings(action="error"):
            re.compile(node.value)
    except (re.error, OverflowError, FutureWarning) as error:
        problems.add(node, f"{label} is not a regular expression: {error}")
    except RecursionError:
        problems.add(node, f"{label} is not a regular expression: it is nested too deeply")


def _check_command(problems: Problems, node: yaml.Node, label: str) -> None:
    try:
        parts = shlex.split(node.value)
    except ValueError as error:
        problems.add(node, f"{label} cannot be split: {error}; write a list")
        return
    if not parts:
        problems.add(node, f"{label} must name a program, such as node server.js")


def _check_warn_fail(problems: Problems, node: yaml.Node, label: str) -> None:
    limits = [parse_duration(item.value) for item in node.value if isinstance(item, yaml.ScalarNode)]
    match limits:
        case [float(warn), float(fail)] if warn > fail:
            problems.add(node, f"{label} must be [warn, fail] with warn not above fail, such as [2s, 4s]")


def _check_events(problems: Problems, node: yaml.Node, label: str) -> None:
    interruptions = [item for item in node.value if mapping_values(item).keys() & CALLER_INTERRUPTIONS]
    for item in interruptions[1:]:
        problems.add(item, f"the caller acts once in {label}: leave out all but one hangs_up or presses")


def _check_turns(problems: Problems, node: yaml.Node, _label: str) -> None:
    _check_verbs(problems, node)
    check_calls(problems, node)


def _check_verbs(problems: Problems, node: yaml.Node) -> None:
    """Check that the turns after the first have a verb, unless the server acts or the call must have ended.

    An unknown key is reported elsewhere.
    """
    for turn in node.value[1:]:
        values = mapping_values(turn)
        if (
            isinstance(turn, yaml.MappingNode)
            and values.keys() <= VERBLESS_KEYS
            and not _only_listens(values)
        ):
            problems.add(
                turn,
                f"only the first turn (the greeting) can be without a verb: use one of {', '.join(VERBS)}; "
                "or write what the server does (meanwhile: posts or calls), or hears: {ends: true}",
            )


def _only_listens(turn: Mapping[str, yaml.Node]) -> bool:
    events = turn.get("meanwhile")
    items = events.value if isinstance(events, yaml.SequenceNode) else [events] if events else []
    ends = mapping_values(turn.get("hears")).get("ends")
    return (ends is not None and ends.value != "false") or any(
        not mapping_values(item).keys() & CALLER_INTERRUPTIONS for item in items
    )


FORMATS: Final[dict[str, Callable[[Problems, yaml.Node, str], None]]] = {
    "regex": _check_regex,
    "command": _check_command,
    "warn-fail": _check_warn_fail,
    "meanwhile": _check_events,
    "turns": _check_turns,
    "agent": check_agent,
}
