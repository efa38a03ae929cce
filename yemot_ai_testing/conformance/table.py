"""Format the verdicts of a suite: as a table of rules and executables, or as JSON data."""

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
    """Yield the table, then the breaches and the rules that do not apply.

    Args:
        rules: the checked rules, in order.
        columns: for each executable, a verdict for each rule.
    """
    names = list(columns)
    yield from _heading(names)
    width = max(len(rule.id) for rule in rules)
    for number, rule in enumerate(rules):
        symbols = "  ".join(_SYMBOLS[columns[name][number].outcome] for name in names)
        yield f"{number + 1:>4}  {symbols}  {rule.id:<{width}}  {rule.title}"
    for name in names:
        yield ""
        yield from _details(name, columns[name])


def _heading(names: Sequence[str]) -> Iterator[str]:
    for number, name in enumerate(names):
        yield "      " + "│  " * number + f"┌─ {name}"


def _details(name: str, verdicts: Sequence[Verdict]) -> Iterator[str]:
    counts = Counter(verdict.outcome for verdict in verdicts)
    seconds = sum(verdict.seconds for verdict in verdicts)
    summary = ", ".join(f"{counts[outcome]} {outcome}" for outcome in _SYMBOLS)
    yield f"{name}: {summary} ({seconds:.0f} s of runs)"
    for verdict in verdicts:
        if verdict.outcome == "breached":
            yield f"  ✗ {verdict.rule.id}: {verdict.rule.title} [{verdict.rule.source}]"
            yield f"      expected  {verdict.expected}"
            yield f"      actual    {verdict.actual}"
    yield from _reasons([verdict for verdict in verdicts if verdict.outcome == "not applicable"])


def _reasons(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield why rules do not apply; more than three rules with one reason are counted."""
    for reason in dict.fromkeys(verdict.reason for verdict in verdicts):
        ids = [verdict.rule.id for verdict in verdicts if verdict.reason == reason]
        shown = ", ".join(ids) if len(ids) <= _MAX_IDS else f"{len(ids)} rules"
        yield f"  – {shown}: {reason}"


def as_data(columns: Mapping[str, Sequence[Verdict]], versions: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the verdicts as JSON data: one object for each executable."""
    return [
        {
            "executable": name,
            "version": versions[name],
            "rules": [_verdict_data(verdict) for verdict in verdicts],
        }
        for name, verdicts in columns.items()
    ]


def _verdict_data(verdict: Verdict) -> dict[str, Any]:
    rule = verdict.rule
    details = {"expected": verdict.expected, "actual": verdict.actual, "reason": verdict.reason}
    return {
        "id": rule.id,
        "interface": rule.interface,
        "title": rule.title,
        "source": rule.source,
        "versions": rule.versions,
        "outcome": verdict.outcome,
        "seconds": round(verdict.seconds, 2),
        **{name: text for name, text in details.items() if text},
    }
