"""Run Locust in another process, which it changes, and show its progress."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from yemot_ai_testing.errors import AppError, ServerFailedError
from yemot_ai_testing.load.plan import LoadPlan
from yemot_ai_testing.load.result import LoadResult
from yemot_ai_testing.processes.child import ChildProcess
from yemot_ai_testing.scenario.play.servers.server import free_port

__all__ = ["Distribution", "Outputs", "check_installed", "run_calls", "run_worker"]

USERS_FILE: Final = Path(__file__).with_name("users.py")
_LOGGED: Final = re.compile(r"/(?:WARNING|ERROR|CRITICAL)/[\w.]+: (?!CPU usage)(.+)")
"""A line of Locust's log; that its processor is busy has a note already."""
LINE_SECONDS: Final = 60.0
"""Seconds without a line after which Locust is asked again whether it runs."""
MAX_OUTPUT: Final = 4000
"""Characters of the end of Locust's output that are shown."""
END_SECONDS: Final = 30.0
"""Seconds for the end of calls that are open at Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Where the callers run.

    Attributes:
        processes: processes of this machine; 0 for one without workers.
        expect_workers: workers of other machines to wait for; 0 for none.
        host: the address at which a master listens, or that a worker connects to.
        port: its port; processes of this machine use a free one.
    """

    processes: int = 0
    expect_workers: int = 0
    host: str = "127.0.0.1"
    port: int = 5557

    def options(self) -> Sequence[str]:
        """Return the options of Locust's master; none without workers."""
        if not (self.processes or self.expect_workers):
            return ()
        port = str(free_port() if self.processes else self.port)  # so that two runs at once do not meet
        listens = ("--master-bind-host", self.host, "--master-bind-port", port)
        if self.processes:
            connects = ("--master-host", self.host, "--master-port", port)
            return ("--processes", str(self.processes), *listens, *connects)
        return ("--master", "--expect-workers", str(self.expect_workers), *listens)


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files that Locust writes: its HTML report with charts, and its tables as CSV."""

    html: Path | None = None
    csv: Path | None = None

    def check(self) -> None:
        """Check that the files can be written: Locust writes them at its end, and would lose the result.

        Raises:
            AppError: one of them cannot be written.
        """
        for path in (self.html, self.csv and self.csv.with_name(f"{self.csv.name}_stats.csv")):
            if path is not None:
                _check_writable(path)

    def options(self) -> Sequence[str]:
        """Return the options of Locust."""
        html = () if self.html is None else ("--html", str(self.html.resolve()))
        return (*html, *(() if self.csv is None else ("--csv", str(self.csv.resolve()))))


def _check_writable(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except OSError as error:
        raise AppError(f"{path} cannot be written: {error.strerror}") from error


def check_installed() -> None:
    """Check that Locust is installed, without importing it.

    Raises:
        AppError: it is not.
    """
    if importlib.util.find_spec("locust") is None:
        raise AppError("Locust is not installed: pip install 'yemot-ai[load]'")


def run_calls(
    plan: LoadPlan,
    folder: Path,
    distribution: Distribution,
    outputs: Outputs,
    on_done: Callable[[int], object],
) -> tuple[LoadResult, bool]:
    """Make all calls; Ctrl-C ends them.

    Args:
        plan: the calls.
        folder: for the files of this run.
        distribution: where the callers run.
        outputs: what Locust writes.
        on_done: called every second with the number of calls that are over.

    Returns:
        The result, and whether Ctrl-C has ended it.

    Raises:
        ServerFailedError: Locust has failed.
    """
    plan_file, result_file = folder / "plan.json", folder / "result.json"
    plan_file.write_text(plan.dumps(), encoding="utf-8")
    files = ("--yemot-plan-file", str(plan_file), "--yemot-result", str(result_file))
    # Without the query, which may have a secret: the address is in the list of processes and in the report.
    host = ("--host", urlunsplit(urlsplit(plan.url)._replace(query="", fragment="")))
    options = (*files, *host, *distribution.options(), *outputs.options())
    with _locust(options, folder) as process:
        interrupted = _watch(process, on_done, stop=signal.SIGUSR1)
        result = LoadResult()
        if not result_file.exists():
            if interrupted:
                raise KeyboardInterrupt
            raise ServerFailedError("Locust has ended without a result", output=_tail(process))
        result.merge(json.loads(result_file.read_text(encoding="utf-8")))
        result.warnings = tuple(dict.fromkeys(_LOGGED.findall(process.stderr.decode(errors="replace"))))
    return result, interrupted


def run_worker(distribution: Distribution, folder: Path) -> int:
    """Make calls for the master of another process until it ends; return Locust's exit code."""
    connects = ("--worker", "--master-host", distribution.host, "--master-port", str(distribution.port))
    with _locust(connects, folder) as process:
        if _watch(process, lambda _: None, stop=signal.SIGINT):
            raise KeyboardInterrupt
        if process.exit_code:
            sys.stderr.write(_tail(process))
        return process.exit_code or 0


def _locust(options: Sequence[str], folder: Path) -> ChildProcess:
    # Settings of another load test, in variables or in files of the working folder, do not change this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    always = ("--headless", "--only-summary", "--loglevel", "WARNING", "--exit-code-on-error", "0")
    command = [sys.executable, "-m", "locust", "-f", str(USERS_FILE), *always, *options]
    return ChildProcess(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL)


def _watch(process: ChildProcess, on_done: Callable[[int], object], *, stop: signal.Signals) -> bool:
    """Read what the process prints until it ends; send ``stop`` at Ctrl-C, and return whether that was so."""
    try:
        while line := _next_line(process):
            on_done(int(json.loads(line)["done"]))
        process.wait(END_SECONDS)
    except KeyboardInterrupt:
        process.send_signal(stop)
        process.wait(END_SECONDS)
        return True
    return False


def _next_line(process: ChildProcess) -> bytes:
    """Return the next line; empty at the end."""
    while process.exit_code is None:
        try:
            return process.read_line(LINE_SECONDS)
        except TimeoutError:  # a master that waits for its workers prints nothing
            continue
    return b""


def _tail(process: ChildProcess) -> str:
    return process.stderr.decode(errors="replace")[-MAX_OUTPUT:]
