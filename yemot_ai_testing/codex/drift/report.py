"""Format a drift report: as a table, as Markdown, as JSON."""

from __future__ import annotations

import json
import shutil
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.drift.drift import CODEX_CHANGED, FAKE_WRONG, READER_WRONG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yemot_ai_testing.codex.drift.drift import Difference, DriftReport

__all__ = ["as_json", "as_markdown", "as_table"]

_ACTIONS: Final = {
    CODEX_CHANGED: "decide whether the provider must use the change or avoid it",
    READER_WRONG: "fix yemot_ai.providers.codex; the recording is its test",
    FAKE_WRONG: "fix yemot_ai_testing.codex.fake, until the fake does what was recorded",
}
_MAX_CASES: Final = 4


def as_table(report: DriftReport, *, width: int | None = None) -> str:
    """Return the report for a terminal.

    Args:
        report: the report.
        width: of the terminal, in characters; None detects it.
    """
    columns = width or shutil.get_terminal_size((120, 24)).columns
    lines = [f"Codex {report.old} → {report.new}", _summary(report), ""]
    for difference in report.differences:
        lines.append(f"{difference.severity:<10}  {difference.cause:<19}  {difference.what}")
        lines += _wrap(difference, columns)
    return "\n".join([*lines, *([""] if report.differences else []), _conclusion(report)])


def _wrap(difference: Difference, columns: int) -> Iterator[str]:
    texts = (
        f"{difference.before} → {difference.after}",
        f"{difference.where}: {_case_list(difference)}",
    )
    for text in texts:
        yield from textwrap.wrap(
            text,
            max(columns, 60),
            initial_indent=" " * 12,
            subsequent_indent=" " * 14,
            break_long_words=False,
        )


def as_markdown(report: DriftReport) -> str:
    """Return the report as Markdown, for a pull request or a release."""
    lines = [f"# Codex {report.old} → {report.new}", "", _summary(report)]
    for cause in (READER_WRONG, FAKE_WRONG, CODEX_CHANGED):
        rows = [difference for difference in report.differences if difference.cause == cause]
        if rows:
            lines += ["", f"## {cause.capitalize()}", "", f"What to do: {_ACTIONS[cause]}.", ""]
            lines += ["| severity | what | before | after | where | cases |", "|---|---|---|---|---|---|"]
            lines += [_row(difference) for difference in rows]
    return "\n".join([*lines, "", _conclusion(report)])


def _row(difference: Difference) -> str:
    severity = f"**{difference.severity}**" if difference.severity == "breaks us" else difference.severity
    texts = (difference.what, difference.before, difference.after)
    cells = [severity, *map(_cell, texts), difference.where, _case_list(difference)]
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def as_json(report: DriftReport) -> str:
    """Return the report as JSON."""
    return json.dumps({**asdict(report), "breaks": report.breaks}, ensure_ascii=False, indent=1)


def _summary(report: DriftReport) -> str:
    missing = f"; only in one of them: {', '.join(report.missing)}" if report.missing else ""
    return f"{report.compared} cases compared, {len(report.differences)} differences{missing}"


def _conclusion(report: DriftReport) -> str:
    worst = [difference for difference in report.differences if difference.severity == "breaks us"]
    if not worst:
        return "Nothing breaks us."
    return f"{len(worst)} of them {'breaks' if len(worst) == 1 else 'break'} us."


def _case_list(difference: Difference) -> str:
    shown = ", ".join(difference.cases[:_MAX_CASES])
    more = len(difference.cases) - _MAX_CASES
    return f"{shown} and {more} more" if more > 0 else shown
