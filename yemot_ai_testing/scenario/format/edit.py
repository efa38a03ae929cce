"""Replace single texts of a scenario file and keep every other byte.

>>> edit = Edit(("scenarios", 0, "turns", 0, "hears"), "שלום", "ברוכים הבאים")
>>> EditableYaml("scenarios: [{name: א, turns: [{hears: שלום}]}]  # one").apply_edits([edit])
'scenarios: [{name: א, turns: [{hears: ברוכים הבאים}]}]  # one'
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from yemot_ai_testing.scenario.format.model import Edit, YamlPath
from yemot_ai_testing.scenario.format.yaml_nodes import (
    LITERALS,
    NULL,
    Problems,
    child_nodes,
    compose,
    mapping_values,
)

__all__ = ["EditableYaml", "NotRewritableError"]

UNQUOTED = re.compile(r"[^\W\d_](?:[\w .?!()/*׳״'\"-]*[\w.?!)])?")
"""Texts that need no quotes, also inside brackets: a letter first, no YAML indicator."""

UNQUOTED_FIELD = re.compile(r"\w[\w.]*")

ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


class NotRewritableError(ValueError):
    """A value cannot be replaced alone; the message says why."""


class EditableYaml:
    """The text of a scenario file with the positions of its nodes.

    Args:
        text: YAML that the loader accepts.

    Raises:
        NotRewritableError: if ``text`` is empty.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        # The parser does not count a byte order mark.
        self._bom_length = len(text) - len(text.removeprefix("\ufeff"))
        root = compose(text.removeprefix("\ufeff"), Problems(Path()))
        if root is None:
            raise NotRewritableError("the file is empty")
        self._root = root
        self._reference_counts = Counter(id(node) for node in _nodes(root, set()))

    def has(self, path: YamlPath) -> bool:
        """Return whether there is a node at ``path``."""
        return self._nodes_along(path)[-1] is not None

    def line(self, path: YamlPath) -> int:
        """Return the line, from 1, where the scalar at ``path`` begins."""
        return int(self._scalar(path).start_mark.line) + 1

    def check(self, edit: Edit) -> None:
        """Check that ``edit`` can be applied.

        Raises:
            NotRewritableError: if it would change another value too, or the present text is not ``edit.old``.
        """
        node = self._scalar(edit.path)
        if self.text[self._bom_length + node.start_mark.index] in "&!":
            raise NotRewritableError("it has an anchor or a tag, which other parts may use")
        if any(self._reference_counts[id(node)] > 1 for node in self._nodes_along(edit.path)):
            raise NotRewritableError("it is used in several places (an alias)")
        if edit.old != (None if node.tag == NULL else node.value):
            raise NotRewritableError("the file has changed since it was read")

    def apply_edits(self, edits: Iterable[Edit]) -> str:
        """Return the text with all ``edits`` applied.

        Raises:
            NotRewritableError: if one of them cannot be applied.
        """
        text = self.text
        for node, edit in sorted(
            ((self._scalar(edit.path), edit) for edit in edits),
            key=lambda pair: pair[0].start_mark.index,
            reverse=True,
        ):
            self.check(edit)
            begin, end = (self._bom_length + mark.index for mark in (node.start_mark, node.end_mark))
            # A block scalar ends where the next node begins; the lines between stay.
            trailing = text[begin:end][len(text[begin:end].rstrip()) :]
            text = text[:begin] + _render(edit, node.style or "") + trailing + text[end:]
        return text

    def _scalar(self, path: YamlPath) -> yaml.ScalarNode:
        node = self._nodes_along(path)[-1]
        if not isinstance(node, yaml.ScalarNode):
            raise NotRewritableError("there is no single text to replace")
        return node

    def _nodes_along(self, path: YamlPath) -> list[yaml.Node | None]:
        nodes: list[yaml.Node | None] = [self._root]
        for key in path:
            nodes.append(_child(nodes[-1], key))
        return nodes


def _child(node: yaml.Node | None, key: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
        items: list[yaml.Node] = node.value
        return items[key] if key < len(items) else None
    return mapping_values(node).get(str(key))


def _nodes(node: yaml.Node, seen: set[int]) -> Iterator[yaml.Node]:
    """Yield every node once for each reference to it."""
    yield node
    if id(node) not in seen:
        seen.add(id(node))
        for child in child_nodes(node):
            yield from _nodes(child, seen)


def _render(edit: Edit, style: str) -> str:
    """Return the new text as YAML, in the quoting style of the old text if possible."""
    text = edit.new
    if text is None:
        return "null"
    if style == "" and _needs_no_quotes(text, edit.path):
        return text
    if style == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escape, text)) + '"'


def _needs_no_quotes(text: str, path: YamlPath) -> bool:
    if "read" in path[-2:]:  # a field: often a number or true
        return UNQUOTED_FIELD.fullmatch(text) is not None
    return UNQUOTED.fullmatch(text) is not None and text not in LITERALS


def _escape(character: str) -> str:
    if character in ESCAPES or character.isprintable():
        return ESCAPES.get(character, character)
    return f"\\U{ord(character):08x}"
