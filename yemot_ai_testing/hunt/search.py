"""Search one machine for a violation, within a time or a number of examples."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import get_state_machine_test

from yemot_ai_testing.errors import CallerNotAskedError
from yemot_ai_testing.history import Violation, ViolationKind
from yemot_ai_testing.property import CallMachine, MachineCall, ViolationError
from yemot_ai_testing.property.counterexample import ReplayTarget, write_counterexample
from yemot_ai_testing.scenario.format.model import CallerAction, ScenarioTurn
from yemot_ai_testing.scenario.play.ending import who_ended

__all__ = ["Bounds", "Found", "Search", "SearchEndedError"]

SHRINK_SECONDS: Final = 5.0
"""Seconds in which a violation is reduced to fewer turns."""

STEPS: Final = 20
"""Steps of an example."""

UNBOUNDED: Final = 1_000_000
"""Examples of a search that only time ends."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a search takes.

    Attributes:
        seconds: seconds without a violation.
        examples: the most examples; None for no limit.
        seed: chooses the examples.
    """

    seconds: float
    examples: int | None
    seed: int


@dataclass(frozen=True, slots=True)
class Found:
    """A violation, with the calls in which it happened.

    Attributes:
        violation: the violation.
        calls: the calls, in the order in which they were dialled.
        replay: the application that a scenario of them calls.
    """

    violation: Violation
    calls: Sequence[MachineCall]
    replay: ReplayTarget

    @property
    def size(self) -> tuple[int, int]:
        """The number of calls and turns."""
        return len(self.calls), sum(len(one.turns) for one in self.calls)

    def write(self, folder: Path, name: str) -> Path:
        """Write the calls as a scenario file.

        Args:
            folder: the folder; it is created.
            name: the first part of the file's name.

        Raises:
            OSError: the file cannot be written.
        """
        for call in self.calls:
            if who_ended(call.caller.transcript) == "caller" and not _hangs_up_in_turn(call.turns):
                call.record_turn(CallerAction("hangs_up"))
        return write_counterexample(folder, name, self.violation, self.calls, self.replay)


def _hangs_up_in_turn(turns: Sequence[ScenarioTurn]) -> bool:
    return any(one.interruption is not None and one.interruption.keys is None for one in turns) or any(
        one.action is not None and one.action.verb == "hangs_up" for one in turns
    )


class SearchEndedError(BaseException):
    """Ends a search at once: Hypothesis does not catch a ``BaseException``."""


@dataclass(slots=True)
class Search:
    """The state of one search; the machine reports to it.

    Args:
        bounds: how long it takes.
        on_example: called before each example.

    Attributes:
        examples: the examples so far, without those that reduce a violation.
        calls: the calls in the complete ones.
        found: the smallest violation so far.
        stopped: why the search could not continue; "" otherwise.
    """

    bounds: Bounds
    on_example: Callable[[Search], object] = lambda _search: None
    examples: int = 0
    calls: int = 0
    found: Found | None = None
    stopped: str = ""
    seconds: float = 0.0
    _started_at: float = field(default_factory=time.monotonic)
    _ends_at: float = 0.0

    @property
    def share(self) -> float:
        """How much of the search is done, from 0 to 1."""
        if self.bounds.examples is not None:
            return min(self.examples / self.bounds.examples, 1.0)
        return min((time.monotonic() - self._started_at) / max(self.bounds.seconds, 0.001), 1.0)

    def run(self, machine: type[CallMachine]) -> None:
        """Run examples until there is a violation, or the time is over.

        Args:
            machine: calls ``begin_example``, ``check_time`` and ``note_found`` of this search.

        Raises:
            AppError: the application cannot be loaded.
        """
        self._started_at = time.monotonic()
        self._ends_at = self._started_at + self.bounds.seconds
        chosen = settings(
            max_examples=self.bounds.examples or UNBOUNDED,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        try:
            seed(self.bounds.seed)(get_state_machine_test(machine, settings=chosen))()
        except (SearchEndedError, ViolationError, Flaky):
            pass  # what was found is noted
        except CallerNotAskedError as error:
            self.stopped = str(error)
        finally:
            self.seconds = time.monotonic() - self._started_at

    def begin_example(self) -> None:
        """Count an example.

        Raises:
            SearchEndedError: the time is over.
        """
        self.check_time()
        self.examples += self.found is None
        self.on_example(self)

    def end_example(self, calls: int) -> None:
        """Count the calls of an example."""
        self.calls += calls if self.found is None else 0

    def check_time(self) -> None:
        """End the search if its time is over.

        Raises:
            SearchEndedError: it is.
        """
        if time.monotonic() > self._ends_at:
            raise SearchEndedError

    def counts_kind(self, kind: ViolationKind) -> bool:
        """Return whether a kind of violation counts now: after the first one, only its kind."""
        return self.found is None or self.found.violation.kind == kind

    def note_found(self, found: Found) -> None:
        """Keep a violation if it is smaller than the one before."""
        if self.found is None:
            self._ends_at = time.monotonic() + SHRINK_SECONDS
        if self.found is None or found.size <= self.found.size:
            self.found = found
