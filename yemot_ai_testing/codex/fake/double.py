"""A fake Codex: a real executable named ``codex``, scripted, which answers in milliseconds.

Whatever runs ``codex`` runs this one while the context is open::

    >>> import subprocess
    >>> with FakeCodex().answers("שלום") as codex:
    ...     asked = ["codex", "exec", "--skip-git-repo-check", "-"]
    ...     print(subprocess.run(asked, input="מי שם?", capture_output=True, text=True).stdout)
    ...     print(codex.requests[0].prompt)
    שלום
    <BLANKLINE>
    מי שם?

It reads its arguments and its input as the real one does, keeps threads, refuses a second writer, and
speaks in the recorded words of the real one (``yemot_ai_testing.codex.recordings``).
"""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.fake.app_server import encode_server_step
from yemot_ai_testing.codex.fake.files import (
    create_state_folder,
    encode_replies,
    encode_step,
    load_recordings,
)
from yemot_ai_testing.codex.fake.install import FakeProgram, build_program, install, shared_program
from yemot_ai_testing.codex.sandbox import (
    CodexRun,
    CodexSandbox,
    kill_processes,
    read_instructions,
    running_processes,
)
from yemot_ai_testing.codex.steps import ClientRequest, Replay
from yemot_ai_testing.doubles.script import (
    BusySession,
    Hang,
    ScriptableCodex,
    ScriptMismatchError,
    Step,
    Transcription,
    UnknownSession,
)

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from yemot_ai_testing.codex.steps import ClientRequestKind
    from yemot_ai_testing.doubles.pauses import PausePoint

__all__ = ["FakeCodex"]

_STEP_KINDS: Final = {
    Hang: "hang",
    UnknownSession: "unknown_session",
    BusySession: "busy_session",
    Replay: "replay",
}


class FakeCodex(ScriptableCodex):
    """A scripted executable; a context manager that puts it first on ``PATH``.

    Args:
        version: which recorded version to be, ``"0.142.0"``; by default the newest.
        recordings: a folder of recordings of your own, for ``replays``. Without ``version`` the fake is
            the recorded version that they were made with, as far as that is recorded.

    Raises:
        LookupError: the version is not recorded.
        FileNotFoundError: the folder holds no recordings.

    Attributes:
        executable: where it lies.
    """

    def __init__(
        self, version: str | None = None, *, recordings: str | os.PathLike[str] | None = None
    ) -> None:
        self._recordings = load_recordings(version, recordings)
        self._sandbox = CodexSandbox()
        self.executable: Path = self._sandbox.executable
        self._state = self._sandbox.folder / "state"
        self._steps: dict[str, Step | Replay | ClientRequest] = {}
        create_state_folder(self._state)
        install(self.executable, self._program(shares=recordings is None))
        self._notify_pipe = os.open(self._state / "notify", os.O_RDWR | os.O_NONBLOCK)
        self._gate_handles: list[int] = []

    def _program(self, *, shares: bool) -> FakeProgram:
        if shares:
            return shared_program(
                self._recordings["answer"].version, lambda: encode_replies(self._recordings)
            )
        return build_program(self._sandbox.folder / "own", encode_replies(self._recordings))

    def add(self, step: Step) -> None:
        """Append a step; the next process that comes to the model takes it.

        Raises:
            TypeError: Codex hears nothing.
        """
        if isinstance(step, Transcription):
            raise TypeError("Codex transcribes nothing: script that on the double of who does")
        self._queue(step)

    def replays(self, case: str) -> Self:
        """Let the next process end its turn as the recording ``case`` did.

        Raises:
            KeyError: there is no such recording.
        """
        if case not in self._recordings:
            raise KeyError(f"no recording {case!r}; there are: {', '.join(sorted(self._recordings))}")
        self._queue(Replay(case))
        return self

    def asks(self, kind: ClientRequestKind) -> Self:
        """Let an app-server ask its client, before the model goes on with the next step.

        It runs nothing: a client that grants what it is asked finds the server gone. Where the thread's
        policy is to ask ``never``, it asks for no approval.

        Args:
            kind: ``approval``: to run a command; ``tool``: to be a tool of the model's.
        """
        self._queue(ClientRequest(kind))
        return self

    def _queue(self, step: Step | Replay | ClientRequest) -> None:
        name = f"{len(self._steps):06d}-{_STEP_KINDS.get(type(step), 'answer')}"
        self._steps[name] = step
        (self._state / "server_steps" / name).write_bytes(marshal.dumps(encode_server_step(step)))
        draft = self._state / "tmp" / name
        draft.write_bytes(marshal.dumps(encode_step(step, self._recordings)))
        draft.rename(self._state / "steps" / name)

    def take(self) -> Step | None:
        """Consume the next step in the place of a process: for a double that shares this script."""
        for name in sorted(path.name for path in (self._state / "steps").iterdir()):
            with contextlib.suppress(FileNotFoundError):  # a process was quicker
                (self._state / "steps" / name).rename(self._state / "taken" / name)
                step = self._steps[name]
                return None if isinstance(step, Replay | ClientRequest) else step
        return None

    @property
    def requests(self) -> list[CodexRun]:
        """The turns so far, oldest first: ``codex exec`` processes, and turns of a ``codex app-server``."""
        return [_codex_run(note) for note in self._run_records()]

    @property
    def processes(self) -> tuple[int, ...]:
        """The processes of runs that are still alive, what they have started included."""
        return running_processes(note["pid"] for note in self._run_records())

    def processes_alive(self) -> int:
        """How many of them there are."""
        return len(self.processes)

    def turns_alive(self) -> int:
        """How many turns of a ``codex app-server`` are under way: the server stays when they are over."""
        running = set(self.processes)
        return sum(int(mark.name.partition("-")[0]) in running for mark in (self._state / "turns").iterdir())

    def hold(self) -> None:
        """Let every later process wait, once it has taken its step, until ``release``."""
        gate = self._state / "gate"
        if not gate.exists():
            os.mkfifo(gate)

    def release(self) -> None:
        """Let the waiting processes go on."""
        gate = self._state / "gate"
        if gate.exists():
            # Readers and writers wake each other; kept open, it wakes one that was about to wait, too.
            self._gate_handles.append(os.open(gate, os.O_RDWR))
            gate.unlink()

    def pause_at(self, point: PausePoint) -> None:
        """Let every later process or turn stand still before it writes anything, until ``resume()``.

        Raises:
            ValueError: it is another point than ``asked``.
        """
        if point != "asked":
            raise ValueError(
                f"a fake Codex pauses at 'asked', not at {point!r}: what `codex exec` answers comes whole; a "
                "ModelServer behind the real Codex pauses in the middle, as does a ScriptedProvider"
            )
        self.hold()

    def resume(self) -> None:
        """Let everything go on that stands there."""
        self.release()

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> None:
        """Block until ``count`` processes have asked the model.

        Raises:
            TimeoutError: they had not, after ``timeout`` seconds.
        """
        ends = time.monotonic() + timeout
        while (asked := sum(1 for note in self._run_records() if note["called_model"])) < count:
            left = ends - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{asked} of {count} calls within {timeout:g} s")
            # Another waiter may have heard the bell for us: look again now and then.
            if select.select([self._notify_pipe], [], [], min(left, 0.05))[0]:
                os.read(self._notify_pipe, 4096)

    def assert_complete(self) -> None:
        """Check that every step was used and every process had one.

        Raises:
            ScriptMismatchError: it was not so.
        """
        left = sorted(path.name for path in (self._state / "steps").iterdir())
        unscripted = [_codex_run(note).prompt for note in self._run_records() if note["unscripted"]]
        if left or unscripted:
            asked = [_codex_run(note).prompt for note in self._run_records() if note["called_model"]]
            raise ScriptMismatchError(
                unscripted=unscripted, unused=[self._steps[name] for name in left], prompts=asked
            )

    def close(self) -> None:
        """End what still runs, put ``PATH`` back, and remove the folder."""
        self.release()
        kill_processes((note["pid"] for note in self._run_records()), self._sandbox)
        for handle in (self._notify_pipe, *self._gate_handles):
            os.close(handle)
        self._sandbox.remove()

    def __enter__(self) -> Self:
        self._sandbox.activate()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.assert_complete()
        finally:
            self.close()

    def _run_records(self) -> list[dict[str, Any]]:
        paths = sorted((self._state / "runs").glob("*"))
        return [marshal.loads(path.read_bytes()) for path in paths]  # noqa: S302 - our own program wrote it


def _codex_run(record: dict[str, Any]) -> CodexRun:
    return CodexRun(
        argv=tuple(record["argv"]),
        prompt=record["prompt"].decode("utf-8", "replace"),
        cwd=record["cwd"],
        env_names=frozenset(record["env"]),
        pid=record["pid"],
        session=record["resumed_thread"] or None,
        thread_id=record["thread"],
        called_model=record["called_model"],
        instructions=record["instructions"] or read_instructions(record["argv"]),
    )
