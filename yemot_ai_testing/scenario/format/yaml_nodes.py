"""YAML as a person means it: every scalar a string, every mistake with its place, all mistakes at once.

PyYAML's own loaders turn ``0501234567`` into 84228471, ``12:30`` into 750 and ``no`` into False; here
only ``true``, ``false`` and ``null`` are anything but text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.scenario.format.bounds import find_excess
from yemot_ai_testing.scenario.format.model import SourceLocation

__all__ = [
    "BOOL",
    "LITERALS",
    "NULL",
    "STR",
    "Problems",
    "comma_separated",
    "compose",
    "describe",
    "mapping_values",
    "suggestion",
    "text_list",
]

BOOL = "tag:yaml.org,2002:bool"
NULL = "tag:yaml.org,2002:null"
STR = "tag:yaml.org,2002:str"

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LITERALS = {"true": BOOL, "false": BOOL, "null": NULL, "~": NULL, "": NULL}


class _Loader(_Base):  # type: ignore[misc]  # the C loader exists only where libyaml does
    """Resolves nothing but ``true``, ``false`` and ``null``."""

    yaml_implicit_resolvers: Mapping[str, Any] = {}

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> str:  # noqa: ANN401 - PyYAML's own signature
        """Return the tag of a node."""
        if kind is yaml.ScalarNode and implicit[0]:
            return LITERALS.get(value or "", STR)
        return str(super().resolve(kind, value, implicit))


class Problems:
    """Everything that is wrong with one file.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._problems: list[tuple[int, int, str]] = []

    def add(self, node: yaml.Node | yaml.Mark, message: str) -> None:
        """Note that ``message`` holds where ``node`` begins."""
        mark = node if isinstance(node, yaml.Mark) else node.start_mark
        self._problems.append((mark.line + 1, mark.column + 1, message))

    def add_at(self, line: int, column: int, message: str) -> None:
        """Note a mistake at a line and a column, counted from 1."""
        self._problems.append((line, column, message))

    @property
    def count(self) -> int:
        """How many there are so far."""
        return len(self._problems)

    def location(self, node: yaml.Node) -> SourceLocation:
        """Return where ``node`` begins."""
        return SourceLocation(self.path, node.start_mark.line + 1, node.start_mark.column + 1)

    def raise_if_any(self) -> None:
        """Raise all mistakes in the order of the file.

        Raises:
            ScenarioLoadError: there are some.
        """
        if self._problems:
            raise ScenarioLoadError(
                [f"{self.path}:{line}:{column}: {text}" for line, column, text in sorted(self._problems)]
            )


def mapping_values(node: yaml.Node | None) -> dict[str, yaml.Node]:
    """Return what a mapping holds; of anything else, nothing."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def text_list(node: yaml.Node | None) -> tuple[str, ...]:
    """Return a text, or a list of texts; nothing of nothing."""
    if node is None:
        return ()
    return tuple(item.value for item in node.value) if isinstance(node, yaml.SequenceNode) else (node.value,)


def compose(text: str, problems: Problems) -> yaml.Node | None:
    """Return the tree of ``text``, or None when it is empty.

    Raises:
        ScenarioLoadError: it is not YAML.
    """
    circle = None
    with _yaml_errors_as_problems(text, problems):
        too_much = find_excess(yaml.parse(text, Loader=_Loader))
        if too_much is not None:
            problems.add_at(*too_much)
            problems.raise_if_any()
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
        if not isinstance(node, yaml.Node):
            return None
        circle = _find_cycle(node, frozenset(), set())
    if circle is not None:
        problems.add(circle, "this part holds itself: an alias (*name) stands within what it names (&name)")
        problems.raise_if_any()
    return node


def describe(node: yaml.Node) -> str:
    """Return what ``node`` is, in words."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if node.tag == NULL:
        return "nothing"
    return repr(node.value)


def _find_cycle(node: yaml.Node, within: frozenset[int], sound: set[int]) -> yaml.Node | None:
    """Return a node that holds itself, if there is one.

    Args:
        node: where to look.
        within: the nodes around it.
        sound: nodes that were looked through before; a node that many aliases name is looked through once.
    """
    if id(node) in within:
        return node
    if isinstance(node.value, str) or id(node) in sound:
        return None
    parts = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
    found = (_find_cycle(part, within | {id(node)}, sound) for part in parts)
    circle = next((one for one in found if one is not None), None)
    sound.add(id(node))
    return circle


@contextmanager
def _yaml_errors_as_problems(text: str, problems: Problems) -> Iterator[None]:
    try:
        yield
    except UnicodeEncodeError as error:
        before = text[: error.start]
        column = error.start - before.rfind("\n")
        problems.add_at(
            before.count("\n") + 1, column, "this is half of a character: a surrogate without its pair"
        )
        problems.raise_if_any()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = mark.line if mark else 0
        column = mark.column if mark else 0
        problems.add_at(line + 1, column + 1, _error_text(error, text, line, column))
        problems.raise_if_any()


def _error_text(error: yaml.YAMLError, text: str, line: int, column: int) -> str:
    lines = text.splitlines()
    rest = lines[line][column:] if line < len(lines) else ""
    before = lines[line][:column].rstrip() if line < len(lines) else ""
    if rest.startswith("*") or before.endswith("*"):
        return 'a bare * means something else in YAML: quote the key, presses: "*"'
    if rest.startswith("\t"):
        return "a tab cannot indent in YAML: write spaces"
    return f"this is not YAML: {getattr(error, 'problem', None) or error}"


def suggestion(name: str, words: Mapping[str, Any] | Sequence[str]) -> str:
    """Return which of ``words`` may have been meant by ``name``, as an aside."""
    close = get_close_matches(name, list(words), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def comma_separated(words: Mapping[str, Any] | Sequence[str]) -> str:
    """Return ``words`` one after the other."""
    return ", ".join(words)
