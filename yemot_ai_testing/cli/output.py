"""Prints lint results: as plain lines, as a Rich table on a terminal, as JSON."""

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
    """A response with its errors and warnings.

    Attributes:
        response: the response.
        problems: ordered by position.
    """

    response: SourcedResponse
    problems: Sequence[Problem]

    @property
    def valid(self) -> bool:
        """Whether there are no errors."""
        return all(problem.level != "error" for problem in self.problems)

    @property
    def overflow_note(self) -> str:
        """A note on problems that are not printed; empty if all are."""
        surplus = len(self.problems) - _MAX_PROBLEMS
        return f"… and {surplus} more; --json prints all" if surplus > 0 else ""

    def excerpt(self, problem: Problem) -> str:
        """Return the text around a problem, with its character between ``>>`` and ``<<``.

        A caret on the next line would point to the wrong place, because Hebrew is shown from right to left.
        """
        text, at = self.response.text, problem.position
        before, after = text[max(at - _CONTEXT, 0) : at], text[at + 1 : at + 1 + _CONTEXT]
        prefix = "…" if at > _CONTEXT else ""
        suffix = "…" if len(text) > at + 1 + _CONTEXT else ""
        return f"{prefix}{printable(before)}>>{printable(text[at : at + 1])}<<{printable(after)}{suffix}"


def text_lines(result: LintResult) -> Iterator[str]:
    """Yield the lines to print for one response."""
    yield printable(result.response.text)
    for problem in result.problems[:_MAX_PROBLEMS]:
        message = f"{printable(problem.message, 300)} {problem.source}"
        yield f"  {problem.level:<7}  {problem.position:>4}  {problem.code}: {message}"
        yield f"                 {result.excerpt(problem)}"
    if result.overflow_note:
        yield f"  {result.overflow_note}"
    if not result.problems:
        yield "  ok"


def to_json(data: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a JSON document; it is all ASCII if the encoding of standard output lacks a character of it."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(data, indent=2)
    return text


def results_to_json(results: Sequence[LintResult]) -> str:
    """Return all results as one JSON document with stable keys."""
    answers = [
        {
            "text": result.response.text,
            "source": result.response.source,
            "valid": result.valid,
            "problems": [asdict(problem) for problem in result.problems],
        }
        for result in results
    ]
    levels = [problem.level for result in results for problem in result.problems]
    return to_json({"answers": answers, "errors": levels.count("error"), "warnings": levels.count("warning")})


def print_text(line: str) -> None:
    """Print a line; characters that the encoding of the terminal lacks are escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding))  # noqa: T201 - a command line prints


def print_table(results: Sequence[LintResult]) -> bool:
    """Print a table if Rich is installed and standard output is a terminal.

    Returns:
        Whether the table was printed.
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
    for result in results:
        console.print(printable(result.response.text), style="bold", markup=False, highlight=False)
        if not result.problems:
            console.print("  ok", style="green")
            continue
        table = Table("level", "at", "code", "problem", "source", caption=result.overflow_note or None)
        for problem in result.problems[:_MAX_PROBLEMS]:
            style = "red" if problem.level == "error" else "yellow"
            message = f"{printable(problem.message, 300)}\n{result.excerpt(problem)}"
            cells = (problem.level, str(problem.position), problem.code, message, problem.source)
            table.add_row(*map(escape, cells), style=style)
        console.print(table)
    return True
