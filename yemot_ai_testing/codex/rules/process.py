"""What rules observe of a ``codex exec`` process: running, and completed."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.conformance.rule import Breach
from yemot_ai_testing.processes.running import group_members
from yemot_ai_testing.processes.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yemot_ai_testing.processes.child import ChildProcess

__all__ = [
    "AGENT_MESSAGE",
    "TIMEOUT",
    "CompletedRun",
    "Stdin",
    "keeps_running",
    "read_until",
    "surviving_processes",
    "wait_completed",
]

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


def read_until(process: ChildProcess, word: bytes) -> bytes:
    """Return standard output once it contains ``word``; raise ``Breach`` if it does not."""
    if not process.read_until(word, TIMEOUT):
        raise Breach(f"{word.decode()} on standard output", repr(bytes(process.stdout[-300:])))
    return bytes(process.stdout)


def keeps_running(process: ChildProcess) -> bool:
    """Return whether the process still runs after a short wait."""
    return not wait_until(lambda: process.exit_code is not None, _SETTLE_TIME)


def wait_completed(process: ChildProcess, timeout: float = TIMEOUT) -> CompletedRun:
    """Wait for the end, and read the output; raise ``Breach`` if it still runs after ``timeout`` seconds."""
    try:
        exit_code = process.wait(timeout)
    except TimeoutError:
        raise Breach(f"an end within {timeout:g} s", "it still runs") from None
    return CompletedRun(exit_code, bytes(process.stdout), process.stderr.decode("utf-8", "replace"))


def surviving_processes(process: ChildProcess) -> tuple[int, ...]:
    """Return the processes of the group that are still alive after a short wait."""
    wait_until(lambda: not group_members([process.pid]), _SETTLE_TIME)
    return group_members([process.pid])
