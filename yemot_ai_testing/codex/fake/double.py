"""A fake Codex: a real executable named ``codex``, scripted, which answers in milliseconds.

While the context is open, it is the first ``codex`` on ``PATH``::

    >>> import subprocess
    >>> with FakeCodex().answers("hello") as codex:
    ...     command = ["codex", "exec", "--skip-git-repo-check", "-"]
    ...     print(subprocess.run(command, input="who is there?", capture_output=True, text=True).stdout)
    ...     print(codex.requests[0].prompt)
    hello
    <BLANKLINE>
    who is there?

It parses its arguments and its input as the real one does, keeps threads, refuses a second writer, and
writes the recorded output of the real one (``yemot_ai_testing.codex.recordings``).
"""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import time
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.fake.app_server import encode_server_step
from yemot_ai_testing.codex.fake.files import (
    check_script,
    create_state_folder,
    encode_replies,
    encode_step,
    load_recordings,
    read_runs,
)
from yemot_ai_testing.codex.fake.install import FakeProgram, build_program, install, shared_program
from yemot_ai_testing.codex.sandbox import CodexDouble, CodexRun
from yemot_ai_testing.codex.steps import ClientRequest, Replay
from yemot_ai_testing.doubles.steps import (
    BusySession,
    Calls,
    Hang,
    Reconnect,
    Step,
    Transcription,
    UnknownSession,
)

if TYPE_CHECKING:
    from typing import Self

    from yemot_ai_testing.codex.steps import ClientRequestKind
    from yemot_ai_testing.doubles.pauses import PausePoint

__all__ = ["FakeCodex"]

_STEP_KINDS: Final = {
    Hang: "hang",
    UnknownSession: "unknown_session",
    BusySession: "busy_session",
    Replay: "replay",
    Reconnect: "reconnect",
    # Of a model service that shares the script: a process finds nothing scripted.
    Calls: "service",
    Transcription: "service",
}


class FakeCodex(CodexDouble):
    """A scripted executable; a context manager that puts it first on ``PATH``.

    Args:
        version: the recorded version to imitate, ``"0.142.0"``; by default the newest.
        recordings: a folder of your own recordings, for ``replays``. Without ``version`` the fake imitates
            the version in them if that is recorded, else the newest.

    Raises:
        LookupError: if the version is not recorded.
        FileNotFoundError: if the folder has no recordings.

    Attributes:
        executable: its path.
    """

    def __init__(
        self, version: str | None = None, *, recordings: str | os.PathLike[str] | None = None
    ) -> None:
        self._recordings = load_recordings(version, recordings)
        super().__init__()
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

    def replays(self, case: str) -> Self:
        """Let the next process write the output of the recording ``case``.

        Raises:
            KeyError: if there is no such recording.
        """
        if case not in self._recordings:
            raise KeyError(f"no recording {case!r}; there are: {', '.join(sorted(self._recordings))}")
        self._append(Replay(case))
        return self

    def asks(self, kind: ClientRequestKind) -> Self:
        """Let an app-server send its client a request before the model takes the next step.

        It runs no command: if the client approves, the server exits. If the thread's approval policy is
        ``never``, no approval is requested.

        Args:
            kind: ``approval`` of a command, or a ``tool`` call.
        """
        self._append(ClientRequest(kind))
        return self

    def _append(self, step: Step | Replay | ClientRequest) -> None:
        name = f"{len(self._steps):06d}-{_STEP_KINDS.get(type(step), 'answer')}"
        self._steps[name] = step
        (self._state / "server_steps" / name).write_bytes(marshal.dumps(encode_server_step(step)))
        temporary = self._state / "tmp" / name
        temporary.write_bytes(marshal.dumps(encode_step(step, self._recordings)))
        temporary.rename(self._state / "steps" / name)

    def take(self) -> Step | None:
        """Consume the next step instead of a process: for a double that shares this script."""
        while names := [path.name for path in (self._state / "steps").iterdir()]:
            name = min(names)
            with contextlib.suppress(FileNotFoundError):  # a process took it first
                (self._state / "steps" / name).rename(self._state / "taken" / name)
                step = self._steps[name]
                return None if isinstance(step, Replay | ClientRequest) else step
        return None

    @property
    def requests(self) -> list[CodexRun]:
        """The turns so far, oldest first: ``codex exec`` processes, and turns of a ``codex app-server``."""
        return read_runs(self._state)

    def turns_alive(self) -> int:
        """Return how many turns of a ``codex app-server`` are running; the server itself runs on."""
        running = set(self.processes)
        markers = (self._state / "turns").iterdir()
        return sum(int(marker.name.partition("-")[0]) in running for marker in markers)

    def hold(self) -> None:
        """Block every later process, after it has taken its step, until ``release``."""
        gate = self._state / "gate"
        if not gate.exists():
            os.mkfifo(gate)

    def release(self) -> None:
        """Unblock the waiting processes."""
        gate = self._state / "gate"
        if gate.exists():
            # Opening the pipe for writing wakes the readers; kept open, it also wakes late readers.
            self._gate_handles.append(os.open(gate, os.O_RDWR))
            gate.unlink()

    def pause_at(self, point: PausePoint) -> None:
        """Pause every later process or turn before it writes anything, until ``resume()``.

        Raises:
            ValueError: if the point is not ``asked``.
        """
        if point != "asked":
            raise ValueError(
                f"a fake Codex pauses at 'asked', not at {point!r}: `codex exec` writes whole answers; a "
                "ModelServer behind the real Codex pauses in the middle, as does a ScriptedProvider"
            )
        self.hold()

    def resume(self) -> None:
        """Continue the paused processes and turns."""
        self.release()

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> None:
        """Block until ``count`` processes have called the model.

        Raises:
            TimeoutError: if they have not after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while (calls := sum(run.called_model for run in self.requests)) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{calls} of {count} calls within {timeout:g} s")
            # Another waiter may have read the notification: check again after 50 ms.
            if select.select([self._notify_pipe], [], [], min(left, 0.05))[0]:
                os.read(self._notify_pipe, 4096)

    def assert_complete(self) -> None:
        """Check that every step was used and every process had one.

        Raises:
            ScriptMismatchError: if not.
        """
        check_script(self._state, self._steps)

    def close(self) -> None:
        """Kill the processes that still run, restore ``PATH``, and remove the folder."""
        self.release()
        super().close()
        for handle in (self._notify_pipe, *self._gate_handles):
            os.close(handle)
