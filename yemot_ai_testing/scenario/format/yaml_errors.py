"""Explain why a text is not YAML, and where: most often a text has to be quoted.

libyaml names what its grammar expected, at the place where it gave up. This module names the mistake, at the
place where it was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import yaml

__all__ = ["MAX_DEPTH", "TOO_DEEP", "explain_yaml_error"]

MAX_DEPTH: Final = 100
"""Levels of lists and mappings; a scenario file has about ten."""

TOO_DEEP: Final = f"this is nested too deeply: at most {MAX_DEPTH} levels are allowed"

_ENTRY: Final = re.compile(r"(?P<before>.*?(?P<key>\w+):\s+)(?P<value>\S.*?)\s*")
"""A key and what is written after it in the same line."""

_UNQUOTED_STARTS: Final = "-?!&|>}],%@`"
_CLOSE_QUOTE: Final = "write the same quote after the text"

_AFTER_A_TEXT: Final = re.compile(r"\s*([,\]}#]|$)")
"""What may be written after the quote at the end of a text."""

_COLON: Final = "mapping values are not allowed"


@dataclass(frozen=True, slots=True)
class _Place:
    """A position and its line.

    Attributes:
        line: the number of the line, from 0.
        column: the number of the character, from 0.
        written: the line.
    """

    line: int
    column: int
    written: str

    @property
    def before(self) -> str:
        """What is written before the position, without spaces at its end."""
        return self.written[: self.column].rstrip()

    @property
    def rest(self) -> str:
        """What is written from the position on."""
        return self.written[self.column :]

    @property
    def entry(self) -> re.Match[str] | None:
        """The key and the value of the line; None if it has not both."""
        return _ENTRY.fullmatch(self.written)


def explain_yaml_error(error: yaml.YAMLError, text: str) -> tuple[yaml.Mark | None, str]:
    """Return where a mistake was made, and what to write instead.

    Args:
        error: the error of PyYAML.
        text: the text of the file.
    """
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem, begin = str(getattr(error, "problem", None) or error), getattr(error, "context_mark", None)
    if "maximum nesting depth" in problem:  # libyaml's own limit, which its lookahead can reach first
        return mark, TOO_DEEP
    if mark is None:
        return None, f"this is not YAML: {problem}"
    lines = text.splitlines()
    place = _Place(mark.line, mark.column, lines[mark.line] if mark.line < len(lines) else "")
    quoted = _swallowing_quote(text)
    if quoted is not None:
        end = quoted.end_mark.line + 1
        return quoted.start_mark, f"this quote has no end in its line, only in line {end}: {_CLOSE_QUOTE}"
    if begin is not None:
        is_later = begin.line < mark.line
        unclosed = _unclosed(problem, place, str(getattr(error, "context", "")), is_later=is_later)
        if unclosed:
            return begin, unclosed
    return mark, _explain(problem, place) or f"this is not YAML: {problem}"


def _swallowing_quote(text: str) -> yaml.ScalarToken | None:
    """Return the first text that ends at the opening quote of a later line's text; None without one."""
    lines = text.splitlines()
    for token in _tokens(text):
        if isinstance(token, yaml.ScalarToken) and token.style in {'"', "'"}:
            end = token.end_mark
            is_whole = token.start_mark.line == end.line or _AFTER_A_TEXT.match(lines[end.line][end.column :])
            if not is_whole:
                return token
    return None


def _tokens(text: str) -> Iterator[yaml.Token]:
    """Yield the tokens before the mistake."""
    try:
        yield from yaml.scan(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return


def _unclosed(problem: str, place: _Place, context: str, *, is_later: bool) -> str:
    """Return what has no end; empty if that is not the mistake.

    Args:
        problem: what libyaml says.
        place: where it gave up.
        context: what it was reading.
        is_later: whether that began in an earlier line.
    """
    if "quoted scalar" in context and "end of" in problem:
        return f"this quote has no end: {_CLOSE_QUOTE}"
    is_flow = "flow sequence" in context or "flow mapping" in context
    if is_flow and (is_later or not place.rest.startswith(":")):
        begin, end = "[]" if "flow sequence" in context else "{}"
        return f"this {begin} has no end: write {end}, or quote the text that it begins"
    return ""


def _explain(problem: str, place: _Place) -> str:
    """Return the first explanation that fits; empty if none does."""
    return next(_explanations(problem, place), "")


def _explanations(problem: str, place: _Place) -> Iterator[str]:
    before, rest = place.before, place.rest
    first = place.entry["value"][0] if place.entry is not None else ""
    if rest.startswith("*") or before.endswith("*"):
        yield 'a bare * means something else in YAML: quote the key, presses: "*"'
    if rest.startswith("\t"):
        yield "a tab cannot indent in YAML: write spaces"
    if "unknown escape" in problem:
        yield "a \\ in double quotes begins an escape: put single quotes around the text"
    if before.endswith(('"', "'")):
        yield "the text ended at the quote before this: put the other kind of quotes around the text"
    if rest.startswith(":") and (":" in before or _COLON not in problem):
        yield f"a colon with a space after it begins a value in YAML: quote the text{_example(place)}"
    if first and first in _UNQUOTED_STARTS:
        yield f"a text cannot begin with {first} in YAML: quote the text{_example(place)}"
    if rest.startswith(("]", "}")):
        yield f"this {rest[0]} closes nothing: leave it out, or quote the text"
    if _COLON in problem or "did not find expected" in problem or "block end" in problem:
        yield "this line does not fit the lines before it: check its indentation"


def _example(place: _Place) -> str:
    """Return the line as it should be; empty if that is not known."""
    entry = place.entry
    if entry is None or re.search(r'["{\[]', entry["before"] + entry["value"]):
        return ""
    return f', {entry["key"]}: "{entry["value"]}"'
