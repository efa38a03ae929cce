"""The findings as a table, and as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from yemot_ai.doctor.finding import Finding

__all__ = ["render_json", "render_table"]


def render_table(findings: Sequence[Finding]) -> str:
    """Return one row for each finding, with its remedy below it, and a last line that counts."""
    width = max((len(finding.check) for finding in findings), default=0)
    rows = [_row(finding, width) for finding in findings]
    counts = {level: sum(finding.level == level for finding in findings) for level in ("error", "warning")}
    total = ", ".join(f"{count} {level}{'s' * (count != 1)}" for level, count in counts.items())
    return "".join(f"{row}\n" for row in (*rows, "", total))


def render_json(findings: Sequence[Finding]) -> str:
    """Return ``{"ok": …, "checks": [{"check", "level", "message", "remedy"}]}``; ok: without errors."""
    is_ok = all(finding.level != "error" for finding in findings)
    checks = [dataclasses.asdict(finding) for finding in findings]
    return json.dumps({"ok": is_ok, "checks": checks}, ensure_ascii=False, indent=2) + "\n"


def _row(finding: Finding, width: int) -> str:
    indent = " " * (len("warning") + 2 + width + 2)
    lines = [*finding.message.splitlines(), *(f"-> {line}" for line in finding.remedy.splitlines())]
    return f"{finding.level:<7}  {finding.check:<{width}}  " + f"\n{indent}".join(map(_printable, lines))


def _printable(line: str) -> str:
    """Return a line without control characters, which could change what the terminal shows."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)
