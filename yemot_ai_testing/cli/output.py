"""Findings for a person: plain lines anywhere, a table where Rich and a terminal are."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from yemot_ai.protocol import Problem
from yemot_ai.protocol.explain import printable
from yemot_ai_testing.cli.sources import Found

__all__ = ["Finding", "as_json", "findings_as_json", "plain", "print_table", "print_text"]

_BESIDE: Final = 30
_MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer, and what is wrong or doubtful in it.

    Attributes:
        found: the answer.
        problems: by position.
    """

    found: Found
    problems: Sequence[Problem]

    @property
    def valid(self) -> bool:
        """Whether the line would understand it."""
        return all(problem.level != "error" for problem in self.problems)

    @property
    def more(self) -> str:
        """That there are more problems than a person wants to read, or nothing."""
        surplus = len(self.problems) - _MOST
        return f"… and {surplus} more; --json tells them all" if surplus > 0 else ""

    def place(self, problem: Problem) -> str:
        """The character at fault between ``>>`` and ``<<``, and what stands around it.

        A caret on a line of its own would point elsewhere, for Hebrew is shown from right to left.
        """
        text, at = self.found.text, problem.position
        before, after = text[max(at - _BESIDE, 0) : at], text[at + 1 : at + 1 + _BESIDE]
        cut = "…" if at > _BESIDE else ""
        rest = "…" if len(text) > at + 1 + _BESIDE else ""
        return f"{cut}{printable(before)}>>{printable(text[at : at + 1])}<<{printable(after)}{rest}"


def plain(finding: Finding) -> Iterator[str]:
    """The lines that tell of one answer."""
    yield printable(finding.found.text)
    for one in finding.problems[:_MOST]:
        yield f"  {one.level:<7}  {one.position:>4}  {one.code}: {printable(one.message, 300)} {one.source}"
        yield f"                 {finding.place(one)}"
    if finding.more:
        yield f"  {finding.more}"
    if not finding.problems:
        yield "  ok"


def as_json(data: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    """A JSON document; halves of characters, which no encoding has, are escaped."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(data, indent=2)
    return text


def findings_as_json(findings: Sequence[Finding]) -> str:
    """All findings as one document with stable keys."""
    answers = [
        {
            "text": one.found.text,
            "source": one.found.source,
            "valid": one.valid,
            "problems": [asdict(problem) for problem in one.problems],
        }
        for one in findings
    ]
    levels = [problem.level for one in findings for problem in one.problems]
    return as_json({"answers": answers, "errors": levels.count("error"), "warnings": levels.count("warning")})


def print_text(line: str) -> None:
    """Print a line, whatever the terminal's encoding has of it."""
    encoding = sys.stdout.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding))  # noqa: T201 - a command line prints


def print_table(findings: Sequence[Finding]) -> bool:
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
    for finding in findings:
        console.print(printable(finding.found.text), style="bold", markup=False, highlight=False)
        if not finding.problems:
            console.print("  ok", style="green")
            continue
        table = Table("level", "at", "code", "what, and the way out", "source", caption=finding.more or None)
        for one in finding.problems[:_MOST]:
            style = "red" if one.level == "error" else "yellow"
            told = f"{printable(one.message, 300)}\n{finding.place(one)}"
            cells = (one.level, str(one.position), one.code, told, one.source)
            table.add_row(*map(escape, cells), style=style)
        console.print(table)
    return True
