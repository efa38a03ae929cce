"""Findings for a person: plain lines anywhere, a table where Rich and a terminal are."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from yemot_ai.protocol import Problem
from yemot_ai.protocol.explain import printable
from yemot_ai_testing.cli.sources import SourcedResponse

__all__ = ["LintResult", "print_table", "print_text", "results_to_json", "text_lines", "to_json"]

_CONTEXT: Final = 30
_MAX_PROBLEMS: Final = 20


@dataclass(frozen=True, slots=True)
class LintResult:
    """An answer, and what is wrong or doubtful in it.

    Attributes:
        response: the answer.
        problems: by position.
    """

    response: SourcedResponse
    problems: Sequence[Problem]

    @property
    def valid(self) -> bool:
        """Whether the line would understand it."""
        return all(problem.level != "error" for problem in self.problems)

    @property
    def overflow_note(self) -> str:
        """That there are more problems than a person wants to read, or nothing."""
        surplus = len(self.problems) - _MAX_PROBLEMS
        return f"… and {surplus} more; --json tells them all" if surplus > 0 else ""

    def excerpt(self, problem: Problem) -> str:
        """The character at fault between ``>>`` and ``<<``, and what stands around it.

        A caret on a line of its own would point elsewhere, for Hebrew is shown from right to left.
        """
        text, at = self.response.text, problem.position
        before, after = text[max(at - _CONTEXT, 0) : at], text[at + 1 : at + 1 + _CONTEXT]
        cut = "…" if at > _CONTEXT else ""
        rest = "…" if len(text) > at + 1 + _CONTEXT else ""
        return f"{cut}{printable(before)}>>{printable(text[at : at + 1])}<<{printable(after)}{rest}"


def text_lines(result: LintResult) -> Iterator[str]:
    """The lines that tell of one answer."""
    yield printable(result.response.text)
    for one in result.problems[:_MAX_PROBLEMS]:
        yield f"  {one.level:<7}  {one.position:>4}  {one.code}: {printable(one.message, 300)} {one.source}"
        yield f"                 {result.excerpt(one)}"
    if result.overflow_note:
        yield f"  {result.overflow_note}"
    if not result.problems:
        yield "  ok"


def to_json(data: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    """A JSON document; halves of characters, which no encoding has, are escaped."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(data, indent=2)
    return text


def results_to_json(results: Sequence[LintResult]) -> str:
    """All findings as one document with stable keys."""
    answers = [
        {
            "text": one.response.text,
            "source": one.response.source,
            "valid": one.valid,
            "problems": [asdict(problem) for problem in one.problems],
        }
        for one in results
    ]
    levels = [problem.level for one in results for problem in one.problems]
    return to_json({"answers": answers, "errors": levels.count("error"), "warnings": levels.count("warning")})


def print_text(line: str) -> None:
    """Print a line, whatever the terminal's encoding has of it."""
    encoding = sys.stdout.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding))  # noqa: T201 - a command line prints


def print_table(results: Sequence[LintResult]) -> bool:
    """Print a table if Rich is installed and standard output is a terminal.

    Returns:
        Whether it was printed.
    """
    if not sys.stdout.isatty():
        return False
    try:
        from rich.console import Console  # noqa: PLC0415 - it may not be installed
        from rich.markup import escape  # noqa: PLC0415 - as above
        from rich.table import Table  # noqa: PLC0415 - as above
    except ModuleNotFoundError:
        return False
    console = Console()
    for finding in results:
        console.print(printable(finding.response.text), style="bold", markup=False, highlight=False)
        if not finding.problems:
            console.print("  ok", style="green")
            continue
        table = Table(
            "level", "at", "code", "what, and the way out", "source", caption=finding.overflow_note or None
        )
        for one in finding.problems[:_MAX_PROBLEMS]:
            style = "red" if one.level == "error" else "yellow"
            told = f"{printable(one.message, 300)}\n{finding.excerpt(one)}"
            cells = (one.level, str(one.position), one.code, told, one.source)
            table.add_row(*map(escape, cells), style=style)
        console.print(table)
    return True
