"""Run one Codex process and record it: a fresh home, a scripted model, and a clock."""

from __future__ import annotations

import bisect
import hashlib
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from yemot_ai_testing.codex.command_line import with_model_options
from yemot_ai_testing.codex.home import TIMEOUT, fresh_home
from yemot_ai_testing.codex.recordings import OutputLine, Recording
from yemot_ai_testing.codex.redact import Redactor
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.processes.child import ChildProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from yemot_ai_testing.doubles.steps import Step

__all__ = ["CaseModel", "RecordedRun", "RecordingSession", "recording_session"]


class CaseModel(Protocol):
    """The model of a case: a service behind the real Codex, or the fake itself."""

    def add(self, step: Step) -> None:
        """Append a step to the script."""
        ...

    def wait_for_requests(self, count: int) -> None:
        """Block until ``count`` calls have been made in all."""
        ...


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """One run of a case.

    Attributes:
        arguments: of the process, without the settings that select the model.
        stdin: its standard input.
        process: the process, with its output so far.
    """

    arguments: tuple[str, ...]
    stdin: str
    process: ChildProcess

    @property
    def stdout_lines(self) -> tuple[OutputLine, ...]:
        """The lines of standard output so far, with their times."""
        sizes = [size for _, size in self.process.arrivals]
        lines: list[OutputLine] = []
        end = 0
        for text in _split_lines(self.process.stdout):
            end = min(end + len(text) + 1, len(self.process.stdout))
            at = self.process.arrivals[bisect.bisect_left(sizes, end)][0]
            lines.append(OutputLine(round(at, 2), text.decode("utf-8", "replace")))
        return tuple(lines)

    @property
    def stderr_lines(self) -> tuple[str, ...]:
        """The lines of standard error so far."""
        return tuple(line.decode("utf-8", "replace") for line in _split_lines(self.process.stderr))

    @property
    def thread_id(self) -> str:
        """The thread id of the event stream.

        Raises:
            LookupError: if there is no such event yet.
        """
        for line in self.stdout_lines:
            if line.event.get("type") == "thread.started":
                return str(line.event["thread_id"])
        raise LookupError("the run has not written its thread id")


@dataclass(frozen=True, slots=True)
class RecordingSession:
    """The environment in which one executable is recorded.

    Attributes:
        executable: the program.
        work: its working folder.
        environment: its whole environment.
        settings: the ``-c`` options that select the model; empty for a fake.
        model: the scripted model.
        redactor: replaces private values in recordings.
    """

    executable: Path
    work: Path
    environment: Mapping[str, str]
    settings: tuple[str, ...]
    model: CaseModel
    redactor: Redactor

    def start(self, *arguments: str, stdin: str = "") -> RecordedRun:
        """Start the program with this standard input."""
        command = [str(self.executable), *with_model_options(self.settings, arguments)]
        process = ChildProcess(command, cwd=self.work, env=self.environment)
        process.write_stdin(stdin).close_stdin()
        return RecordedRun(arguments, stdin, process)

    def run(self, *arguments: str, stdin: str = "", timeout: float = TIMEOUT) -> RecordedRun:
        """Start the program and wait for its end.

        Raises:
            TimeoutError: if it has not ended after ``timeout`` seconds; it is killed.
        """
        run = self.start(*arguments, stdin=stdin)
        try:
            run.process.wait(timeout)
        finally:
            run.process.close()
        return run

    def build_recording(
        self, case: str, version: str, run: RecordedRun, *, failure_kind: str = ""
    ) -> Recording:
        """Return the recording of a run that has ended, without private values."""
        data = run.stdin.encode()
        return Recording(
            case,
            version,
            tuple(self.redactor(argument) for argument in run.arguments),
            {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)},
            tuple(OutputLine(line.at, self.redactor(line.text)) for line in run.stdout_lines),
            tuple(self.redactor(line) for line in run.stderr_lines),
            run.process.wait(TIMEOUT),
            failure_kind,
        )


@contextmanager
def recording_session(executable: Path) -> Iterator[RecordingSession]:
    """Provide a session with a fresh home and a model service; nothing leaves this machine."""
    with fresh_home() as home, closing(ModelServer()) as model:
        settings = tuple(model.codex_options())
        redactor = Redactor({model.base_url: "{model_server}", **home.placeholders})
        yield RecordingSession(executable, home.work, home.environment(), settings, model.script, redactor)


def _split_lines(output: bytes | bytearray) -> list[bytes]:
    """Return the lines without their newlines; a last one without a newline counts."""
    lines = bytes(output).split(b"\n")
    return lines if lines[-1] else lines[:-1]
