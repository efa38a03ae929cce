"""Where one run of a Codex is recorded: a fresh home, a model that plays a script, and a clock."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from yemot_ai_testing.codex.real import led_to
from yemot_ai_testing.codex.recordings import Line, Recording
from yemot_ai_testing.codex.redact import Scrub
from yemot_ai_testing.doubles.model_service.server import CODEX_KEY_VARIABLE, ModelServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from yemot_ai_testing.doubles.script import FailureKind

__all__ = ["TIMEOUT", "Model", "Run", "Studio", "Take", "studio", "version_of"]

TIMEOUT: Final = 30.0
"""Seconds that a run may take in a studio."""

_NOWHERE: Final = "http://127.0.0.1:9"
"""Where whatever would leave this machine ends."""


class Model(Protocol):
    """What a case tells a model to do: a service behind the real Codex, or the fake itself."""

    def answers(self, text: str | Sequence[str]) -> object:
        """Answer the next call."""
        ...

    def fails(self, kind: FailureKind) -> object:
        """Refuse the next call."""
        ...

    def hangs(self) -> object:
        """Never answer the next call."""
        ...

    def drops(self, text: str | Sequence[str]) -> object:
        """Break off in the middle of the next answer."""
        ...

    def emits(self, *items: Mapping[str, Any], text: str | None = None) -> object:
        """Answer the next call with output items, and then with a text, if any."""
        ...

    def wait_asked(self, count: int) -> None:
        """Block until ``count`` calls have been made in all."""
        ...


@dataclass(slots=True)
class Run:
    """One process, and what it has written so far."""

    process: subprocess.Popen[bytes]
    started: float
    lines: list[Line] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    readers: list[threading.Thread] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    """Set once it has told that its turn has begun, or will tell nothing any more."""

    def wait(self, timeout: float = TIMEOUT) -> int:
        """The exit code, once everything is read."""
        code = self.process.wait(timeout)
        for reader in self.readers:
            reader.join(timeout)
        for pipe in (self.process.stdout, self.process.stderr):
            pipe.close()  # type: ignore[union-attr]  # a pipe was asked for
        return code

    @property
    def thread_id(self) -> str:
        """The thread that the stream is about.

        Raises:
            LookupError: it has not named one.
        """
        for line in self.lines:
            event = json.loads(line.text) if line.text.startswith("{") else {}
            if event.get("type") == "thread.started":
                return str(event["thread_id"])
        raise LookupError("the run has not named its thread")


@dataclass(frozen=True, slots=True)
class Take:
    """What one case has to show.

    Attributes:
        arguments: of the process, without the settings that lead it to the model.
        stdin: what it was given to read.
        run: how it went.
    """

    arguments: tuple[str, ...]
    stdin: str
    run: Run


@dataclass(frozen=True, slots=True)
class Studio:
    """A place to run one executable in.

    Attributes:
        executable: the program.
        work: its working folder.
        environment: its whole environment.
        settings: the ``-c`` options that lead it to the model; none for one that needs no leading.
        model: who answers it.
        scrub: what must not stay in a recording.
    """

    executable: Path
    work: Path
    environment: Mapping[str, str]
    settings: tuple[str, ...]
    model: Model
    scrub: Scrub

    def start(self, *arguments: str, stdin: str = "") -> Run:
        """Start the program, give it ``stdin``, and listen."""
        process = subprocess.Popen(  # noqa: S603 - the binary that is recorded
            [str(self.executable), *led_to(self.settings, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.work,
            env=dict(self.environment),
            start_new_session=True,
        )
        run = Run(process, time.monotonic())
        for read, pipe in ((_hear, process.stdout), (_overhear, process.stderr)):
            reader = threading.Thread(target=read, args=(run, pipe), daemon=True)
            reader.start()
            run.readers.append(reader)
        # A program may refuse its arguments, and be gone before it has read anything.
        with suppress(BrokenPipeError), process.stdin:  # type: ignore[union-attr]  # a pipe was asked for
            process.stdin.write(stdin.encode())  # type: ignore[union-attr]  # a pipe was asked for
        return run

    def run(self, *arguments: str, stdin: str = "", timeout: float = TIMEOUT) -> Run:
        """Start the program and wait for its end.

        Raises:
            subprocess.TimeoutExpired: it had not ended, after ``timeout`` seconds; it is killed.
        """
        run = self.start(*arguments, stdin=stdin)
        try:
            run.wait(timeout)
        except subprocess.TimeoutExpired:
            run.process.kill()
            run.wait()
            raise
        return run

    def recording(self, case: str, version: str, take: Take, *, fate: str = "") -> Recording:
        """What is published of a run."""
        code = take.run.wait()
        data = take.stdin.encode()
        return Recording(
            case,
            version,
            tuple(self.scrub(argument) for argument in take.arguments),
            {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)},
            tuple(Line(line.at, self.scrub(line.text)) for line in take.run.lines),
            tuple(self.scrub(line) for line in take.run.errors),
            code,
            fate,
        )


@contextmanager
def studio(executable: Path) -> Iterator[Studio]:
    """A studio with a fresh home and a model service; nothing in it leaves this machine."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, ModelServer() as model:
        folder = furnished(Path(name).resolve())
        settings = tuple(part for item in model.codex_config().items() for part in ("-c", "=".join(item)))
        scrub = Scrub({model.base_url: "{model_server}", **places(folder)})
        yield Studio(executable, folder / "work", environment(folder), settings, model, scrub)


def furnished(folder: Path) -> Path:
    """The folder, with the folders that a run needs."""
    for part in ("home", "user", "work"):
        (folder / part).mkdir()
    return folder


def environment(folder: Path) -> dict[str, str]:
    """The whole environment of a run whose homes lie in ``folder``."""
    closed = {"HTTPS_PROXY": _NOWHERE, "ALL_PROXY": _NOWHERE, "NO_PROXY": "127.0.0.1"}
    homes = {"HOME": str(folder / "user"), "CODEX_HOME": str(folder / "home")}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", CODEX_KEY_VARIABLE: "none", **closed, **homes}


def places(folder: Path) -> dict[str, str]:
    """What stands in a recording for the folders of its run."""
    return {str(folder): "{folder}", tempfile.gettempdir(): "{temporary}"}


def version_of(executable: Path) -> str:
    """The version that an executable says it is.

    Raises:
        ValueError: it does not say, so it is hardly a Codex.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = furnished(Path(name).resolve())
        try:
            said = subprocess.run(  # noqa: S603 - the binary to record
                [executable, "--version"],
                check=True,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                env=environment(folder),
                timeout=TIMEOUT,
            ).stdout.split()
        except (OSError, subprocess.SubprocessError) as error:
            raise ValueError(f"{executable} does not tell its version: {error}") from error
    if not said:
        raise ValueError(f"{executable} does not tell its version")
    return said[-1]


def _hear(run: Run, pipe: Iterable[bytes]) -> None:
    for line in pipe:
        text = line.decode("utf-8", "replace").removesuffix("\n")
        run.lines.append(Line(round(time.monotonic() - run.started, 2), text))
        if '"type":"turn.started"' in text:
            run.begun.set()
    run.begun.set()


def _overhear(run: Run, pipe: Iterable[bytes]) -> None:
    run.errors.extend(line.decode("utf-8", "replace").removesuffix("\n") for line in pipe)
