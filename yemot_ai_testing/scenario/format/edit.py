"""New texts in a file of calls; every other byte stays what it was.

>>> edit = Edit(("scenarios", 0, "turns", 0, "hears"), "שלום", "ברוכים הבאים")
>>> Source("scenarios: [{name: א, turns: [{hears: שלום}]}]  # one").with_edits([edit])
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

from yemot_ai_testing.scenario.format.yaml_nodes import LITERALS, NULL, Mistakes, composed

__all__ = ["Edit", "NotRewritableError", "Part", "Source"]

Part: TypeAlias = tuple[str | int, ...]

BARE = re.compile(r"[^\W\d_](?:[\w .?!()/*׳״'\"-]*[\w.?!)])?")
"""What needs no quotes, within brackets neither: a letter first, and no sign that YAML could read."""

FIELD = re.compile(r"\w[\w.]*")

ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


class NotRewritableError(ValueError):
    """A value cannot be rewritten on its own; the message says why."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A text in the place of another.

    Attributes:
        part: the way to it: keys of mappings, numbers of list items.
        old: the text that stands there; None for null.
        new: the text that shall stand there; None for null.
    """

    part: Part
    old: str | None
    new: str | None


class Source:
    """The text of a file, and where its parts stand.

    Args:
        text: YAML that the loader accepts.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        # A mark at the beginning is no character to the parser.
        self._shift = len(text) - len(text.removeprefix("\ufeff"))
        root = composed(text.removeprefix("\ufeff"), Mistakes(Path()))
        if root is None:
            raise NotRewritableError("the file is empty")
        self._root = root
        self._times = Counter(id(node) for node in _nodes(root, set()))

    def has(self, part: Part) -> bool:
        """Tell whether there is such a part."""
        return self._found(part) is not None

    def line(self, part: Part) -> int:
        """Return the line, from 1, on which a part begins."""
        return int(self._scalar(part).start_mark.line) + 1

    def check(self, edit: Edit) -> None:
        """Check that an edit can be made.

        Raises:
            NotRewritableError: it would change something else too, or something else stands there.
        """
        node = self._scalar(edit.part)
        if self.text[self._shift + node.start_mark.index] in "&!":
            raise NotRewritableError("it has an anchor or a tag, which others may rely on")
        if any(self._times[id(each)] > 1 for each in self._way(edit.part)):
            raise NotRewritableError("it stands in several places (an alias)")
        if edit.old != (None if node.tag == NULL else node.value):
            raise NotRewritableError("the file has changed since it was read")

    def with_edits(self, edits: Iterable[Edit]) -> str:
        """Return the text with all ``edits`` made.

        Raises:
            NotRewritableError: one of them cannot be made.
        """
        text = self.text
        for node, edit in sorted(
            ((self._scalar(edit.part), edit) for edit in edits),
            key=lambda pair: pair[0].start_mark.index,
            reverse=True,
        ):
            self.check(edit)
            begin, end = (self._shift + mark.index for mark in (node.start_mark, node.end_mark))
            # The end of a block is where the next thing begins; the lines between stay.
            kept = text[begin:end][len(text[begin:end].rstrip()) :]
            text = text[:begin] + _written(edit, node.style or "") + kept + text[end:]
        return text

    def _scalar(self, part: Part) -> yaml.ScalarNode:
        found = self._found(part)
        if not isinstance(found, yaml.ScalarNode):
            raise NotRewritableError("there is no single text to be rewritten")
        return found

    def _found(self, part: Part) -> yaml.Node | None:
        *_, last = self._way(part)
        return last

    def _way(self, part: Part) -> list[yaml.Node | None]:
        way: list[yaml.Node | None] = [self._root]
        for step in part:
            way.append(_inside(way[-1], step))
        return way


def _inside(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
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


def _written(edit: Edit, style: str) -> str:
    """Return the new text as YAML, in the ``style`` of what it replaces where that can hold it."""
    text = edit.new
    if text is None:
        return "null"
    if style == "" and _needs_no_quotes(text, edit.part):
        return text
    if style == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, text)) + '"'


def _needs_no_quotes(text: str, part: Part) -> bool:
    if "read" in part[-2:]:  # a field, which is a number or true as often as a text
        return FIELD.fullmatch(text) is not None
    return BARE.fullmatch(text) is not None and text not in LITERALS


def _escaped(sign: str) -> str:
    if sign in ESCAPED or sign.isprintable():
        return ESCAPED.get(sign, sign)
    return f"\\U{ord(sign):08x}"
