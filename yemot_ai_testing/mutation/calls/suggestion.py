"""Find a call that notices a fault: it passes on the healthy application, and fails with the fault."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from yemot_ai_testing.mutation.mutation import Mutation, Seam
from yemot_ai_testing.mutation.order import Order
from yemot_ai_testing.mutation.parallel import map_in_order
from yemot_ai_testing.mutation.project_tests import ProjectTests
from yemot_ai_testing.mutation.pytest_run import PASSED, PytestResult, run_pytest
from yemot_ai_testing.processes.owned_folder import owned_folder

__all__ = ["CallLibrary", "Suggestion", "suggest"]

TIMEOUT: Final = 600.0
"""Seconds for all calls."""
MAX_TRIES: Final = 6
"""How many calls that notice a fault are tried alone."""
HINTS: Final[dict[Seam, str]] = {
    "application": "no call that was tried notices it, so it is not counted; two callers at the same moment "
    "are tried by CallMachine (docs/testing.md)",
    "provider": "no call that was tried notices it; where a caller hears the same, look at the double's "
    "requests in a test: codex.requests[1].session, .prompt, .instructions",
    "store": "no call that was tried notices it, so it is not counted; CallMachine with "
    "restarts_workers = True tries more (docs/testing.md)",
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A scenario for a missed fault.

    Attributes:
        mutation: the fault.
        text: the scenario file; None if no call was found that notices the fault.
        hint: what to do without a scenario.
    """

    mutation: Mutation
    text: str | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class CallLibrary:
    """Scenarios that pass on the healthy application.

    Attributes:
        project: the tests; their ``conftest.py`` counts for the calls, too.
        folder: a private folder, with the scenario files in ``healthy``.
    """

    project: ProjectTests
    folder: Path

    def explore(self) -> None:
        """Make calls on the healthy application, and keep those that can be made twice."""
        self._healthy.mkdir()
        self._run(Order(target=self.project.target, calls=str(self._healthy), explores=True))
        for _ in range(2):
            result = self._run(Order(target=self.project.target, calls=str(self._healthy)))
            for name in _failed_files(result):
                (self._healthy / name).unlink(missing_ok=True)

    def suggest(self, mutation: Mutation) -> Suggestion:
        """Return a scenario that notices a fault, if there is one."""
        result = self._run(Order(mutation.id, target=self.project.target, calls=str(self._healthy)))
        for name in _failed_files(result)[:MAX_TRIES]:
            if self._notices(mutation, name):
                text = (self._healthy / name).read_text(encoding="utf-8")
                head = f"# Notices {mutation.id}: {mutation.effect}\n"
                return Suggestion(mutation, f"{head}{text}")
        return Suggestion(mutation, hint=HINTS[mutation.seam])

    def _notices(self, mutation: Mutation, name: str) -> bool:
        """Return whether one scenario file, played alone, fails with the fault only."""
        alone = self.folder / mutation.id / name
        alone.mkdir(parents=True)
        shutil.copy(self._healthy / name, alone)
        order = Order(target=self.project.target, calls=str(alone))
        broken = self._run(Order(mutation.id, target=self.project.target, calls=str(alone)))
        is_noticed = bool(broken.failures) and mutation.id in broken.reached
        return is_noticed and self._run(order).exit_code == PASSED

    @property
    def _healthy(self) -> Path:
        return self.folder / "healthy"

    def _run(self, order: Order) -> PytestResult:
        in_one_process = ["-n0"] if find_spec("xdist") else []
        arguments = [*self.project.runs[0].arguments, "--yemot-block-network", *in_one_process]
        return run_pytest(order, arguments, timeout=TIMEOUT)


def suggest(project: ProjectTests, missed: Sequence[Mutation], jobs: int) -> Iterator[Suggestion]:
    """Yield a suggestion for each missed fault, in their order.

    Args:
        project: the tests.
        missed: the faults.
        jobs: how many runs at the same time.
    """
    if not missed:
        return
    with owned_folder("yemot-ai-mutation-calls-") as folder:
        library = CallLibrary(project, folder)
        library.explore()
        yield from map_in_order(library.suggest, missed, jobs=jobs)


def _failed_files(result: PytestResult) -> Sequence[str]:
    """Return the names of the scenario files that failed, in their order."""
    paths = (Path(failure.node_id.partition("::")[0]).name for failure in result.failures)
    return sorted(set(paths))
