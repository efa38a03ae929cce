"""One pytest run in a child process that changes no file of the project and leaves no process."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from yemot_ai_testing.mutation.marks import Marks
from yemot_ai_testing.mutation.order import FOLDER_VARIABLE, Failure, Order, read_target_problem
from yemot_ai_testing.processes.child import ChildProcess
from yemot_ai_testing.processes.owned_folder import owned_folder
from yemot_ai_testing.scenario.play.servers import supervisor

__all__ = ["NO_TESTS", "PASSED", "TESTS_FAILED", "PytestResult", "run_pytest"]

PASSED: Final = 0
TESTS_FAILED: Final = 1
NO_TESTS: Final = 5
"""Exit codes of pytest."""

PLUGIN: Final = "yemot_ai_testing.mutation.child_plugin"
TAIL_LINES: Final = 25


@dataclass(frozen=True, slots=True)
class PytestResult:
    """The result of a run.

    Attributes:
        exit_code: pytest's exit code; None if the run took too long.
        seconds: how long it took.
        failures: the tests that failed, the first one first.
        reached: the faults that have changed something, or would have.
        files: the files whose tests call an application.
        output: the end of what pytest printed.
        target_problem: why the target cannot be called; empty if it can, and where it was not checked.
    """

    exit_code: int | None
    seconds: float
    failures: tuple[Failure, ...]
    reached: frozenset[str]
    files: frozenset[str]
    output: str
    target_problem: str


def run_pytest(order: Order, arguments: Sequence[str], *, timeout: float) -> PytestResult:
    """Run pytest in the current folder, and end it with all its child processes.

    Args:
        order: what the run has to do.
        arguments: further arguments of pytest.
        timeout: seconds until it is killed.
    """
    with owned_folder("yemot-ai-mutation-") as folder:
        order.write(folder)
        command = [sys.executable, "-m", "pytest", "-p", PLUGIN, *_private_options(folder), *arguments]
        started_at = time.monotonic()
        with tempfile.TemporaryFile() as output:
            exit_code = _run(command, folder, output.fileno(), timeout)
            raw = os.pread(output.fileno(), os.fstat(output.fileno()).st_size, 0)
        marks = Marks(folder)
        return PytestResult(
            exit_code,
            time.monotonic() - started_at,
            Failure.read_all(folder),
            marks.reached(),
            marks.files(),
            "\n".join(raw.decode(errors="replace").splitlines()[-TAIL_LINES:]),
            read_target_problem(folder),
        )


def _run(command: Sequence[str], folder: Path, output: int, timeout: float) -> int | None:
    """Return the exit code; None if the command was ended because it took too long."""
    with ChildProcess(
        # It ends the command if this process is killed.
        [sys.executable, "-IS", supervisor.__file__, *command],
        env={**os.environ, **_private_environment(folder)},
        output=output,
    ) as process:
        try:
            return process.wait(timeout)
        except TimeoutError:
            return None
        finally:
            with contextlib.suppress(TimeoutError):
                process.close_stdin().wait(2 * supervisor.TERMINATION_SECONDS)


def _private_options(folder: Path) -> list[str]:
    """Return options that keep what a run writes out of the project."""
    return ["-q", "--tb=short", "-o", f"cache_dir={folder / 'cache'}", "-o", "yemot_html="]


def _private_environment(folder: Path) -> dict[str, str]:
    return {
        FOLDER_VARIABLE: str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
        "COVERAGE_FILE": str(folder / "coverage"),
    }
