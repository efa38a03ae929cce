r"""One run of a program in a process group of its own: bytes in, lines out, nothing left behind.

asyncio's own ``StreamReader.readline`` refuses lines of more than 64 KiB, and waits for pipes that a
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

__all__ = ["LINE_LIMIT", "LineFramer", "LineTooLongError", "ProcessResult", "run_process"]

LINE_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of one line that are still believed to be a message."""

_STDERR_KEPT: Final = 8 * 1024
_TERM_GRACE: Final = 0.25
_DRAIN_GRACE: Final = 1.0
_DEATH_GRACE: Final = 10.0
"""Seconds: a process that was sent SIGKILL dies; on a busy machine it takes a while to be told of it."""


class LineTooLongError(ValueError):
    """A line has passed ``LINE_LIMIT`` without an end."""


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a process ended.

    Attributes:
        exit_code: as ``Popen`` sees it: negative for a signal.
        stderr_tail: the last 8 KiB of standard error.
    """

    exit_code: int
    stderr_tail: str


class LineFramer:
    """Cuts a stream of bytes into lines."""

    def __init__(self, receive: Callable[[bytes], None], limit: int = LINE_LIMIT) -> None:
        self._receive = receive
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        r"""Take some bytes; every line that they complete is handed on, without its ``\n``.

        Raises:
            LineTooLongError: the line has grown beyond the limit.
        """
        *ended, rest = data.split(b"\n")
        for line in ended:
            self._append(line)
            self._emit_line()
        self._append(rest)

    def flush(self) -> None:
        r"""Hand on what stands after the last ``\n``, if anything does."""
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


class _RunProtocol(asyncio.SubprocessProtocol):
    """Hears what a process says, and that it ends."""

    def __init__(self, receive: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = loop.create_future()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.drained: asyncio.Future[None] = loop.create_future()
        self.line_error: LineTooLongError | None = None
        self.stderr = b""
        self._framer = LineFramer(receive)
        self._open_pipes = {1, 2}

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        chunk = cast("bytes", data)
        if fd == 2:  # noqa: PLR2004 - standard error
            self.stderr = (self.stderr + chunk)[-_STDERR_KEPT:]
        elif self.line_error is None:
            self._feed(chunk)

    def _feed(self, chunk: bytes) -> None:
        try:
            self._framer.feed(chunk)
        except LineTooLongError as error:
            # Nobody will read further: the run is over, whether the process knows it or not.
            self.line_error = error
            _set_done(self.done)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._open_pipes.discard(fd)
        if not self._open_pipes:
            _set_done(self.drained)

    def process_exited(self) -> None:
        _set_done(self.exited)
        _set_done(self.done)

    def flush(self) -> None:
        """Take what stands after the last line end."""
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
    the process has left behind in its group when it ends is killed as well.

    Args:
        command: the program and its arguments.
        stdin: written to it; then its standard input is closed.
        receive: called with each line of its standard output.
        env: its whole environment.
        cwd: its working folder.

    Returns:
        How it ended.

    Raises:
        LineTooLongError: it wrote a line of more than ``LINE_LIMIT`` bytes; it is killed.
        OSError: it could not be started.
    """
    transport, listener = await _spawn(command, receive, env, cwd)
    group = transport.get_pid()
    _running_groups.add(group)
    try:
        _write_stdin(cast("asyncio.WriteTransport", transport.get_pipe_transport(0)), stdin)
        await asyncio.shield(listener.done)
        _signal(group, signal.SIGKILL)
        # Whoever left the group may still hold the pipe open; the answer is complete without it.
        await _wait_until_done(listener.drained, _DRAIN_GRACE)
        listener.flush()
        return ProcessResult(
            cast("int", transport.get_returncode()), listener.stderr.decode("utf-8", "replace")
        )
    finally:
        # A task of its own: a second cancellation must not leave half the group alive.
        await asyncio.shield(_start_cleanup(_terminate(transport, listener, group)))


async def _spawn(
    command: Sequence[str], receive: Callable[[bytes], None], env: Mapping[str, str], cwd: Path
) -> tuple[asyncio.SubprocessTransport, _RunProtocol]:
    """Start ``command`` as the leader of a session, and so of a process group, of its own."""
    loop = asyncio.get_running_loop()
    return await loop.subprocess_exec(
        lambda: _RunProtocol(receive), *command, env=dict(env), cwd=cwd, start_new_session=True
    )


def _write_stdin(pipe: asyncio.WriteTransport, data: bytes) -> None:
    # A process may end before it has read everything; how it ended says more than the broken pipe.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        pipe.write(data)
    pipe.close()


async def _terminate(transport: asyncio.SubprocessTransport, listener: _RunProtocol, group: int) -> None:
    try:
        if transport.get_returncode() is None:
            _signal(group, signal.SIGTERM)
            await _wait_until_done(listener.drained, _TERM_GRACE)
        _signal(group, signal.SIGKILL)
        await _wait_until_done(listener.exited, _DEATH_GRACE)
    finally:
        # Also when the loop itself is being closed, and takes this task down with it.
        _signal(group, signal.SIGKILL)
        transport.close()
        _running_groups.discard(group)


async def _wait_until_done(future: asyncio.Future[None], seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.shield(future)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _set_done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


_cleanup_tasks: set[asyncio.Task[None]] = set()
_running_groups: set[int] = set()


def _start_cleanup(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
    task = asyncio.create_task(work)
    _cleanup_tasks.add(task)
    task.add_done_callback(_cleanup_tasks.discard)
    return task


@atexit.register
def _kill_all() -> None:
    """Leave no process behind when the interpreter ends in the middle of turns."""
    for group in tuple(_running_groups):
        _signal(group, signal.SIGKILL)
