"""Render the calls of a run as Markdown: a table, and the unsuccessful calls, each folded.

The text is for the summary of a GitHub Actions step, which holds 1 MiB.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from yemot_ai_testing.scenario.report.call_record import CallRecord
from yemot_ai_testing.scenario.report.dead_air import dead_air_summary
from yemot_ai_testing.scenario.report.failure import failure_report
from yemot_ai_testing.scenario.report.reached import reached_targets
from yemot_ai_testing.scenario.report.reached_text import reached_line
from yemot_ai_testing.scenario.report.text import escape_controls

__all__ = ["markdown_summary"]

UNSUCCESSFUL: Final = frozenset({"failed", "error"})
MARKS: Final = {"passed": "✅", "failed": "❌", "fake only": "➖", "error": "❌"}
SPECIAL: Final = re.compile(r"[|`*_\[\]<>&#~\\@]")
MAX_CHARACTERS: Final = 250_000
"""Hebrew letters have two bytes, marks three; the rest is left out, and said so."""


def markdown_summary(calls: Sequence[CallRecord]) -> str:
    """Return the summary of a run; empty without calls."""
    if not calls:
        return ""
    failed = [call for call in calls if call.state in UNSUCCESSFUL]
    others = [call for call in calls if call.state not in UNSUCCESSFUL]
    lines = [
        f"## Calls: {f'{len(failed)} of {len(calls)} failed' if failed else f'all {len(calls)} passed'}",
        "",
        *_table(failed),
        *(line for call in failed for line in _details(call)),
        *_folded(f"not failed: {len(others)}", [*_table(others)]),
        *_paragraphs(calls),
    ]
    return _cut("\n".join(lines)) + "\n"


def _table(calls: Iterable[CallRecord]) -> Iterator[str]:
    rows = [_row(call) for call in calls]
    if rows:
        yield from ("| | call | place | why | longest silence |", "|---|---|---|---|---|", *rows, "")


def _row(call: CallRecord) -> str:
    silence = max((turn.dead_air for turn in call.played), default=0.0)
    place = f"{call.path}:{call.failure_line or call.line}" if call.line else call.path
    times = f" ({call.failed_plays} of {call.plays} times)" if call.plays > 1 and call.failed_plays else ""
    kind = call.kind or ("" if call.state in {"passed", "failed"} else call.state)
    cells = (MARKS[call.state], _cell(call.name), _cell(place), f"{_cell(kind)}{times}", f"{silence:.1f} s")
    return f"| {' | '.join(cells)} |"


def _details(call: CallRecord) -> Iterator[str]:
    if call.state == "error" or call.is_test:
        text = "\n".join([*call.messages, *map(str, _conversation(call))])
    else:
        text = failure_report(call)
    text = "\n".join(map(escape_controls, text.split("\n")))
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", f"{text}`")))
    yield from _folded(_cell(call.name), [fence, text, fence])


def _conversation(call: CallRecord) -> Iterator[str]:
    if call.timeline:
        yield from ("", str(call))


def _folded(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from (f"<details><summary>{title}</summary>", "", *lines, "", "</details>", "")


def _paragraphs(calls: Sequence[CallRecord]) -> Iterator[str]:
    for text in (dead_air_summary(calls), *map(reached_line, reached_targets(calls))):
        if text:
            yield from (_cell(text), "")


def _cell(text: str) -> str:
    """Return ``text`` as Markdown shows it literally, in one line."""
    return SPECIAL.sub(lambda match: f"&#{ord(match[0])};", escape_controls(text))


def _cut(text: str) -> str:
    if len(text) <= MAX_CHARACTERS:
        return text
    return f"{text[:MAX_CHARACTERS]}\n\nThe rest is too long for a summary: see the log of the step.\n"
