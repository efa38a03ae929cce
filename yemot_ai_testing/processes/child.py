r"""One child process with a process group of its own: its input, its output, its end.

>>> with ChildProcess(["cat"], env={"PATH": "/usr/bin:/bin"}) as process:
...     process.write_stdin(b"hello\n").read_line(10)
...     process.close_stdin().wait(10)
b'hello\n'
0
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Self

__all__ = ["ChildProcess"]

_WRITE_TIMEOUT: Final = 10.0
_CHUNK: Final = 1 << 16


class ChildProcess:
    """A child process that leads its own process group; a context manager that ends the group.

    The output is read while a method waits. Until then it stays in the pipe, so a process that writes more
    than a pipe holds (64 KiB) pauses.

    Args:
        command: the program and its arguments.
        env: its whole environment.
        cwd: its working folder; None for that of this process.
        stdin: a pipe, or a file or constant as in ``Popen``.
        output: two pipes, or the file or constant for both streams.

    Raises:
        OSError: if the program cannot be started.

    Attributes:
        stdout: what was read of its standard output so far.
        stderr: what was read of its standard error so far.
        arrivals: for each piece of standard output, the seconds since the start, and the size of ``stdout``
            with it.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | str | None = None,
        stdin: int | IO[bytes] = subprocess.PIPE,
        output: int | IO[bytes] = subprocess.PIPE,
    ) -> None:
        self._name = command[0]
        self._started_at = time.monotonic()
        self._popen = subprocess.Popen(  # noqa: S603 - the callers start programs that a test or a user names
            list(command),
            bufsize=0,
            env=dict(env),
            cwd=cwd,
            stdin=stdin,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        self.stdout, self.stderr = bytearray(), bytearray()
        outputs = ((self._popen.stdout, self.stdout), (self._popen.stderr, self.stderr))
        self._outputs = {pipe: read for pipe, read in outputs if pipe is not None}
        self.arrivals: list[tuple[float, int]] = []
        self._next_line = 0
        self._unwritten = b""
        if self._popen.stdin is not None:
            os.set_blocking(self._popen.stdin.fileno(), False)

    @property
    def pid(self) -> int:
        """The id of the process and of its group."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._popen.poll()

    def write_stdin(self, data: bytes | str) -> Self:
        """Write to standard input; nothing happens if the process has closed it.

        Raises:
            TimeoutError: if the process does not read.
        """
        stdin = self._popen.stdin
        self._unwritten = (
            b"" if stdin is None or stdin.closed else data.encode() if isinstance(data, str) else data
        )
        if not self._transfer_until(lambda: not self._unwritten, _WRITE_TIMEOUT):
            raise TimeoutError(f"{self._name} does not read its input for {_WRITE_TIMEOUT:g} s")
        return self

    def close_stdin(self) -> Self:
        """Close standard input."""
        self._unwritten = b""
        if self._popen.stdin is not None:
            self._popen.stdin.close()
        return self

    def close_stdout(self) -> Self:
        """Close the reading end of standard output."""
        if self._popen.stdout in self._outputs:
            self._close_output(self._popen.stdout)
        return self

    def read_until(self, word: bytes, timeout: float) -> bool:
        """Read standard output until it contains ``word``.

        Args:
            word: the bytes.
            timeout: seconds.

        Returns:
            Whether it contains the word; False if standard output was closed, or the time is over.
        """
        return self._transfer_until(lambda: word in self.stdout, timeout)

    def read_line(self, timeout: float) -> bytes:
        """Return the next line of standard output; an incomplete or empty one at its end.

        Args:
            timeout: seconds.

        Raises:
            TimeoutError: if there is none after ``timeout`` seconds.
        """
        if not self._transfer_until(self._is_line_complete, timeout):
            raise TimeoutError(f"{self._name} writes nothing for {timeout:g} s")
        end = self.stdout.find(b"\n", self._next_line) + 1 or len(self.stdout)
        line, self._next_line = bytes(self.stdout[self._next_line : end]), end
        return line

    def wait(self, timeout: float) -> int:
        """Wait for the end of the process, and of all that have its output; return its exit code.

        Args:
            timeout: seconds.

        Raises:
            TimeoutError: if it still runs after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        self._transfer_until(lambda: False, timeout)
        try:
            code = self._popen.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            code = None
        if code is None or self._outputs:
            raise TimeoutError(f"{self._name} still runs after {timeout:g} s")
        self.close_stdin()
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self._popen.send_signal(number)

    def close(self) -> None:
        """Kill the group, and wait for the end of the process."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        self.close_stdin()
        for pipe in tuple(self._outputs):
            self._close_output(pipe)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_line_complete(self) -> bool:
        return b"\n" in self.stdout[self._next_line :] or self._popen.stdout not in self._outputs

    def _transfer_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Read and write until the condition holds, all pipes are closed, or the time is over."""
        deadline = time.monotonic() + timeout
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0 or not self._transfer(left):
                return condition()
        return True

    def _transfer(self, timeout: float) -> bool:
        """Read and write what is possible within ``timeout`` seconds; return whether a pipe was open."""
        with selectors.DefaultSelector() as selector:
            for pipe in self._outputs:
                selector.register(pipe, selectors.EVENT_READ, self._read)
            if self._unwritten and self._popen.stdin is not None:
                selector.register(self._popen.stdin, selectors.EVENT_WRITE, self._write)
            pipes = len(selector.get_map())
            for key, _ in selector.select(timeout) if pipes else ():
                key.data(key.fileobj)
            return bool(pipes)

    def _read(self, pipe: IO[bytes]) -> None:
        chunk = os.read(pipe.fileno(), _CHUNK)
        self._outputs[pipe] += chunk
        if not chunk:
            self._close_output(pipe)
        elif pipe is self._popen.stdout:
            self.arrivals.append((time.monotonic() - self._started_at, len(self.stdout)))

    def _write(self, pipe: IO[bytes]) -> None:
        try:
            written = os.write(pipe.fileno(), self._unwritten)
        except BrokenPipeError:
            written = len(self._unwritten)
        self._unwritten = self._unwritten[written:]

    def _close_output(self, pipe: IO[bytes]) -> None:
        del self._outputs[pipe]
        pipe.close()
