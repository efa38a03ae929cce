"""Holds YAML against the schema, and notes every mistake at its place.

It knows as much of JSON Schema as ``schema`` speaks; what a schema cannot say stands in ``FORMATS``.
"""

from __future__ import annotations

import re
import shlex
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final, TypeAlias

import yaml

from yemot_ai_testing.scenario.format.durations import in_seconds
from yemot_ai_testing.scenario.format.model import VERBS
from yemot_ai_testing.scenario.format.yaml_nodes import (
    BOOL,
    NULL,
    STR,
    Mistakes,
    described,
    entries,
    listed,
    meant,
)

__all__ = ["check"]

NUMBER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
WORDS: Final = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "a text, a number, true, false or null",
}
INTEGER: Final = re.compile("[0-9]{1,9}")

WITHOUT_VERB: Final = frozenset({"hears", "agent", "meanwhile"})

Schema: TypeAlias = dict[str, Any]
Found: TypeAlias = Iterator[tuple[yaml.Node, str]]


def check(mistakes: Mistakes, node: yaml.Node, schema: Schema, of: str) -> None:
    """Note everything in ``node`` that is not as ``schema`` says.

    Args:
        mistakes: where it is noted.
        node: the part of a file.
        schema: what it must be.
        of: what the part is called in messages.
    """
    branches = schema.get("anyOf")
    if branches is not None:
        branch = next((branch for branch in branches if _fits(node, branch)), None)
        if branch is None:
            wanted = schema.get("x-message") or " or ".join(map(_wanted, branches))
            mistakes.add(node, f"{of} must be {wanted}, not {described(node)}")
        else:
            check(mistakes, node, {"x-message": schema.get("x-message"), **branch}, of)
        return
    match schema.get("type"):
        case "object":
            _check_object(mistakes, node, schema)
        case "array":
            _check_array(mistakes, node, schema, of)
        case _:
            _check_scalar(mistakes, node, schema, of)


def _check_object(mistakes: Mistakes, node: yaml.Node, schema: Schema) -> None:
    of, properties = schema["title"], schema["properties"]
    if not isinstance(node, yaml.MappingNode):
        mistakes.add(node, f"{of} must be a mapping with {listed(properties)}, not {described(node)}")
        return
    before = mistakes.count
    seen = _check_keys(mistakes, node, of, properties)
    keys_are_right = mistakes.count == before
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value in properties:
            check(mistakes, value, properties[key.value], _part(of, key.value))
    for name in schema.get("required", ()):
        if name not in seen:
            mistakes.add(node, f"{of} needs {name!r}")
    for rule in schema.get("allOf", ()) if keys_are_right else ():
        if not _holds(rule, seen):
            mistakes.add(node, rule["x-message"])


def _check_keys(mistakes: Mistakes, node: yaml.MappingNode, of: str, properties: Schema) -> set[str]:
    """Return the keys of a mapping, the wrong ones noted."""
    seen: set[str] = set()
    for key, _ in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if not isinstance(key, yaml.ScalarNode):
            mistakes.add(key, f"a key of {of} must be a word, not {described(key)}")
        elif name in seen:
            mistakes.add(key, f"{name!r} stands twice in {of}; the later would silently win")
        elif name not in properties:
            mistakes.add(key, f"{of} has no {name!r}{meant(name, properties)}; allowed: {listed(properties)}")
        seen.add(name)
    return seen


def _check_array(mistakes: Mistakes, node: yaml.Node, schema: Schema, of: str) -> None:
    if not isinstance(node, yaml.SequenceNode):
        mistakes.add(node, f"{of} must be a list, not {described(node)}")
        return
    items: list[yaml.Node] = node.value
    if not schema.get("minItems", 0) <= len(items) <= schema.get("maxItems", len(items)):
        mistakes.add(node, _bounded(schema, of))
    for item in items:
        check(mistakes, item, schema["items"], f"each item of {of}")
    _check_format(mistakes, node, schema, of)


def _check_scalar(mistakes: Mistakes, node: yaml.Node, schema: Schema, of: str) -> None:
    if isinstance(node, yaml.ScalarNode) and _hinted(mistakes, node, schema):
        return
    if schema.get("const") is True and _is(node, "boolean") and node.value == "false":
        mistakes.add(node, f"{of} can only be true; leave it out otherwise")
    elif not _fits(node, schema):
        mistakes.add(node, f"{of} must be {_wanted(schema)}, not {described(node)}")
    elif "enum" in schema and node.value not in schema["enum"]:
        words = schema["enum"]
        said = meant(node.value, words)
        mistakes.add(node, f"{of} cannot be {node.value!r}{said}; allowed: {listed(words)}")
    elif not _is_written_so(node.value, schema):
        mistakes.add(node, f"{of} must be {schema['x-message']}, not {node.value!r}")
    else:
        _check_format(mistakes, node, schema, of)


def _hinted(mistakes: Mistakes, node: yaml.ScalarNode, schema: Schema) -> bool:
    """Tell how keys are written to those whom YAML has misunderstood."""
    if schema.get("format") != "keys":
        return False
    if node.tag == NULL:
        mistakes.add(node, 'presses nothing: an unquoted # begins a comment; quote keys, presses: "#"')
    elif node.tag == STR and not node.style:
        mistakes.add(node, f'keys are texts: quote them, presses: "{node.value}"')
    else:
        return False
    return True


def _fits(node: yaml.Node, schema: Schema) -> bool:
    """Tell whether ``node`` is of a kind that ``schema`` takes."""
    if "enum" in schema:
        return _is(node, "string")
    kinds = "boolean" if "const" in schema else schema["type"]
    return any(_is(node, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _is(node: yaml.Node, kind: str) -> bool:
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


def _is_written_so(text: str, schema: Schema) -> bool:
    if len(text) < schema.get("minLength", 0):
        return False
    return "pattern" not in schema or _pattern(schema["pattern"]).search(text) is not None


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of the schema, whose ``$`` is the very end."""
    return re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern)


def _holds(rule: Schema, keys: set[str]) -> bool:
    """Tell whether a mapping with ``keys`` is as a rule about keys says."""
    return (
        keys.issuperset(rule.get("required", ()))
        and ("not" not in rule or not _holds(rule["not"], keys))
        and ("anyOf" not in rule or any(_holds(one, keys) for one in rule["anyOf"]))
        and ("oneOf" not in rule or sum(_holds(one, keys) for one in rule["oneOf"]) == 1)
    )


def _wanted(schema: Schema) -> str:
    """Return in words what a schema takes."""
    if "pattern" in schema:
        return str(schema["x-message"])
    kinds = "boolean" if "const" in schema else schema.get("type", "string")
    if kinds == "object":
        return f"a mapping with {listed(schema['properties'])}"
    return WORDS.get(kinds if isinstance(kinds, str) else kinds[-1], "a text")


def _bounded(schema: Schema, of: str) -> str:
    said = schema.get("x-message")
    if said is None:
        return f"{of} must hold something"
    return str(said) if str(said).startswith(of) else f"{of} must be {said}"


def _part(of: str, key: str) -> str:
    return key if of.startswith("a ") else f"{of}.{key}"


def _check_format(mistakes: Mistakes, node: yaml.Node, schema: Schema, of: str) -> None:
    if schema.get("format") in FORMATS:
        for wrong, message in FORMATS[schema["format"]](node, of):
            mistakes.add(wrong, message)


def _regex(node: yaml.Node, of: str) -> Found:
    try:
        with warnings.catch_warnings(action="error"):
            re.compile(node.value)
    except (re.error, OverflowError, FutureWarning) as error:
        yield node, f"{of} is no regular expression: {error}"
    except RecursionError:
        yield node, f"{of} is no regular expression: it is nested too deeply"


def _command(node: yaml.Node, of: str) -> Found:
    try:
        parts = shlex.split(node.value)
    except ValueError as error:
        yield node, f"{of} cannot be taken apart: {error}; write a list"
        return
    if not parts:
        yield node, f"{of} must name a program, such as node server.js"


def _warn_fail(node: yaml.Node, of: str) -> Found:
    limits = [in_seconds(item.value) for item in node.value if isinstance(item, yaml.ScalarNode)]
    match limits:
        case [float(warn), float(fail)] if warn > fail:
            yield node, f"{of} must be [warn, fail] with warn not above fail, such as [2s, 4s]"


def _turns(node: yaml.Node, _of: str) -> Found:
    """Find turns without a verb behind the first; whoever has misspelt one is told so elsewhere."""
    for turn in node.value[1:]:
        if isinstance(turn, yaml.MappingNode) and entries(turn).keys() <= WITHOUT_VERB:
            yield (
                turn,
                f"only the first turn (the greeting) can be without a verb: use one of {', '.join(VERBS)}",
            )


FORMATS: Final[dict[str, Callable[[yaml.Node, str], Found]]] = {
    "regex": _regex,
    "command": _command,
    "warn-fail": _warn_fail,
    "turns": _turns,
}
