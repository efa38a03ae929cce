r"""Run a program in its own process group: bytes in, lines out, no process left behind.

``run_process`` runs a program to its end; ``ChildProcess`` is a program that is still running.

asyncio's ``StreamReader.readline`` refuses lines of more than 64 KiB, and waits for pipes that a
grandchild may hold open; so the pipes are read here, and lines are split at ``\n`` alone.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self, cast

from yemot_ai._runtime.tasks import run_shielded
from yemot_ai.providers.codex.descendants import MARK, kill_marked, marked
from yemot_ai.providers.codex.parent_watch import ParentWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["LINE_LIMIT", "ChildProcess", "LineFramer", "LineTooLongError", "ProcessResult", "run_process"]

LINE_LIMIT: Final = 8 * 1024 * 1024
"""Maximum bytes of one line."""

_NEW_SESSION: Final = True
"""Whether a process leads a new session, and so a new process group."""

_STDERR_LIMIT: Final = 8 * 1024
_STDIN_GRACE: Final = 1.0
"""Seconds between closing standard input and SIGTERM."""
_TERM_GRACE: Final = 0.25
"""Seconds between SIGTERM and SIGKILL."""
_DRAIN_GRACE: Final = 1.0
"""Seconds to wait for the rest of the output; a process that left the group may hold the pipes open."""
_DEATH_GRACE: Final = 10.0
"""Seconds to wait for the exit status after SIGKILL; on a busy machine it arrives late."""


class LineTooLongError(ValueError):
    """A line is longer than ``LINE_LIMIT``."""


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a process ended.

    Attributes:
        exit_code: as in ``Popen.returncode``: negative for a signal.
        stderr_tail: the last 8 KiB of standard error.
    """

    exit_code: int
    stderr_tail: str


class LineFramer:
    """Split a stream of bytes into lines."""

    def __init__(self, receive: Callable[[bytes], None], limit: int = LINE_LIMIT) -> None:
        self._receive = receive
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        r"""Add bytes; emit each line that they complete, without its ``\n``.

        Raises:
            LineTooLongError: the line is longer than the limit.
        """
        *ended, rest = data.split(b"\n")
        for line in ended:
            self._append(line)
            self._emit_line()
        self._append(rest)

    def flush(self) -> None:
        r"""Emit the bytes after the last ``\n``, if there are any."""
        if self._size:
            self._emit_line()

    def _append(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._limit:
            raise LineTooLongError(f"a line of more than {self._limit} bytes")

    def _emit_line(self) -> None:
        line = b"".join(self._parts)
        self._parts, self._size = [], 0
        self._receive(line)


class ChildProcess(asyncio.SubprocessProtocol):
    """A running program and its process group; ``start`` creates one.

    Attributes:
        pid: the id of the process and of its group.
    """

    def __init__(
        self, receive: Callable[[bytes], None], on_exit: Callable[[], object] | None, *, mark: str
    ) -> None:
        loop = asyncio.get_running_loop()
        self._mark = mark
        self._on_exit = on_exit
        self._framer = LineFramer(receive)
        self._line_error: LineTooLongError | None = None
        self._stderr = b""
        self._open_pipes = {1, 2}
        self._exited: asyncio.Future[None] = loop.create_future()
        self._stdout_closed: asyncio.Future[None] = loop.create_future()
        self._drained: asyncio.Future[None] = loop.create_future()
        """Both output pipes are closed."""
        self._watch: ParentWatch

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        receive: Callable[[bytes], None],
        env: Mapping[str, str],
        cwd: Path,
        on_exit: Callable[[], object] | None = None,
    ) -> Self:
        """Start ``command``; ``terminate`` has to be called at the end.

        Args:
            command: the program and its arguments.
            receive: called with each line of standard output.
            env: the whole environment.
            cwd: the working folder.
            on_exit: called after the process has ended, also at the end of the interpreter.

        Raises:
            OSError: it could not be started.
        """
        own_env = marked(env)
        _, child = await asyncio.get_running_loop().subprocess_exec(
            lambda: cls(receive, on_exit, mark=own_env[MARK]),
            *command,
            env=own_env,
            cwd=cwd,
            start_new_session=_NEW_SESSION,
        )
        # Not before: a start that is cancelled is ended by asyncio, and nothing would end its watch.
        child._watch = ParentWatch(child.pid)  # noqa: SLF001 - of this class
        _children.add(child)
        return child

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the process."""
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self._stdin = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))
        self.pid = self._transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        """Read output; kill the group if a line is too long."""
        chunk = cast("bytes", data)
        if fd == 2:  # noqa: PLR2004 - standard error
            self._append_stderr(chunk)
        elif self._line_error is None:
            try:
                self._framer.feed(chunk)
            except LineTooLongError as error:
                self._line_error = error
                self._append_stderr(f"\nit wrote {error}".encode())
                self.kill()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Note that a pipe was closed."""
        self._open_pipes.discard(fd)
        if fd == 1:
            self._stdout_closed.set_result(None)
        if not self._open_pipes and not self._drained.done():
            self._drained.set_result(None)

    def process_exited(self) -> None:
        """Note the end of the process."""
        self._exited.set_result(None)

    def write(self, data: bytes) -> None:
        """Write to standard input; a broken pipe is ignored, because ``wait`` reports the end."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._stdin.write(data)

    def close_stdin(self) -> None:
        """Close standard input after what was written."""
        self._stdin.close()

    async def wait(self, *, exit_grace: float | None) -> ProcessResult:
        """Wait for the end, kill what is left of the group, and read the rest of the output.

        Args:
            exit_grace: seconds that the process has left after it has closed its standard output; None
                for any time.
        """
        await asyncio.wait({self._exited, self._stdout_closed}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({self._exited}, timeout=exit_grace)
        self.kill()
        await asyncio.wait({self._exited, self._drained}, timeout=_DRAIN_GRACE)
        exit_code = self._transport.get_returncode() or 0
        return ProcessResult(exit_code, self._stderr.decode("utf-8", "replace"))

    def flush(self) -> None:
        """Emit the bytes after the last line end.

        Raises:
            LineTooLongError: a line was longer than ``LINE_LIMIT``.
        """
        if self._line_error is not None:
            raise self._line_error
        self._framer.flush()

    def kill(self) -> None:
        """Send SIGKILL to the whole group."""
        _signal(self.pid, signal.SIGKILL)

    async def terminate(self) -> None:
        """End the group: close standard input if it is open, then SIGTERM, then SIGKILL."""
        try:
            if not self._exited.done() and not self._stdin.is_closing():
                self.close_stdin()
                await asyncio.wait({self._exited}, timeout=_STDIN_GRACE)
            if not self._exited.done():
                _signal(self.pid, signal.SIGTERM)
                await asyncio.wait({self._drained}, timeout=_TERM_GRACE)
            self.kill()
            await asyncio.wait({self._exited}, timeout=_DEATH_GRACE)
        finally:
            # Also when the loop is being closed and cancels this task.
            self.kill_now()
            self._transport.close()

    def kill_now(self) -> None:
        """Kill the group and what has left it, and call ``on_exit``, without a loop."""
        self.kill()
        if self in _children:
            _children.remove(self)
            kill_marked(self._mark)
            self._watch.stop()
            if self._on_exit is not None:
                self._on_exit()

    def detach(self) -> None:
        """Release the process in a forked child of this one: it belongs to the parent."""
        # Held open here, the pipe would keep the process alive after the parent's death.
        self._stdin.get_extra_info("pipe").close()
        self._watch.detach()

    def _append_stderr(self, chunk: bytes) -> None:
        self._stderr = (self._stderr + chunk)[-_STDERR_LIMIT:]


async def run_process(
    command: Sequence[str],
    *,
    stdin: bytes,
    receive: Callable[[bytes], None],
    env: Mapping[str, str],
    cwd: Path,
) -> ProcessResult:
    """Run ``command`` to its end.

    Cancelling ends the whole process group: SIGTERM, and SIGKILL a quarter of a second later. What
    the process leaves in its group when it ends is killed as well.

    Args:
        command: the program and its arguments.
        stdin: written to standard input, which is then closed.
        receive: called with each line of standard output.
        env: the whole environment.
        cwd: the working folder.

    Returns:
        How it ended.

    Raises:
        LineTooLongError: it wrote a line of more than ``LINE_LIMIT`` bytes; it is killed.
        OSError: it could not be started.
    """
    child = await ChildProcess.start(command, receive=receive, env=env, cwd=cwd)
    try:
        child.write(stdin)
        child.close_stdin()
        result = await child.wait(exit_grace=None)
        child.flush()
        return result
    finally:
        # Shielded: a second cancellation must not leave half the group alive.
        await run_shielded(child.terminate())


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


_children: set[ChildProcess] = set()


def _detach_children() -> None:
    for child in _children:
        child.detach()
    _children.clear()


os.register_at_fork(after_in_child=_detach_children)


@atexit.register
def _kill_all() -> None:
    """Leave no process behind when the interpreter ends."""
    for child in tuple(_children):
        child.kill_now()
