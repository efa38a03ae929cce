"""A program that stays: a process group of its own, written to and heard until one of the two ends it.

``process.run`` is for a program that is asked once; this is for a server on standard input and output.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import signal
from typing import TYPE_CHECKING, Final, cast

from yemot_ai.providers.codex.process import LineFramer, LineTooLongError, ProcessResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["ChildProcess"]

_STDERR_KEPT: Final = 8 * 1024
_EXIT_GRACE: Final = 1.0
_DRAIN_GRACE: Final = 1.0


class _ChildProtocol(asyncio.SubprocessProtocol):
    """Hears what a process says, and that it ends."""

    def __init__(self, receive: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.stdout_closed: asyncio.Future[None] = loop.create_future()
        self.stderr = b""
        self._framer = LineFramer(receive)

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        chunk = cast("bytes", data)
        if fd == 2:  # noqa: PLR2004 - standard error
            self.stderr = (self.stderr + chunk)[-_STDERR_KEPT:]
        elif not self.stdout_closed.done():
            self._feed(chunk)

    def _feed(self, chunk: bytes) -> None:
        try:
            self._framer.feed(chunk)
        except LineTooLongError as error:
            # Nobody will read further: for us the process is over, whether it knows it or not.
            self.stderr = (self.stderr + f"\nit wrote {error}".encode())[-_STDERR_KEPT:]
            _set_done(self.stdout_closed)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if fd == 1:
            _set_done(self.stdout_closed)

    def process_exited(self) -> None:
        _set_done(self.exited)


class ChildProcess:
    """A running program; make one with ``start``."""

    def __init__(
        self, transport: asyncio.SubprocessTransport, protocol: _ChildProtocol, on_exit: Callable[[], object]
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
            receive: called with each line of its standard output.
            on_exit: called once it is gone, also at the end of the interpreter.
            env: its whole environment.
            cwd: its working folder.

        Raises:
            OSError: it could not be started.
        """
        loop = asyncio.get_running_loop()
        transport, ears = await loop.subprocess_exec(
            lambda: _ChildProtocol(receive), *command, env=dict(env), cwd=cwd, start_new_session=True
        )
        return cls(transport, ears, on_exit)

    def write(self, data: bytes) -> None:
        """Write to its standard input; whoever waits for an answer learns of its end from ``wait``."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._stdin.write(data)

    async def wait(self) -> ProcessResult:
        """Wait until it ends, or until nothing can be heard from it any more; then it is killed."""
        await asyncio.wait(
            {self._protocol.exited, self._protocol.stdout_closed}, return_when=asyncio.FIRST_COMPLETED
        )
        # What it wrote before it died is still in the pipe, and what killed it is told a moment later.
        await asyncio.wait({self._protocol.exited, self._protocol.stdout_closed}, timeout=_DRAIN_GRACE)
        self.kill()
        await asyncio.wait({self._protocol.exited}, timeout=_DRAIN_GRACE)
        return self._result()

    def close_stdin(self) -> None:
        """Close its standard input, which asks a server to end."""
        self._stdin.close()

    def kill(self) -> None:
        """Kill its whole group, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def terminate(self) -> None:
        """End it, if it still runs: standard input first, the whole group a second later."""
        try:
            if not self._protocol.exited.done():
                self.close_stdin()
                await asyncio.wait({self._protocol.exited}, timeout=_EXIT_GRACE)
                self.kill()
                await asyncio.wait({self._protocol.exited}, timeout=_DRAIN_GRACE)
        finally:
            # Also when the loop itself is being closed, and takes this task down with it.
            self.kill()
            self._transport.close()
            if _children.pop(self.pid, None) is not None:
                self._on_exit()

    def kill_now(self) -> None:
        """Kill it and clear up after it, without a loop."""
        self.kill()
        self._on_exit()

    def detach(self) -> None:
        """Let go of it in a forked child of this process: it belongs to the parent."""
        # Held open here, it would keep the server alive when the parent has died.
        self._stdin.get_extra_info("pipe").close()

    def _result(self) -> ProcessResult:
        code = self._transport.get_returncode()
        return ProcessResult(
            code if code is not None else 0, self._protocol.stderr.decode("utf-8", "replace")
        )


def _set_done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


_children: dict[int, ChildProcess] = {}


def _detach_children() -> None:
    for child in _children.values():
        child.detach()
    _children.clear()


os.register_at_fork(after_in_child=_detach_children)


@atexit.register
def _kill_children() -> None:
    """Leave no process behind when the interpreter ends."""
    for child in tuple(_children.values()):
        child.kill_now()
