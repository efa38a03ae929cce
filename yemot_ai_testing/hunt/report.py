"""What a hunt has done and found: as text, and as data."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from yemot_ai.protocol.explain import printable
from yemot_ai_testing.history import Violation
from yemot_ai_testing.hunt.caller_path import CallerPath, path_text

__all__ = ["HuntReport", "SearchReport"]

HEADER: Final = ("machine", "from", "path", "examples", "calls", "seconds", "violation")
MAX_LINE: Final = 200
"""Characters of a line of a trace that are printed."""


@dataclass(frozen=True, slots=True)
class SearchReport:
    """One search.

    Attributes:
        machine: the kind of calls.
        extension: the extension that callers dialled.
        path: what they did until the agent listened.
        examples: the examples; each is an evening of calls.
        calls: the calls in them.
        seconds: how long it took.
        violation: what was found.
        file: the scenario of it.
        stopped: why the search could not continue; "" otherwise.
        url: the server, if it runs already.
    """

    machine: str
    extension: str
    path: CallerPath
    examples: int
    calls: int
    seconds: float
    violation: Violation | None = None
    file: Path | None = None
    stopped: str = ""
    url: str = ""

    @property
    def kind(self) -> str:
        """The kind of the violation; "" for none."""
        return "" if self.violation is None else self.violation.kind

    @property
    def replay(self) -> str:
        """The command that replays what was found; "" without a file."""
        if self.file is None:
            return ""
        words = [
            "pytest",
            "--yemot-scenario",
            str(self.file),
            *([f"--yemot-url={self.url}"] if self.url else []),
        ]
        return shlex.join(words)

    def cells(self) -> tuple[str, ...]:
        """Return its row of the table, under ``HEADER``."""
        found = "stopped" if self.stopped else "none"
        return (
            self.machine,
            f"/{self.extension}",
            path_text(self.path) or "-",
            str(self.examples),
            str(self.calls),
            f"{self.seconds:.1f}",
            self.kind or found,
        )

    def data(self) -> dict[str, Any]:
        """Return it as JSON data."""
        violation = self.violation and {
            "kind": self.violation.kind,
            "message": self.violation.message,
            "trace": list(self.violation.trace),
        }
        return {
            "machine": self.machine,
            "extension": self.extension,
            "path": path_text(self.path),
            "examples": self.examples,
            "calls": self.calls,
            "seconds": round(self.seconds, 1),
            "violation": violation,
            "file": None if self.file is None else str(self.file),
            "replay": self.replay,
            "stopped": self.stopped,
        }


@dataclass(slots=True)
class HuntReport:
    """A hunt.

    Attributes:
        target: what was hunted.
        again: the command that repeats it.
        searches: its searches so far.
        notes: what else the user should know.
    """

    target: str
    again: str = ""
    searches: list[SearchReport] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def found(self) -> Sequence[SearchReport]:
        """The searches that have found a violation."""
        return [one for one in self.searches if one.violation is not None]

    @property
    def stopped(self) -> Sequence[SearchReport]:
        """The searches that could not continue."""
        return [one for one in self.searches if one.stopped]

    def lines(self) -> Iterator[str]:
        """Yield the lines of the report: a table, then each violation with its trace and its file."""
        yield from _table([HEADER, *(one.cells() for one in self.searches)])
        for number, one in enumerate(self.found):
            known = next((old for old in self.found[:number] if old.kind == one.kind), None)
            yield from ("", *_violation_lines(one, known))
        for one in self.stopped:
            yield from ("", f"{one.machine} /{one.extension} could not continue: {one.stopped}")
        yield ""
        yield from (f"note: {printable(note, MAX_LINE)}" for note in self.notes)
        yield self._summary()
        yield f"again: {self.again}"

    def data(self) -> dict[str, Any]:
        """Return the hunt as JSON data."""
        return {
            "target": self.target,
            "found": len(self.found),
            "searches": [one.data() for one in self.searches],
            "notes": self.notes,
            "again": self.again,
        }

    def _summary(self) -> str:
        calls, count = sum(one.calls for one in self.searches), len(self.found)
        if count:
            return f"{count} {'violation' if count == 1 else 'violations'} in {calls} calls"
        return f"no violation in {calls} calls"


def _violation_lines(search: SearchReport, known: SearchReport | None) -> Iterator[str]:
    """Yield the violation of a search; without its trace if another search has found its kind."""
    if search.violation is None:
        return
    yield f"{search.machine} /{search.extension}"
    yield f"{search.kind}: {search.violation.message}"
    if known is None:
        yield from (printable(line, MAX_LINE) for line in search.violation.trace)
    yield f"replay: {search.replay}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
