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

__all__ = ["LINE_LIMIT", "End", "LineFramer", "LineTooLongError", "run"]

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
class End:
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
            self._grow(line)
            self._hand_on()
        self._grow(rest)

    def end(self) -> None:
        r"""Hand on what stands after the last ``\n``, if anything does."""
        if self._size:
            self._hand_on()

    def _grow(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._limit:
            raise LineTooLongError(f"a line of more than {self._limit} bytes")

    def _hand_on(self) -> None:
        line = b"".join(self._parts)
        self._parts, self._size = [], 0
        self._receive(line)


class _Listener(asyncio.SubprocessProtocol):
    """Hears what a process says, and that it ends."""

    def __init__(self, receive: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        self.over: asyncio.Future[None] = loop.create_future()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.drained: asyncio.Future[None] = loop.create_future()
        self.broken: LineTooLongError | None = None
        self.stderr = b""
        self._framer = LineFramer(receive)
        self._open = {1, 2}

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        chunk = cast("bytes", data)
        if fd == 2:  # noqa: PLR2004 - standard error
            self.stderr = (self.stderr + chunk)[-_STDERR_KEPT:]
        elif self.broken is None:
            self._hear(chunk)

    def _hear(self, chunk: bytes) -> None:
        try:
            self._framer.feed(chunk)
        except LineTooLongError as error:
            # Nobody will read further: the run is over, whether the process knows it or not.
            self.broken = error
            _settle(self.over)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._open.discard(fd)
        if not self._open:
            _settle(self.drained)

    def process_exited(self) -> None:
        _settle(self.exited)
        _settle(self.over)

    def finish(self) -> None:
        """Take what stands after the last line end."""
        if self.broken is not None:
            raise self.broken
        self._framer.end()


async def run(
    command: Sequence[str],
    *,
    stdin: bytes,
    receive: Callable[[bytes], None],
    env: Mapping[str, str],
    cwd: Path,
) -> End:
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
    _living.add(group)
    try:
        _write(cast("asyncio.WriteTransport", transport.get_pipe_transport(0)), stdin)
        await asyncio.shield(listener.over)
        _signal(group, signal.SIGKILL)
        # Whoever left the group may still hold the pipe open; the answer is complete without it.
        await _settled(listener.drained, _DRAIN_GRACE)
        listener.finish()
        return End(cast("int", transport.get_returncode()), listener.stderr.decode("utf-8", "replace"))
    finally:
        # A task of its own: a second cancellation must not leave half the group alive.
        await asyncio.shield(_started(_bury(transport, listener, group)))


async def _spawn(
    command: Sequence[str], receive: Callable[[bytes], None], env: Mapping[str, str], cwd: Path
) -> tuple[asyncio.SubprocessTransport, _Listener]:
    """Start ``command`` as the leader of a session, and so of a process group, of its own."""
    loop = asyncio.get_running_loop()
    return await loop.subprocess_exec(
        lambda: _Listener(receive), *command, env=dict(env), cwd=cwd, start_new_session=True
    )


def _write(pipe: asyncio.WriteTransport, data: bytes) -> None:
    # A process may end before it has read everything; how it ended says more than the broken pipe.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        pipe.write(data)
    pipe.close()


async def _bury(transport: asyncio.SubprocessTransport, listener: _Listener, group: int) -> None:
    try:
        if transport.get_returncode() is None:
            _signal(group, signal.SIGTERM)
            await _settled(listener.drained, _TERM_GRACE)
        _signal(group, signal.SIGKILL)
        await _settled(listener.exited, _DEATH_GRACE)
    finally:
        # Also when the loop itself is being closed, and takes this task down with it.
        _signal(group, signal.SIGKILL)
        transport.close()
        _living.discard(group)


async def _settled(future: asyncio.Future[None], seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.shield(future)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


_burials: set[asyncio.Task[None]] = set()
_living: set[int] = set()


def _started(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
    task = asyncio.create_task(work)
    _burials.add(task)
    task.add_done_callback(_burials.discard)
    return task


@atexit.register
def _end_all() -> None:
    """Leave no process behind when the interpreter ends in the middle of turns."""
    for group in tuple(_living):
        _signal(group, signal.SIGKILL)
