"""What a trial came to, for people and for programs: case × executable."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from yemot_ai_testing.conformance.rule import AnyRule, RuleOutcome, Verdict

__all__ = ["as_data", "format_table"]

_MAX_IDS: Final = 3
_SYMBOLS: Final[Mapping[RuleOutcome, str]] = {"held": "✓", "breached": "✗", "not applicable": "–"}


def format_table(rules: Sequence[AnyRule], columns: Mapping[str, Sequence[Verdict]]) -> Iterator[str]:
    """The table, and below it the breaches and what did not apply.

    Args:
        rules: the rules that were tried, in order.
        columns: for each executable, a verdict for each rule.
    """
    names = list(columns)
    yield from _heading(names)
    width = max(len(case.id) for case in rules)
    for number, case in enumerate(rules):
        signs = "  ".join(_SYMBOLS[columns[name][number].outcome] for name in names)
        yield f"{number + 1:>4}  {signs}  {case.id:<{width}}  {case.title}"
    for name in names:
        yield ""
        yield from _details(name, columns[name])


def _heading(names: Sequence[str]) -> Iterator[str]:
    for number, name in enumerate(names):
        yield "      " + "│  " * number + f"┌─ {name}"


def _details(name: str, verdicts: Sequence[Verdict]) -> Iterator[str]:
    counts = Counter(verdict.outcome for verdict in verdicts)
    seconds = sum(verdict.seconds for verdict in verdicts)
    told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in _SYMBOLS)
    yield f"{name}: {told} ({seconds:.0f} s of runs)"
    for verdict in verdicts:
        if verdict.outcome == "breached":
            yield f"  ✗ {verdict.rule.id}: {verdict.rule.title} [{verdict.rule.source}]"
            yield f"      expected  {verdict.expected}"
            yield f"      seen      {verdict.actual}"
    yield from _reasons([verdict for verdict in verdicts if verdict.outcome == "not applicable"])


def _reasons(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Why rules do not apply; many for one reason are counted."""
    for why in dict.fromkeys(verdict.reason for verdict in verdicts):
        ids = [verdict.rule.id for verdict in verdicts if verdict.reason == why]
        shown = ", ".join(ids) if len(ids) <= _MAX_IDS else f"{len(ids)} rules"
        yield f"  – {shown}: {why}"


def as_data(columns: Mapping[str, Sequence[Verdict]], versions: Mapping[str, str]) -> list[dict[str, Any]]:
    """The same for a program: one object for each executable."""
    return [
        {
            "executable": name,
            "version": versions[name],
            "cases": [_verdict_data(verdict) for verdict in verdicts],
        }
        for name, verdicts in columns.items()
    ]


def _verdict_data(verdict: Verdict) -> dict[str, Any]:
    case = verdict.rule
    told = {"expected": verdict.expected, "seen": verdict.actual, "why": verdict.reason}
    return {
        "id": case.id,
        "face": case.interface,
        "title": case.title,
        "source": case.source,
        "versions": case.versions,
        "outcome": verdict.outcome,
        "seconds": round(verdict.seconds, 2),
        **{name: text for name, text in told.items() if text},
    }
