"""Lets Hypothesis loose on a creature, and tells by what it was found, and after how many evenings."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.faults.subject import Creature
from yemot_ai_testing.history import Violation
from yemot_ai_testing.property import ViolationError

__all__ = ["EXAMPLES", "SECONDS", "Trial", "evenings", "row", "tried"]

NIGHTLY, SOME, FEW = 2_000, 25, 8
"""How many evenings a healthy one must pass: by night; else; and where each takes long."""

EXAMPLES, SECONDS = 200, 10.0
"""The budget in which a fault must be found: evenings, and seconds of this process."""


@dataclass(slots=True)
class Trial:
    """How it went.

    Attributes:
        creature: who was tried.
        examples: evenings until the first violation, or all of them.
        seconds: processor time until then.
        violation: the first one.
    """

    creature: Creature
    examples: int = 0
    seconds: float = 0.0
    violation: Violation | None = None


def tried(creature: Creature, examples: int, *, steps: int = 20, seeded: bool = False) -> Trial:
    """Try a creature.

    Args:
        creature: which.
        examples: how many evenings, at most.
        steps: how long they are.
        seeded: the evenings are those of ``--hypothesis-seed``, instead of the same ones each time.
    """
    trial = Trial(creature)
    began = time.process_time()

    class FoundError(BaseException):
        """Ends the search at once: Hypothesis looks no further when this passes by."""

    class Counted(creature.machine):  # type: ignore[name-defined,misc]  # whichever it is
        def __init__(self) -> None:
            super().__init__()
            if trial.violation is None:
                trial.examples += 1

        def check_history(self) -> None:
            try:
                super().check_history()
            except ViolationError as error:
                if trial.violation is None:
                    trial.violation = error.violations[0]
                    trial.seconds = time.process_time() - began
                raise FoundError from error

    with contextlib.suppress(FoundError), untraced():
        run_state_machine_as_test(Counted, settings=_settings(examples, steps, seeded=seeded))
    if trial.violation is None:
        trial.seconds = time.process_time() - began
    return trial


def _settings(examples: int, steps: int, *, seeded: bool) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=not seeded,
        report_multiple_bugs=False,
        phases=[Phase.generate],  # found is enough: shrinking is for people
        suppress_health_check=list(HealthCheck),
    )


@contextlib.contextmanager
def untraced() -> Iterator[None]:
    """Let nobody look at each line meanwhile: what coverage costs is no part of a budget."""
    here, elsewhere = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        sys.settrace(here)
        threading.settrace(elsewhere)


def evenings(creature: Creature) -> int:
    """Return how many evenings a healthy one must pass: 2,000 in a nightly run, fewer in all others."""
    if settings.get_current_profile_name() == "nightly":
        return NIGHTLY
    return FEW if creature.slow else SOME


def row(trial: Trial) -> tuple[str, ...]:
    """Return a row of the table."""
    found = trial.violation.kind if trial.violation else "-"
    return (
        f"{trial.creature.name}: {trial.creature.what}",
        found,
        str(trial.examples),
        f"{trial.seconds:.1f}",
    )
