"""Run one Codex process and record it: a fresh home, a scripted model, and a clock."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from yemot_ai_testing.codex.command_line import with_model_options
from yemot_ai_testing.codex.folders import TIMEOUT, folder_placeholders, isolated_environment, make_folders
from yemot_ai_testing.codex.recordings import OutputLine, Recording
from yemot_ai_testing.codex.redact import Redactor
from yemot_ai_testing.doubles.model_service.server import ModelServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from yemot_ai_testing.doubles.script import FailureKind

__all__ = [
    "CaseModel",
    "RecordedProcess",
    "RecordedRun",
    "RecordingSession",
    "recording_session",
]


class CaseModel(Protocol):
    """How a case scripts its model: a service behind the real Codex, or the fake itself."""

    def answers(self, text: str | Sequence[str]) -> object:
        """Answer the next call."""
        ...

    def fails(self, kind: FailureKind) -> object:
        """Fail the next call."""
        ...

    def hangs(self) -> object:
        """Never answer the next call."""
        ...

    def drops(self, text: str | Sequence[str]) -> object:
        """Close the connection in the middle of the next answer."""
        ...

    def emits(self, *items: Mapping[str, Any], text: str | None = None) -> object:
        """Answer the next call with output items, followed by a text, if any."""
        ...

    def wait_for_requests(self, count: int) -> None:
        """Block until ``count`` calls have been made in all."""
        ...


@dataclass(slots=True)
class RecordedProcess:
    """One process, and its output so far."""

    process: subprocess.Popen[bytes]
    started_at: float
    stdout_lines: list[OutputLine] = field(default_factory=list)
    stderr_lines: list[str] = field(default_factory=list)
    reader_threads: list[threading.Thread] = field(default_factory=list)
    turn_started: threading.Event = field(default_factory=threading.Event)
    """Set at the event ``turn.started``, or at the end of standard output."""

    def wait(self, timeout: float = TIMEOUT) -> int:
        """Wait until the process has ended and its output is read; return the exit code."""
        code = self.process.wait(timeout)
        for reader in self.reader_threads:
            reader.join(timeout)
        for pipe in (self.process.stdout, self.process.stderr):
            pipe.close()  # type: ignore[union-attr]  # a pipe was asked for
        return code

    @property
    def thread_id(self) -> str:
        """The thread id of the event stream.

        Raises:
            LookupError: if there is no such event yet.
        """
        for line in self.stdout_lines:
            event = json.loads(line.text) if line.text.startswith("{") else {}
            if event.get("type") == "thread.started":
                return str(event["thread_id"])
        raise LookupError("the run has not written its thread id")


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """One run of a case.

    Attributes:
        arguments: of the process, without the settings that select the model.
        stdin: its standard input.
        process: the process and its output.
    """

    arguments: tuple[str, ...]
    stdin: str
    process: RecordedProcess


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

    def start(self, *arguments: str, stdin: str = "") -> RecordedProcess:
        """Start the program, write ``stdin``, and read its output in threads."""
        process = subprocess.Popen(  # noqa: S603 - the binary that is recorded
            [str(self.executable), *with_model_options(self.settings, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.work,
            env=dict(self.environment),
            start_new_session=True,
        )
        run = RecordedProcess(process, time.monotonic())
        for read, pipe in ((_read_stdout, process.stdout), (_read_stderr, process.stderr)):
            reader = threading.Thread(target=read, args=(run, pipe), daemon=True)
            reader.start()
            run.reader_threads.append(reader)
        # A program that refuses its arguments may end before it has read its input.
        with suppress(BrokenPipeError), process.stdin:  # type: ignore[union-attr]  # a pipe was asked for
            process.stdin.write(stdin.encode())  # type: ignore[union-attr]  # a pipe was asked for
        return run

    def run(self, *arguments: str, stdin: str = "", timeout: float = TIMEOUT) -> RecordedProcess:
        """Start the program and wait for its end.

        Raises:
            subprocess.TimeoutExpired: if it has not ended after ``timeout`` seconds; it is killed.
        """
        run = self.start(*arguments, stdin=stdin)
        try:
            run.wait(timeout)
        except subprocess.TimeoutExpired:
            run.process.kill()
            run.wait()
            raise
        return run

    def build_recording(
        self, case: str, version: str, run: RecordedRun, *, failure_kind: str = ""
    ) -> Recording:
        """Return the recording of a run, without private values."""
        code = run.process.wait()
        data = run.stdin.encode()
        return Recording(
            case,
            version,
            tuple(self.redactor(argument) for argument in run.arguments),
            {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)},
            tuple(OutputLine(line.at, self.redactor(line.text)) for line in run.process.stdout_lines),
            tuple(self.redactor(line) for line in run.process.stderr_lines),
            code,
            failure_kind,
        )


@contextmanager
def recording_session(executable: Path) -> Iterator[RecordingSession]:
    """Provide a session with a fresh home and a model service; nothing leaves this machine."""
    temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with temporary as name, closing(ModelServer()) as model:
        folder = make_folders(Path(name).resolve())
        settings = tuple(part for item in model.codex_config().items() for part in ("-c", "=".join(item)))
        redactor = Redactor({model.base_url: "{model_server}", **folder_placeholders(folder)})
        yield RecordingSession(
            executable, folder / "work", isolated_environment(folder), settings, model, redactor
        )


def _read_stdout(process: RecordedProcess, pipe: Iterable[bytes]) -> None:
    for line in pipe:
        text = line.decode("utf-8", "replace").removesuffix("\n")
        process.stdout_lines.append(OutputLine(round(time.monotonic() - process.started_at, 2), text))
        if '"type":"turn.started"' in text:
            process.turn_started.set()
    process.turn_started.set()


def _read_stderr(process: RecordedProcess, pipe: Iterable[bytes]) -> None:
    process.stderr_lines.extend(line.decode("utf-8", "replace").removesuffix("\n") for line in pipe)
