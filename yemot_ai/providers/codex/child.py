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

from yemot_ai.providers.codex.process import End, LineFramer, LineTooLongError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Child"]

_STDERR_KEPT: Final = 8 * 1024
_LEAVE_GRACE: Final = 1.0
_DRAIN_GRACE: Final = 1.0


class _Ears(asyncio.SubprocessProtocol):
    """Hears what a process says, and that it ends."""

    def __init__(self, receive: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.silent: asyncio.Future[None] = loop.create_future()
        self.stderr = b""
        self._framer = LineFramer(receive)

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        chunk = cast("bytes", data)
        if fd == 2:  # noqa: PLR2004 - standard error
            self.stderr = (self.stderr + chunk)[-_STDERR_KEPT:]
        elif not self.silent.done():
            self._hear(chunk)

    def _hear(self, chunk: bytes) -> None:
        try:
            self._framer.feed(chunk)
        except LineTooLongError as error:
            # Nobody will read further: for us the process is over, whether it knows it or not.
            self.stderr = (self.stderr + f"\nit wrote {error}".encode())[-_STDERR_KEPT:]
            _settle(self.silent)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if fd == 1:
            _settle(self.silent)

    def process_exited(self) -> None:
        _settle(self.exited)


class Child:
    """A running program; make one with ``start``."""

    def __init__(
        self, transport: asyncio.SubprocessTransport, ears: _Ears, after: Callable[[], object]
    ) -> None:
        self._after = after
        self._transport = transport
        self._ears = ears
        self._stdin = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
        self.pid = transport.get_pid()
        _living[self.pid] = self

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        receive: Callable[[bytes], None],
        after: Callable[[], object],
        env: Mapping[str, str],
        cwd: Path,
    ) -> Child:
        """Start ``command``.

        Args:
            command: the program and its arguments.
            receive: called with each line of its standard output.
            after: called once it is gone, also at the end of the interpreter.
            env: its whole environment.
            cwd: its working folder.

        Raises:
            OSError: it could not be started.
        """
        loop = asyncio.get_running_loop()
        transport, ears = await loop.subprocess_exec(
            lambda: _Ears(receive), *command, env=dict(env), cwd=cwd, start_new_session=True
        )
        return cls(transport, ears, after)

    def write(self, data: bytes) -> None:
        """Write to its standard input; whoever waits for an answer learns of its end from ``wait``."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._stdin.write(data)

    async def wait(self) -> End:
        """Wait until it ends, or until nothing can be heard from it any more; then it is killed."""
        await asyncio.wait({self._ears.exited, self._ears.silent}, return_when=asyncio.FIRST_COMPLETED)
        # What it wrote before it died is still in the pipe, and what killed it is told a moment later.
        await asyncio.wait({self._ears.exited, self._ears.silent}, timeout=_DRAIN_GRACE)
        self.kill()
        await asyncio.wait({self._ears.exited}, timeout=_DRAIN_GRACE)
        return self._end()

    def leave(self) -> None:
        """Close its standard input, which asks a server to end."""
        self._stdin.close()

    def kill(self) -> None:
        """Kill its whole group, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def bury(self) -> None:
        """End it, if it still runs: standard input first, the whole group a second later."""
        try:
            if not self._ears.exited.done():
                self.leave()
                await asyncio.wait({self._ears.exited}, timeout=_LEAVE_GRACE)
                self.kill()
                await asyncio.wait({self._ears.exited}, timeout=_DRAIN_GRACE)
        finally:
            # Also when the loop itself is being closed, and takes this task down with it.
            self.kill()
            self._transport.close()
            if _living.pop(self.pid, None) is not None:
                self._after()

    def end_now(self) -> None:
        """Kill it and clear up after it, without a loop."""
        self.kill()
        self._after()

    def disown(self) -> None:
        """Let go of it in a forked child of this process: it belongs to the parent."""
        # Held open here, it would keep the server alive when the parent has died.
        self._stdin.get_extra_info("pipe").close()

    def _end(self) -> End:
        code = self._transport.get_returncode()
        return End(code if code is not None else 0, self._ears.stderr.decode("utf-8", "replace"))


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


_living: dict[int, Child] = {}


def _disown_all() -> None:
    for child in _living.values():
        child.disown()
    _living.clear()


os.register_at_fork(after_in_child=_disown_all)


@atexit.register
def _end_all() -> None:
    """Leave no process behind when the interpreter ends."""
    for child in tuple(_living.values()):
        child.end_now()
