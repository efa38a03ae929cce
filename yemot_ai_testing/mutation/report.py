"""The report: a line for each fault, the score, and the scenarios that would catch what was missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from yemot_ai_testing.mutation.calls.suggestion import Suggestion
from yemot_ai_testing.mutation.mutation import Mutation
from yemot_ai_testing.mutation.verdicts import STATES, Verdict, score

__all__ = ["as_data", "catalog_lines", "score_line", "suggestion_lines", "verdict_line"]

ID_WIDTH, STATE_WIDTH = 33, 13


def catalog_lines(mutations: Sequence[Mutation]) -> Iterator[str]:
    """Yield a line for each mutation: its id, where it is planted, what a caller would notice."""
    for mutation in mutations:
        yield f"{mutation.id:<{ID_WIDTH}} {mutation.seam:<{STATE_WIDTH}} {mutation.effect}"


def verdict_line(verdict: Verdict) -> str:
    """Return the line of one mutation: what became of it, and what noticed it or what was not noticed."""
    match verdict.state, verdict.noticed_by:
        case "caught", test:
            text = test
        case "missed", _:
            text = verdict.mutation.effect
        case _, "":
            text = "nothing of it happens in these tests"
        case _, test:
            text = f"{test} fails at times, also without a fault"
    return f"{verdict.mutation.id:<{ID_WIDTH}} {verdict.state:<{STATE_WIDTH}} {text}"


def score_line(verdicts: Sequence[Verdict]) -> str:
    """Return the score in words."""
    counts = Counter(verdict.state for verdict in verdicts)
    share = score(verdicts)
    text = "no fault was caught or missed" if share is None else f"score {share:.2f}"
    return f"{text}: {', '.join(f'{counts[state]} {state}' for state in STATES)}"


def suggestion_lines(suggestion: Suggestion, path: Path | None) -> Iterator[str]:
    """Yield what to add to the tests for a missed fault.

    Args:
        suggestion: the scenario.
        path: where it was written; None: it is printed.
    """
    yield ""
    yield f"{suggestion.mutation.id}: {suggestion.mutation.effect}"
    if suggestion.text is None:
        yield f"  no scenario: {suggestion.hint}"
    elif path is None:
        yield from suggestion.text.splitlines()
    else:
        yield f"  {path}"


def as_data(verdicts: Sequence[Verdict], suggestions: Sequence[Suggestion]) -> Mapping[str, Any]:
    """Return the report as JSON data with stable keys."""
    by_id = {suggestion.mutation.id: suggestion for suggestion in suggestions}
    return {
        "score": score(verdicts),
        "mutations": [_verdict_data(verdict, by_id.get(verdict.mutation.id)) for verdict in verdicts],
    }


def _verdict_data(verdict: Verdict, suggestion: Suggestion | None) -> dict[str, Any]:
    mutation = verdict.mutation
    data: dict[str, Any] = {
        "id": mutation.id,
        "kind": mutation.kind,
        "seam": mutation.seam,
        "effect": mutation.effect,
        "state": verdict.state,
        "noticed_by": verdict.noticed_by,
    }
    if suggestion is not None:
        data["scenario"] = {"text": suggestion.text, "hint": suggestion.hint}
    return data
