"""The tests of a project: ordinary ones and scenarios, which pytest runs separately.

>>> project = ProjectTests.of(["tests/test_shop.py", "tests/shop.call.yaml"], check=False)
>>> [run.arguments for run in project.runs]
[('tests/test_shop.py',), ('--yemot-scenario=tests/shop.call.yaml',)]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from yemot_ai_testing.mutation.errors import BaselineError
from yemot_ai_testing.mutation.order import Order
from yemot_ai_testing.mutation.parallel import map_in_order
from yemot_ai_testing.mutation.pytest_run import NO_TESTS, PASSED, PytestResult, run_pytest

__all__ = ["ProjectTests", "TestOutcome", "TestRun"]

SUFFIX: Final = ".call.yaml"
FIRST_TIMEOUT: Final = 1800.0
"""Seconds for the run without a fault."""
FACTOR: Final = 3.0
GRACE: Final = 10.0
"""A run with a fault takes at most ``FACTOR`` times as long as the one without, and ``GRACE`` seconds."""


@dataclass(frozen=True, slots=True)
class TestRun:
    """One pytest run over a part of the tests.

    Attributes:
        arguments: pytest's arguments.
        files: the files whose tests call an application; None before the first run.
        reached: the faults that have something to change in these tests.
        timeout: seconds.
    """

    __test__ = False  # it is no test of pytest

    arguments: tuple[str, ...]
    files: tuple[str, ...] | None = None
    reached: frozenset[str] = frozenset()
    timeout: float = FIRST_TIMEOUT


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What the tests say about a fault.

    Attributes:
        noticed_by: the first test that failed, or that the run took too long; None if all passed.
        is_reached: whether the fault has changed something.
    """

    __test__ = False  # as above

    noticed_by: str | None
    is_reached: bool


@dataclass(frozen=True, slots=True)
class ProjectTests:
    """All tests that are run.

    Attributes:
        target: the application, ``module:attr``.
        runs: the runs, one after the other.
    """

    target: str
    runs: tuple[TestRun, ...]

    @classmethod
    def of(cls, tests: Sequence[str], *, target: str = "", check: bool = True) -> Self:
        """Return the runs for files, folders and ids of tests; without any, pytest's own choice.

        Raises:
            BaselineError: one of them does not exist.
        """
        missing = [test for test in tests if not Path(test.partition("::")[0]).exists()]
        if check and missing:
            raise BaselineError(f"there is no {missing[0]}: name test files, folders or *{SUFFIX} files")
        if not tests:
            return cls(target, (TestRun(()), TestRun(("--yemot-scenario",))))
        ordinary = tuple(test for test in tests if SUFFIX not in test)
        scenarios = tuple(map(_scenario_argument, (test for test in tests if _has_scenarios(test))))
        chosen = (ordinary, (*scenarios, *(["--yemot-scenario"] if "::" in "".join(scenarios) else [])))
        return cls(target, tuple(TestRun(arguments) for arguments in chosen if arguments))

    def run_baseline(self) -> Self:
        """Run all tests without a fault; return those that call an application, with their time limits.

        Raises:
            BaselineError: a test fails, none calls an application, or the target cannot be called.
        """
        baseline = map_in_order(self._run_baseline, self.runs, jobs=len(self.runs))
        runs = tuple(run for run in baseline if run is not None and run.files)
        if not runs:
            raise BaselineError(
                "no test and no scenario calls an application: there is nothing that could notice a fault; "
                "name the tests, or begin with a scenario (docs/scenarios.md)"
            )
        return replace(self, runs=runs)

    def run_with(self, mutation_id: str) -> TestOutcome:
        """Run the tests with a fault until the first one fails."""
        is_reached = False
        for run in self.runs:
            if mutation_id not in run.reached:
                continue
            order = Order(mutation_id, files=run.files, target=self.target)
            result = run_pytest(order, ["-x", *run.arguments], timeout=run.timeout)
            # A run that was killed may not have written that it was.
            is_reached = is_reached or mutation_id in result.reached or result.exit_code is None
            noticed_by = _noticed_by(result, run.timeout)
            if noticed_by is not None:
                return TestOutcome(noticed_by, is_reached)
        return TestOutcome(None, is_reached)

    def _run_baseline(self, run: TestRun) -> TestRun | None:
        order = Order(target=self.target, is_baseline=True)
        result = run_pytest(order, ["-x", *run.arguments], timeout=run.timeout)
        if result.target_problem:
            raise BaselineError(result.target_problem)
        if result.exit_code == NO_TESTS:
            return None
        if result.exit_code != PASSED:
            failed = result.failures[0].node_id if result.failures else "pytest"
            raise BaselineError(
                f"{failed} fails without a fault, too: repair it first, or name other tests",
                output=result.output,
            )
        return TestRun(
            run.arguments, tuple(sorted(result.files)), result.reached, FACTOR * result.seconds + GRACE
        )


def _noticed_by(result: PytestResult, timeout: float) -> str | None:
    if result.exit_code is None:
        return f"timed out ({timeout:.0f} s)"
    if result.exit_code in {PASSED, NO_TESTS}:
        return None
    return result.failures[0].node_id if result.failures else f"pytest ended with {result.exit_code}"


def _scenario_argument(test: str) -> str:
    return test if "::" in test else f"--yemot-scenario={test}"


def _has_scenarios(test: str) -> bool:
    path = Path(test.partition("::")[0])
    return SUFFIX in test or (path.is_dir() and any(path.rglob(f"*{SUFFIX}")))
