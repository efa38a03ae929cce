r"""Run a program in its own process group: bytes in, lines out, no process left behind.

``run_process`` runs a program to its end; ``ChildProcess`` is a server on standard input and output.

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
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from pathlib import Path

__all__ = ["LINE_LIMIT", "ChildProcess", "LineFramer", "LineTooLongError", "ProcessResult", "run_process"]

LINE_LIMIT: Final = 8 * 1024 * 1024
"""Maximum bytes of one line."""

_STDERR_LIMIT: Final = 8 * 1024
_STDIN_GRACE: Final = 1.0
"""Seconds between closing a server's standard input and SIGKILL."""
_TERM_GRACE: Final = 0.25
_DRAIN_GRACE: Final = 1.0
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


class _ProcessProtocol(asyncio.SubprocessProtocol):
    """Read the output of a process and learn of its end.

    Attributes:
        done: the process has exited or has written a line that is too long.
        stdout_closed: no further line will be read.
        drained: both output pipes are closed.
    """

    def __init__(self, receive: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[None] = loop.create_future()
        self.stdout_closed: asyncio.Future[None] = loop.create_future()
        self.drained: asyncio.Future[None] = loop.create_future()
        self.line_error: LineTooLongError | None = None
        self.stderr = b""
        self._framer = LineFramer(receive)
        self._open_pipes = {1, 2}

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        chunk = cast("bytes", data)
        if fd == 2:  # noqa: PLR2004 - standard error
            self._append_stderr(chunk)
        elif self.line_error is None:
            self._feed(chunk)

    def _feed(self, chunk: bytes) -> None:
        try:
            self._framer.feed(chunk)
        except LineTooLongError as error:
            self.line_error = error
            self._append_stderr(f"\nit wrote {error}".encode())
            _set_done(self.done)
            _set_done(self.stdout_closed)

    def _append_stderr(self, chunk: bytes) -> None:
        self.stderr = (self.stderr + chunk)[-_STDERR_LIMIT:]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._open_pipes.discard(fd)
        if 1 not in self._open_pipes:
            _set_done(self.stdout_closed)
        if not self._open_pipes:
            _set_done(self.drained)

    def process_exited(self) -> None:
        _set_done(self.exited)
        _set_done(self.done)

    def flush(self) -> None:
        """Emit the bytes after the last line end; raise the error of a line that was too long."""
        if self.line_error is not None:
            raise self.line_error
        self._framer.flush()


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
    transport, protocol = await _spawn(command, receive, env, cwd)
    group = transport.get_pid()
    _running_groups.add(group)
    try:
        _write_stdin(cast("asyncio.WriteTransport", transport.get_pipe_transport(0)), stdin)
        await asyncio.shield(protocol.done)
        _signal(group, signal.SIGKILL)
        # A process that left the group may still hold the pipe open; the output is complete without it.
        await asyncio.wait({protocol.drained}, timeout=_DRAIN_GRACE)
        protocol.flush()
        return _result(transport, protocol)
    finally:
        # A separate task: a second cancellation must not leave half the group alive.
        await asyncio.shield(_start_cleanup(_terminate(transport, protocol, group)))


class ChildProcess:
    """A running server; create one with ``start``."""

    def __init__(
        self,
        transport: asyncio.SubprocessTransport,
        protocol: _ProcessProtocol,
        on_exit: Callable[[], object],
    ) -> None:
        self._on_exit = on_exit
        self._transport = transport
        self._protocol = protocol
        self._stdin = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
        self.pid = transport.get_pid()
        _children[self.pid] = self

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        receive: Callable[[bytes], None],
        on_exit: Callable[[], object],
        env: Mapping[str, str],
        cwd: Path,
    ) -> ChildProcess:
        """Start ``command``.

        Args:
            command: the program and its arguments.
            receive: called with each line of standard output.
            on_exit: called after the process has ended, also at the end of the interpreter.
            env: the whole environment.
            cwd: the working folder.

        Raises:
            OSError: it could not be started.
        """
        transport, protocol = await _spawn(command, receive, env, cwd)
        return cls(transport, protocol, on_exit)

    def write(self, data: bytes) -> None:
        """Write to standard input; a broken pipe is ignored, because ``wait`` reports the end."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._stdin.write(data)

    async def wait(self) -> ProcessResult:
        """Wait until the process ends or closes its standard output; then kill its group."""
        protocol = self._protocol
        await asyncio.wait({protocol.exited, protocol.stdout_closed}, return_when=asyncio.FIRST_COMPLETED)
        # Its last output is still in the pipe, and its exit status arrives a moment later.
        await asyncio.wait({protocol.exited, protocol.stdout_closed}, timeout=_DRAIN_GRACE)
        self.kill()
        await asyncio.wait({protocol.exited}, timeout=_DRAIN_GRACE)
        return _result(self._transport, protocol)

    def kill(self) -> None:
        """Send SIGKILL to the whole group."""
        _signal(self.pid, signal.SIGKILL)

    async def terminate(self) -> None:
        """End the process if it still runs: close standard input, kill the group a second later."""
        try:
            if not self._protocol.exited.done():
                self._stdin.close()
                await asyncio.wait({self._protocol.exited}, timeout=_STDIN_GRACE)
                self.kill()
                await asyncio.wait({self._protocol.exited}, timeout=_DRAIN_GRACE)
        finally:
            # Also when the loop is being closed and cancels this task.
            self.kill()
            self._transport.close()
            if _children.pop(self.pid, None) is not None:
                self._on_exit()

    def kill_now(self) -> None:
        """Kill the group and call ``on_exit``, without a loop."""
        self.kill()
        self._on_exit()

    def detach(self) -> None:
        """Release the process in a forked child of this one: it belongs to the parent."""
        # Held open here, the pipe would keep the server alive after the parent's death.
        self._stdin.get_extra_info("pipe").close()


async def _spawn(
    command: Sequence[str], receive: Callable[[bytes], None], env: Mapping[str, str], cwd: Path
) -> tuple[asyncio.SubprocessTransport, _ProcessProtocol]:
    """Start ``command`` as the leader of a new session, and so of a new process group."""
    loop = asyncio.get_running_loop()
    return await loop.subprocess_exec(
        lambda: _ProcessProtocol(receive), *command, env=dict(env), cwd=cwd, start_new_session=True
    )


def _write_stdin(pipe: asyncio.WriteTransport, data: bytes) -> None:
    # A process may end before it has read everything; its exit says more than the broken pipe.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        pipe.write(data)
    pipe.close()


def _result(transport: asyncio.SubprocessTransport, protocol: _ProcessProtocol) -> ProcessResult:
    return ProcessResult(transport.get_returncode() or 0, protocol.stderr.decode("utf-8", "replace"))


async def _terminate(transport: asyncio.SubprocessTransport, protocol: _ProcessProtocol, group: int) -> None:
    try:
        if transport.get_returncode() is None:
            _signal(group, signal.SIGTERM)
            await asyncio.wait({protocol.drained}, timeout=_TERM_GRACE)
        _signal(group, signal.SIGKILL)
        await asyncio.wait({protocol.exited}, timeout=_DEATH_GRACE)
    finally:
        # Also when the loop is being closed and cancels this task.
        _signal(group, signal.SIGKILL)
        transport.close()
        _running_groups.discard(group)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _set_done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


_cleanup_tasks: set[asyncio.Task[None]] = set()
_running_groups: set[int] = set()
_children: dict[int, ChildProcess] = {}


def _start_cleanup(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
    task = asyncio.create_task(work)
    _cleanup_tasks.add(task)
    task.add_done_callback(_cleanup_tasks.discard)
    return task


def _detach_children() -> None:
    for child in _children.values():
        child.detach()
    _children.clear()


os.register_at_fork(after_in_child=_detach_children)


@atexit.register
def _kill_all() -> None:
    """Leave no process behind when the interpreter ends."""
    for group in tuple(_running_groups):
        _signal(group, signal.SIGKILL)
    for child in tuple(_children.values()):
        child.kill_now()
