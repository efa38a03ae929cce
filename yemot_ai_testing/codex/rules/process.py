"""A ``codex exec`` process under test: running, and completed."""

from __future__ import annotations

import contextlib
import enum
import json
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.sandbox import running_processes
from yemot_ai_testing.conformance.rule import Breach

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

__all__ = ["AGENT_MESSAGE", "TIMEOUT", "CompletedRun", "ExecProcess", "Stdin"]

TIMEOUT: Final = 10.0
"""Seconds to wait for an expected event."""

AGENT_MESSAGE: Final = "item.completed:agent_message"
"""The type of the event with an answer."""

_SETTLE_TIME: Final = 0.7


class Stdin(enum.Enum):
    """A standard input that is not a pipe."""

    NULL = "/dev/null"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """A process that has ended.

    Attributes:
        exit_code: as in ``Popen.returncode``: negative for a signal.
        stdout: its standard output.
        stderr: its standard error.
    """

    exit_code: int
    stdout: bytes
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        r"""The events of standard output, split at ``\n`` only; raise ``Breach`` for other lines."""
        return [_parse_event(line) for line in self.stdout.split(b"\n")[:-1]]

    @property
    def event_types(self) -> list[str]:
        """The types of the events, ``type:item type`` for items, without the warnings before the turn."""
        kinds = [_event_type(event) for event in self.events]
        start = kinds.index("turn.started") if "turn.started" in kinds else 0
        return [kind for n, kind in enumerate(kinds) if n >= start or kind != "item.completed:error"]

    @property
    def thread_id(self) -> str:
        """The thread id of the first event; raise ``Breach`` if there is none."""
        events = self.events
        if not events or events[0].get("type") != "thread.started":
            raise Breach("a first event thread.started", self.summary)
        return str(events[0].get("thread_id"))

    @property
    def agent_messages(self) -> list[str]:
        """The messages of the agent."""
        return [event["item"].get("text") for event in self.events if _event_type(event) == AGENT_MESSAGE]

    @property
    def usage(self) -> Mapping[str, int]:
        """The usage counters of the last event; raise ``Breach`` if there are none."""
        events = self.events
        if not events or "usage" not in events[-1]:
            raise Breach("a last event with usage", self.summary)
        usage: Mapping[str, int] = events[-1]["usage"]
        return usage

    @property
    def summary(self) -> str:
        """The exit code and the end of the output, in one line."""
        out = self.stdout.decode("utf-8", "replace")
        err = " / ".join(line for line in self.stderr.split("\n") if line and not line.startswith("WARNING"))
        return f"exit {self.exit_code}, stdout {out[-300:]!r}, stderr {err[-300:]!r}"


def _parse_event(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise Breach("lines of standard output that are JSON objects", repr(line[:300]))
    return event


def _event_type(event: Mapping[str, Any]) -> str:
    item = event.get("item")
    return f"{event.get('type')}:{item.get('type')}" if isinstance(item, dict) else str(event.get("type"))


class ExecProcess:
    """A running process.

    Attributes:
        popen: the process.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self.popen = popen
        self._output = b""

    def write_stdin(self, text: str | bytes) -> Self:
        """Write to standard input, and leave it open."""
        if self.popen.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.popen.stdin.write(text.encode() if isinstance(text, str) else text)
                self.popen.stdin.flush()
        return self

    def close_stdin(self) -> Self:
        """Close standard input."""
        if self.popen.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.popen.stdin.close()
            self.popen.stdin = None
        return self

    def close_stdout(self) -> Self:
        """Close the reading end of standard output."""
        if self.popen.stdout is not None:
            self.popen.stdout.close()
            self.popen.stdout = None
        return self

    def read_until(self, word: bytes) -> bytes:
        """Read standard output until it contains ``word``; raise ``Breach`` if it does not."""
        deadline = time.monotonic() + TIMEOUT
        while word not in self._output:
            chunk = self._read_chunk(deadline - time.monotonic())
            if not chunk:
                raise Breach(f"{word.decode()} on standard output", repr(self._output[-300:]))
            self._output += chunk
        return self._output

    def _read_chunk(self, seconds: float) -> bytes:
        """Read available output; return nothing after ``seconds`` without output."""
        if self.popen.stdout is None or seconds <= 0:
            return b""
        # Bypasses the buffer of the file object, from which communicate() would not read.
        pipe = self.popen.stdout.fileno()
        return os.read(pipe, 1 << 16) if select.select([pipe], [], [], seconds)[0] else b""

    def keeps_running(self) -> bool:
        """Return whether the process still runs after a short wait."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(_SETTLE_TIME)
        return self.popen.poll() is None

    def wait_exit(self) -> None:
        """Wait for the end while standard input is open; raise ``Breach`` if it does not end."""
        try:
            self.popen.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Breach(f"an end within {TIMEOUT:g} s, with standard input open", "it still runs") from None

    def wait_completed(self, timeout: float = TIMEOUT) -> CompletedRun:
        """Wait for the end, and read the output.

        Args:
            timeout: seconds.

        Raises:
            Breach: if the process does not end.
        """
        try:
            out, err = self.popen.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Breach(f"an end within {timeout:g} s", "it still runs") from None
        return CompletedRun(
            self.popen.returncode, self._output + (out or b""), (err or b"").decode("utf-8", "replace")
        )

    def kill(self) -> None:
        """Kill the whole process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)

    def surviving_processes(self) -> tuple[int, ...]:
        """Return the processes of the group that are still alive after a short wait."""
        deadline = time.monotonic() + _SETTLE_TIME
        while (left := running_processes([self.popen.pid])) and time.monotonic() < deadline:
            time.sleep(0.02)
        return left
