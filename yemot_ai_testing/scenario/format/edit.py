"""New texts in a file of calls; every other byte stays what it was.

>>> edit = Edit(("scenarios", 0, "turns", 0, "hears"), "שלום", "ברוכים הבאים")
>>> EditableYaml("scenarios: [{name: א, turns: [{hears: שלום}]}]  # one").apply_edits([edit])
'scenarios: [{name: א, turns: [{hears: ברוכים הבאים}]}]  # one'
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from yemot_ai_testing.scenario.format.yaml_nodes import LITERALS, NULL, Problems, compose

__all__ = ["Edit", "EditableYaml", "NotRewritableError", "YamlPath"]

YamlPath: TypeAlias = tuple[str | int, ...]

UNQUOTED = re.compile(r"[^\W\d_](?:[\w .?!()/*׳״'\"-]*[\w.?!)])?")
"""What needs no quotes, within brackets neither: a letter first, and no sign that YAML could read."""

UNQUOTED_FIELD = re.compile(r"\w[\w.]*")

ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


class NotRewritableError(ValueError):
    """A value cannot be rewritten on its own; the message says why."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A text in the place of another.

    Attributes:
        path: the way to it: keys of mappings, numbers of list items.
        old: the text that stands there; None for null.
        new: the text that shall stand there; None for null.
    """

    path: YamlPath
    old: str | None
    new: str | None


class EditableYaml:
    """The text of a file, and where its parts stand.

    Args:
        text: YAML that the loader accepts.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        # A mark at the beginning is no character to the parser.
        self._bom_length = len(text) - len(text.removeprefix("\ufeff"))
        root = compose(text.removeprefix("\ufeff"), Problems(Path()))
        if root is None:
            raise NotRewritableError("the file is empty")
        self._root = root
        self._reference_counts = Counter(id(node) for node in _nodes(root, set()))

    def has(self, path: YamlPath) -> bool:
        """Tell whether there is such a part."""
        return self._find(path) is not None

    def line(self, path: YamlPath) -> int:
        """Return the line, from 1, on which a part begins."""
        return int(self._scalar(path).start_mark.line) + 1

    def check(self, edit: Edit) -> None:
        """Check that an edit can be made.

        Raises:
            NotRewritableError: it would change something else too, or something else stands there.
        """
        node = self._scalar(edit.path)
        if self.text[self._bom_length + node.start_mark.index] in "&!":
            raise NotRewritableError("it has an anchor or a tag, which others may rely on")
        if any(self._reference_counts[id(each)] > 1 for each in self._nodes_along(edit.path)):
            raise NotRewritableError("it stands in several places (an alias)")
        if edit.old != (None if node.tag == NULL else node.value):
            raise NotRewritableError("the file has changed since it was read")

    def apply_edits(self, edits: Iterable[Edit]) -> str:
        """Return the text with all ``edits`` made.

        Raises:
            NotRewritableError: one of them cannot be made.
        """
        text = self.text
        for node, edit in sorted(
            ((self._scalar(edit.path), edit) for edit in edits),
            key=lambda pair: pair[0].start_mark.index,
            reverse=True,
        ):
            self.check(edit)
            begin, end = (self._bom_length + mark.index for mark in (node.start_mark, node.end_mark))
            # The end of a block is where the next thing begins; the lines between stay.
            kept = text[begin:end][len(text[begin:end].rstrip()) :]
            text = text[:begin] + _render(edit, node.style or "") + kept + text[end:]
        return text

    def _scalar(self, part: YamlPath) -> yaml.ScalarNode:
        found = self._find(part)
        if not isinstance(found, yaml.ScalarNode):
            raise NotRewritableError("there is no single text to be rewritten")
        return found

    def _find(self, part: YamlPath) -> yaml.Node | None:
        *_, last = self._nodes_along(part)
        return last

    def _nodes_along(self, part: YamlPath) -> list[yaml.Node | None]:
        way: list[yaml.Node | None] = [self._root]
        for step in part:
            way.append(_child(way[-1], step))
        return way


def _child(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        items: list[yaml.Node] = node.value
        return items[step] if step < len(items) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    return None


def _nodes(node: yaml.Node, seen: set[int]) -> Iterator[yaml.Node]:
    """Yield every node as often as it is referred to."""
    yield node
    if isinstance(node.value, str) or id(node) in seen:
        return
    seen.add(id(node))
    for item in node.value:
        for part in item if isinstance(item, tuple) else (item,):
            yield from _nodes(part, seen)


def _render(edit: Edit, style: str) -> str:
    """Return the new text as YAML, in the ``style`` of what it replaces where that can hold it."""
    text = edit.new
    if text is None:
        return "null"
    if style == "" and _needs_no_quotes(text, edit.path):
        return text
    if style == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escape, text)) + '"'


def _needs_no_quotes(text: str, part: YamlPath) -> bool:
    if "read" in part[-2:]:  # a field, which is a number or true as often as a text
        return UNQUOTED_FIELD.fullmatch(text) is not None
    return UNQUOTED.fullmatch(text) is not None and text not in LITERALS


def _escape(sign: str) -> str:
    if sign in ESCAPES or sign.isprintable():
        return ESCAPES.get(sign, sign)
    return f"\\U{ord(sign):08x}"
