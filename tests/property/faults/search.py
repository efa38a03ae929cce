"""Run Hypothesis on a subject; measure by which violation and after how many examples its fault is found."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.faults.subject import Subject
from tests.property.machine_settings import machine_settings
from tests.support.slowness import slowness
from tests.support.untraced import untraced
from yemot_ai_testing.history import Violation
from yemot_ai_testing.property import ViolationError

__all__ = ["MAX_EXAMPLES", "MAX_SECONDS", "SearchResult", "example_count", "search_violation", "table_row"]

NIGHTLY, SOME, FEW = 2_000, 25, 8
"""Examples that a healthy subject must pass: in nightly runs, in others, and in others if it is slow."""

MAX_EXAMPLES, MAX_SECONDS = 200, 10.0
"""The budget in which a fault must be found: examples, and seconds of processor time on a machine at rest."""


@dataclass(slots=True)
class SearchResult:
    """The result of a search.

    Attributes:
        subject: the application under test.
        examples: examples until the first violation, or all of them.
        seconds: processor time until then.
        slowness: how many times the processor time of a machine at rest the same work takes here and now.
        violation: the first violation.
    """

    subject: Subject
    examples: int = 0
    seconds: float = 0.0
    slowness: float = 1.0
    violation: Violation | None = None


def search_violation(
    subject: Subject, examples: int, *, steps: int = 20, seeded: bool = False
) -> SearchResult:
    """Run examples until the first violation.

    Args:
        subject: the application under test.
        examples: the most examples.
        steps: steps of an example.
        seeded: whether ``--hypothesis-seed`` chooses the examples; by default they are always the same.
    """
    result = SearchResult(subject)
    slow_before = slowness()
    started_at = time.process_time()

    class FoundError(BaseException):
        """Ends the search at once: Hypothesis does not catch a ``BaseException``."""

    class Counted(subject.machine):  # type: ignore[name-defined,misc]  # a class in a variable
        def __init__(self) -> None:
            super().__init__()
            result.examples += result.violation is None

        def check_history(self) -> None:
            try:
                super().check_history()
            except ViolationError as error:
                if result.violation is None:
                    result.violation = error.violations[0]
                    result.seconds = time.process_time() - started_at
                raise FoundError from error

    with contextlib.suppress(FoundError), untraced():
        chosen = machine_settings(examples, steps, derandomize=not seeded)
        run_state_machine_as_test(Counted, settings=settings(chosen, suppress_health_check=list(HealthCheck)))
    if result.violation is None:
        result.seconds = time.process_time() - started_at
    result.slowness = max(1.0, slow_before, slowness())
    return result


def example_count(subject: Subject) -> int:
    """Return the number of examples that a healthy subject must pass: 2,000 in nightly runs, else fewer."""
    if settings.get_current_profile_name() == "nightly":
        return NIGHTLY
    return FEW if subject.slow else SOME


def table_row(result: SearchResult) -> tuple[str, ...]:
    """Return a row of the table of faults."""
    kind = result.violation.kind if result.violation else "-"
    return (
        f"{result.subject.name}: {result.subject.description}",
        kind,
        str(result.examples),
        f"{result.seconds:.1f}",
        f"{result.slowness:.1f}",
    )
