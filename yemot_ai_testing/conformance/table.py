"""Format the verdicts of a suite: as a table of rules and subjects, as Markdown, or as JSON data."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from yemot_ai_testing.conformance.rule import AnyRule, RuleOutcome, Verdict

__all__ = ["as_data", "format_markdown", "format_table"]

_MAX_IDS: Final = 3
_SYMBOLS: Final[Mapping[RuleOutcome, str]] = {
    "held": "✓",
    "breached": "✗",
    "not applicable": "–",
    "expected": "x",
    "not run": "?",
}
_ALWAYS_COUNTED: Final = ("held", "breached", "not applicable")


def format_table(rules: Sequence[AnyRule], columns: Mapping[str, Sequence[Verdict]]) -> Iterator[str]:
    """Yield the table, then the breaches and the rules that do not apply.

    Args:
        rules: the checked rules, in order.
        columns: for each subject, a verdict for each rule.
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


def format_markdown(rules: Sequence[AnyRule], columns: Mapping[str, Sequence[Verdict]]) -> Iterator[str]:
    """Yield a table of rules and subjects in Markdown, then the breaches; the parameters are as above."""
    names = list(columns)
    yield _row(["rule", *names, ""])
    yield _row(["---", *(":-:" for _ in names), "---"])
    for number, rule in enumerate(rules):
        symbols = [_SYMBOLS[columns[name][number].outcome] for name in names]
        yield _row([f"`{rule.id}`", *symbols, rule.title])
    for name in names:
        yield ""
        yield f"**{_cell(name)}**: {_summary(columns[name])}"
        yield ""
        for verdict in columns[name]:
            yield from _markdown_details(verdict)


def _markdown_details(verdict: Verdict) -> Iterator[str]:
    if verdict.outcome == "breached":
        yield f"* ✗ `{verdict.rule.id}`: expected {_cell(verdict.expected)}; actual {_cell(verdict.actual)}"
        if verdict.fix:
            yield f"  * fix: {_cell(verdict.fix)}"
    elif verdict.reason:
        yield f"* {_SYMBOLS[verdict.outcome]} `{verdict.rule.id}`: {_cell(verdict.reason)}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """Return a text that stays in one cell or item."""
    return " ".join(text.split()).replace("|", "\\|")


def _heading(names: Sequence[str]) -> Iterator[str]:
    for number, name in enumerate(names):
        yield "      " + "│  " * number + f"┌─ {name}"


def _details(name: str, verdicts: Sequence[Verdict]) -> Iterator[str]:
    seconds = sum(verdict.seconds for verdict in verdicts)
    yield f"{name}: {_summary(verdicts)} ({seconds:.0f} s of runs)"
    yield from _common_fixes(verdicts)
    for verdict in verdicts:
        if verdict.outcome == "breached":
            yield f"  ✗ {verdict.rule.id}: {verdict.rule.title} [{verdict.rule.source}]"
            yield f"      expected  {verdict.expected}"
            yield f"      actual    {verdict.actual}"
            if verdict.fix:
                yield f"      fix       {verdict.fix}"
    for outcome in _SYMBOLS:
        yield from _reasons([one for one in verdicts if one.outcome == outcome and one.reason])


def _common_fixes(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield the fixes that mend several rules, the one for most rules first."""
    fixes = Counter(verdict.fix for verdict in verdicts if verdict.outcome == "breached" and verdict.fix)
    for fix, count in fixes.most_common():
        if count > 1:
            yield f"  {count} rules: {fix}"


def _summary(verdicts: Sequence[Verdict]) -> str:
    counts = Counter(verdict.outcome for verdict in verdicts)
    shown = [outcome for outcome in _SYMBOLS if counts[outcome] or outcome in _ALWAYS_COUNTED]
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in shown)


def _reasons(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield the reasons of verdicts with one outcome; more than three rules with one reason are counted."""
    for reason in dict.fromkeys(verdict.reason for verdict in verdicts):
        ids = [verdict.rule.id for verdict in verdicts if verdict.reason == reason]
        shown = ", ".join(ids) if len(ids) <= _MAX_IDS else f"{len(ids)} rules"
        yield f"  {_SYMBOLS[verdicts[0].outcome]} {shown}: {reason}"


def as_data(columns: Mapping[str, Sequence[Verdict]], versions: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the verdicts as JSON data: one object for each subject."""
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
    details = {
        "expected": verdict.expected,
        "actual": verdict.actual,
        "reason": verdict.reason,
        "fix": verdict.fix,
    }
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
