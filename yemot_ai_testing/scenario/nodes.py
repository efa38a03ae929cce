"""YAML as a person means it: every scalar a string, every mistake with its place, all mistakes at once.

PyYAML's own loaders turn ``0501234567`` into 84228471, ``12:30`` into 750 and ``no`` into False; here
only ``true``, ``false`` and ``null`` are anything but text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml

from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.scenario.model import Place

__all__ = ["MISSING", "Mistakes", "Reader", "composed", "described"]

T = TypeVar("T")
Reader = Callable[[yaml.Node], Any]

BOOL = "tag:yaml.org,2002:bool"
NULL = "tag:yaml.org,2002:null"
COUNT = re.compile("[0-9]{1,9}")
STR = "tag:yaml.org,2002:str"
MISSING = object()

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


class Mistakes:
    """Everything that is wrong with one file.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: list[tuple[int, int, str]] = []

    def add(self, node: yaml.Node | yaml.Mark, message: str) -> None:
        """Note that ``message`` holds where ``node`` begins."""
        mark = node if isinstance(node, yaml.Mark) else node.start_mark
        self._found.append((mark.line + 1, mark.column + 1, message))

    def add_at(self, line: int, column: int, message: str) -> None:
        """Note a mistake at a line and a column, counted from 1."""
        self._found.append((line, column, message))

    @property
    def count(self) -> int:
        """How many there are so far."""
        return len(self._found)

    def place(self, node: yaml.Node) -> Place:
        """Return where ``node`` begins."""
        return Place(self.path, node.start_mark.line + 1, node.start_mark.column + 1)

    def raise_if_any(self) -> None:
        """Raise all mistakes in the order of the file.

        Raises:
            ScenarioLoadError: there are some.
        """
        if self._found:
            raise ScenarioLoadError(
                [f"{self.path}:{line}:{column}: {text}" for line, column, text in sorted(self._found)]
            )

    # -- reading

    def mapping(self, node: yaml.Node, readers: Mapping[str, Reader], *, of: str) -> dict[str, Any]:
        """Read a mapping whose keys are known.

        Args:
            node: the node.
            readers: what reads the value of each allowed key.
            of: what the mapping describes, for messages.

        Returns:
            What the readers returned; keys that are wrong or absent are missing from it.
        """
        if not isinstance(node, yaml.MappingNode):
            self.add(node, f"{of} must be a mapping with {_listed(readers)}, not {described(node)}")
            return {}
        values: dict[str, Any] = {}
        seen: set[str] = set()
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if not isinstance(key, yaml.ScalarNode):
                self.add(key, f"a key of {of} must be a word, not {described(key)}")
            elif name in seen:
                self.add(key, f"{name!r} stands twice in {of}; the later would silently win")
            elif name not in readers:
                self.add(key, f"{of} has no {name!r}{_meant(name, readers)}; allowed: {_listed(readers)}")
            else:
                result = readers[name](value)
                if result is not MISSING:
                    values[name] = result
            seen.add(name)
        return values

    def text(self, node: yaml.Node, *, of: str) -> Any:  # noqa: ANN401 - a str or MISSING
        """Read a text."""
        if isinstance(node, yaml.ScalarNode) and node.tag == STR:
            return node.value
        self.add(node, f"{of} must be a text, not {described(node)}")
        return MISSING

    def texts(self, node: yaml.Node, *, of: str) -> Any:  # noqa: ANN401 - a tuple or MISSING
        """Read a text or a list of texts."""
        if not isinstance(node, yaml.SequenceNode):
            found = self.text(node, of=of)
            return found if found is MISSING else (found,)
        found = [self.text(item, of=f"each item of {of}") for item in node.value]
        return MISSING if MISSING in found else tuple(found)

    def truth(self, node: yaml.Node, *, of: str) -> Any:  # noqa: ANN401 - a bool or MISSING
        """Read ``true`` or ``false``."""
        if isinstance(node, yaml.ScalarNode) and node.tag == BOOL:
            return node.value == "true"
        self.add(node, f"{of} must be true or false, not {described(node)}")
        return MISSING

    def true(self, node: yaml.Node, *, of: str) -> Any:  # noqa: ANN401 - True or MISSING
        """Read ``true``, where ``false`` would say nothing."""
        found = self.truth(node, of=of)
        if found is False:
            self.add(node, f"{of} can only be true; leave it out otherwise")
            return MISSING
        return found

    def choice(self, node: yaml.Node, words: Sequence[str], *, of: str) -> Any:  # noqa: ANN401 - a word or MISSING
        """Read one of ``words``."""
        found = self.text(node, of=of)
        if found is not MISSING and found not in words:
            self.add(node, f"{of} cannot be {found!r}{_meant(found, words)}; allowed: {_listed(words)}")
            return MISSING
        return found

    def number(self, node: yaml.Node, *, of: str) -> Any:  # noqa: ANN401 - an int or MISSING
        """Read a count."""
        if isinstance(node, yaml.ScalarNode) and COUNT.fullmatch(node.value):
            return int(node.value)
        self.add(node, f"{of} must be a whole number, not {described(node)}")
        return MISSING

    def sequence(self, node: yaml.Node, *, of: str) -> Iterator[yaml.Node]:
        """Iterate over the items of a list."""
        if isinstance(node, yaml.SequenceNode):
            yield from node.value
        else:
            self.add(node, f"{of} must be a list, not {described(node)}")


def composed(text: str, mistakes: Mistakes) -> yaml.Node | None:
    """Return the tree of ``text``, or None when it is empty.

    Raises:
        ScenarioLoadError: it is not YAML.
    """
    circle = None
    with _explained(text, mistakes):
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
        if not isinstance(node, yaml.Node):
            return None
        circle = _circle(node, frozenset(), set())
    if circle is not None:
        mistakes.add(circle, "this part holds itself: an alias (*name) stands within what it names (&name)")
        mistakes.raise_if_any()
    return node


def described(node: yaml.Node) -> str:
    """Return what ``node`` is, in words."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if node.tag == NULL:
        return "nothing"
    return repr(node.value)


def _circle(node: yaml.Node, within: frozenset[int], sound: set[int]) -> yaml.Node | None:
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
    found = (_circle(part, within | {id(node)}, sound) for part in parts)
    circle = next((one for one in found if one is not None), None)
    sound.add(id(node))
    return circle


@contextmanager
def _explained(text: str, mistakes: Mistakes) -> Iterator[None]:
    try:
        yield
    except RecursionError:
        mistakes.add_at(1, 1, "this is nested more deeply than any call")
        mistakes.raise_if_any()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = mark.line if mark else 0
        column = mark.column if mark else 0
        mistakes.add_at(line + 1, column + 1, _reason(error, text, line, column))
        mistakes.raise_if_any()


def _reason(error: yaml.YAMLError, text: str, line: int, column: int) -> str:
    lines = text.splitlines()
    rest = lines[line][column:] if line < len(lines) else ""
    before = lines[line][:column].rstrip() if line < len(lines) else ""
    if rest.startswith("*") or before.endswith("*"):
        return 'a bare * means something else in YAML: quote the key, presses: "*"'
    return f"this is not YAML: {getattr(error, 'problem', None) or error}"


def _meant(name: str, words: Mapping[str, Any] | Sequence[str]) -> str:
    close = get_close_matches(name, list(words), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _listed(words: Mapping[str, Any] | Sequence[str]) -> str:
    return ", ".join(words)
