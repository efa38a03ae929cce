"""What became of each mutation, and the score of the tests.

>>> from yemot_ai_testing.mutation.catalog import MUTATIONS
>>> states = ("caught", "missed", "not reached")
>>> score(Verdict(mutation, state) for mutation, state in zip(MUTATIONS, states))
0.5
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, get_args

from yemot_ai_testing.mutation.mutation import Mutation
from yemot_ai_testing.mutation.parallel import map_in_order
from yemot_ai_testing.mutation.project_tests import ProjectTests, TestOutcome

__all__ = ["STATES", "State", "Verdict", "judge", "score", "with_suggestion"]

State: TypeAlias = Literal["caught", "missed", "not reached", "no difference"]

STATES: Final[tuple[State, ...]] = get_args(State)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One mutation and the tests.

    Attributes:
        mutation: the fault.
        state: ``caught``: a test failed; ``missed``: all passed, although the fault has changed something;
            ``not reached``: the fault had nothing to change in any test, and says nothing about them;
            ``no difference``: all passed, and no other call on this application notices it, either.
        noticed_by: the first test that failed.
    """

    mutation: Mutation
    state: State
    noticed_by: str = ""


def judge(project: ProjectTests, mutations: Sequence[Mutation], jobs: int) -> Iterator[Verdict]:
    """Run the tests once with each fault, and yield the verdicts in the order of the mutations.

    Args:
        project: the tests, after their baseline.
        mutations: the faults.
        jobs: how many runs at the same time.
    """
    outcomes = map_in_order(project.run_with, [mutation.id for mutation in mutations], jobs=jobs)
    for mutation, outcome in zip(mutations, outcomes, strict=True):
        yield _verdict(mutation, outcome)


def score(verdicts: Iterable[Verdict]) -> float | None:
    """Return the share of the mutations that were caught, of those that were caught or missed.

    Returns:
        The share, 0 to 1; None if there are none of these.
    """
    states = [verdict.state for verdict in verdicts]
    caught, missed = states.count("caught"), states.count("missed")
    return caught / (caught + missed) if caught + missed else None


def with_suggestion(verdict: Verdict, *, is_noticeable: bool) -> Verdict:
    """Return the verdict of a missed fault, after calls were made to find out whether it can be noticed.

    What reaches the model is heard by no caller, so a fault there counts as missed in any case.
    """
    if is_noticeable or verdict.mutation.seam == "provider":
        return verdict
    return replace(verdict, state="no difference")


def _verdict(mutation: Mutation, outcome: TestOutcome) -> Verdict:
    if not outcome.is_reached:
        return Verdict(mutation, "not reached", outcome.noticed_by or "")
    return Verdict(mutation, "caught" if outcome.noticed_by else "missed", outcome.noticed_by or "")
