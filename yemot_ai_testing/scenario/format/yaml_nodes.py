"""YAML nodes with their positions: scalars stay texts, problems are collected and raised together.

PyYAML's loaders turn ``0501234567`` into 84228471, ``12:30`` into 750 and ``no`` into False; here only
``true``, ``false`` and ``null`` are not texts.

Depth and size are limited. libyaml composes nodes by recursion in C, where deep nesting ends the process
instead of raising ``RecursionError``; and nested aliases can make a kilobyte of YAML larger than the memory.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import yaml

from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.scenario.format.model import SourceLocation
from yemot_ai_testing.scenario.format.yaml_errors import MAX_DEPTH, TOO_DEEP, explain_yaml_error

__all__ = [
    "BOOL",
    "LITERALS",
    "MAX_DEPTH",
    "NULL",
    "STR",
    "Problems",
    "allowed_words",
    "child_nodes",
    "compose",
    "describe",
    "json_value",
    "mapping_values",
    "plain_value",
]

BOOL = "tag:yaml.org,2002:bool"
NULL = "tag:yaml.org,2002:null"
STR = "tag:yaml.org,2002:str"

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LITERALS = {"true": BOOL, "false": BOOL, "null": NULL, "~": NULL, "": NULL}

_JSON_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,99})(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")
"""A number of JSON; a longer one is a text."""

FREE_ALIAS_NODES: Final = 10_000
MAX_ALIAS_FACTOR: Final = 10
"""Aliases may expand a text to this many times its events, plus ``FREE_ALIAS_NODES``."""


class _Loader(_Base):  # type: ignore[misc]  # the C loader exists only where libyaml does
    """Resolve only ``true``, ``false`` and ``null``."""

    yaml_implicit_resolvers: Mapping[str, Any] = {}

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> str:  # noqa: ANN401 - PyYAML's own signature
        """Return the tag of a node."""
        if kind is yaml.ScalarNode and implicit[0]:
            return LITERALS.get(value or "", STR)
        return str(super().resolve(kind, value, implicit))


class Problems:
    """The problems of one file, each with its line and column.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._problems: list[tuple[int, int, str]] = []

    def add(self, at: yaml.Node | yaml.Event | yaml.Mark | None, message: str) -> None:
        """Add a problem at the start of ``at``, or of the file."""
        start = at.start_mark if isinstance(at, yaml.Node | yaml.Event) else at
        line, column = (start.line, start.column) if start else (0, 0)
        self._problems.append((line + 1, column + 1, message))

    @property
    def count(self) -> int:
        """The number of problems so far."""
        return len(self._problems)

    def location(self, node: yaml.Node) -> SourceLocation:
        """Return the position where ``node`` begins."""
        return SourceLocation(self.path, node.start_mark.line + 1, node.start_mark.column + 1)

    def raise_if_any(self) -> None:
        """Raise all problems, in the order of the file.

        Raises:
            ScenarioLoadError: if there are any.
        """
        if self._problems:
            raise ScenarioLoadError(
                [f"{self.path}:{line}:{column}: {text}" for line, column, text in sorted(self._problems)]
            )


def mapping_values(node: yaml.Node | None) -> dict[str, yaml.Node]:
    """Return the values of a mapping by key; empty for any other node."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def plain_value(node: yaml.Node | None) -> Any:  # noqa: ANN401 - what a file can contain
    """Return a node as a dict, a tuple, a text, a bool or None, with all that it contains; None for None."""
    if isinstance(node, yaml.MappingNode):
        return {key: plain_value(value) for key, value in mapping_values(node).items()}
    if isinstance(node, yaml.SequenceNode):
        return tuple(map(plain_value, node.value))
    if node is None or node.tag == NULL:
        return None
    return node.value == "true" if node.tag == BOOL else node.value


def json_value(node: yaml.Node) -> Any:  # noqa: ANN401 - a value of JSON
    """Return a node as a value of JSON: an unquoted 7 is a number, ``0501234567`` and ``no`` are texts."""
    if isinstance(node, yaml.MappingNode):
        return {key: json_value(value) for key, value in mapping_values(node).items()}
    if isinstance(node, yaml.SequenceNode):
        return [json_value(item) for item in node.value]
    if isinstance(node, yaml.ScalarNode) and _is_plain(node) and _JSON_NUMBER.fullmatch(node.value):
        number = json.loads(node.value)
        return number if math.isfinite(number) else node.value
    return plain_value(node)


def _is_plain(node: yaml.ScalarNode) -> bool:
    return bool(node.tag == STR and not node.style)


def child_nodes(node: yaml.Node) -> list[yaml.Node]:
    """Return the items of a list, or the keys and values of a mapping; empty for a scalar."""
    if isinstance(node, yaml.ScalarNode):
        return []
    return [child for item in node.value for child in (item if isinstance(item, tuple) else (item,))]


def compose(text: str, problems: Problems) -> yaml.Node | None:
    """Return the root node of ``text``, or None if it is empty.

    Raises:
        ScenarioLoadError: if ``text`` is not YAML, too large or too deep, or if a node contains itself.
    """
    with _yaml_errors_as_problems(text, problems):
        cycle, excess, message = _find_excess(yaml.parse(text, Loader=_Loader))
        if excess is not None:
            problems.add(excess, message)
            problems.raise_if_any()
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    if cycle is not None:
        problems.add(
            cycle, "this part contains itself: an alias (*name) is inside the part that it names (&name)"
        )
        problems.raise_if_any()
    return node if isinstance(node, yaml.Node) else None


def describe(node: yaml.Node) -> str:
    """Describe ``node`` for an error message."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if node.tag == NULL:
        return "nothing"
    return repr(node.value)


def _find_excess(events: Iterable[yaml.Event]) -> tuple[yaml.Event | None, yaml.Event | None, str]:
    """Return the first part that contains itself, and the event that exceeds a limit with a message.

    Reading stops there.
    """
    total = 0
    cycle: yaml.Event | None = None
    sizes: dict[str | None, int] = {}
    open_collections: list[tuple[yaml.CollectionStartEvent, int]] = []
    for event_count, event in enumerate(events, start=1):
        if isinstance(event, yaml.CollectionStartEvent):
            open_collections.append((event, total))
            total += 1
            if len(open_collections) > MAX_DEPTH:
                return cycle, event, TOO_DEEP
        elif isinstance(event, yaml.CollectionEndEvent):
            start, total_before = open_collections.pop()
            sizes[start.anchor] = total - total_before
        elif isinstance(event, yaml.ScalarEvent):
            total += 1
            sizes[event.anchor] = 1
        elif isinstance(event, yaml.AliasEvent):
            total += sizes.get(event.anchor, 1)
            if total > MAX_ALIAS_FACTOR * event_count + FREE_ALIAS_NODES:
                excess = f"aliases expand this file to {total:,} parts: write fewer calls, or several files"
                return cycle, event, excess
            around = (start for start, _ in open_collections if start.anchor == event.anchor)
            cycle = cycle or next(around, None)
    return cycle, None, ""


@contextmanager
def _yaml_errors_as_problems(text: str, problems: Problems) -> Iterator[None]:
    try:
        yield
    except UnicodeEncodeError as error:
        before = text[: error.start]
        column = error.start - before.rfind("\n") - 1
        mark = yaml.Mark("", error.start, before.count("\n"), column, None, 0)
        problems.add(mark, "this is half of a character: a surrogate without its pair")
        problems.raise_if_any()
    except yaml.YAMLError as error:
        problems.add(*explain_yaml_error(error, text))
        problems.raise_if_any()


def allowed_words(name: str, words: Iterable[str]) -> str:
    """Return the end of a message about an unknown ``name``: the closest of ``words``, and all of them."""
    allowed = list(words)
    close = get_close_matches(name, allowed, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"{hint}; allowed: {', '.join(allowed)}"
