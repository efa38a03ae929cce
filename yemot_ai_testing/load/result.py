"""What the processes of a load test have done; those of Locust's workers are merged by its master."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from yemot_ai_testing.history import History, HistoryEvent

__all__ = ["LineHistory", "LoadResult", "TurnError", "most_at_once"]


@dataclass(frozen=True, slots=True)
class TurnError:
    """An error of a turn: what the caller did, the kind of the error, and its message."""

    turn: str
    kind: str
    message: str


class LineHistory(History):
    """A history whose events are taken as text, to be sent to another process.

    Its clock is that of the machine, which is the same for all processes of a test, also on several machines
    whose clocks agree.
    """

    def __init__(self) -> None:
        super().__init__(now=time.time)
        self._lines: list[str] = []
        self._lines_lock = threading.Lock()

    def start_at(self, number: int) -> None:
        """Let ``next_number`` continue from ``number``."""
        self._last_number = number

    def add(self, event: HistoryEvent) -> None:
        """Append an event."""
        one = History()
        one.add(event)
        with self._lines_lock:
            self._lines.append(one.dumps())

    def take(self) -> str:
        """Return the events since the last call, as ``History.loads`` reads them."""
        with self._lines_lock:
            lines, self._lines = self._lines, []
        return "".join(lines)


@dataclass(slots=True)
class LoadResult:
    """What was done so far.

    Attributes:
        calls: each as (start, end, whether it was done to its end), in seconds of the machine's clock.
        errors: how often each (turn, kind) happened.
        examples: a message of each kind.
        history: the events, as ``History.loads`` reads them.
        busy: a process of Locust had no time left: what it measured is too long.
        dead_air: ``p50``, ``p95``, ``p99`` and ``longest`` of all turns in seconds, and how many ``turns``.
        exceptions: what callers raised; an error of this program.
        warnings: what Locust has logged, such as a worker that was lost, whose calls others make again.
    """

    calls: list[tuple[float, float, bool]] = field(default_factory=list)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    history: str = ""
    busy: bool = False
    dead_air: Mapping[str, float] = field(default_factory=dict)
    exceptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def add_error(self, error: TurnError) -> None:
        """Count an error."""
        self.errors[error.turn, error.kind] += 1
        self.examples.setdefault(error.kind, error.message)

    def take(self, history: LineHistory) -> dict[str, Any]:
        """Return what was done since the last call as plain data, and forget it."""
        self.collect(history)
        data = self.data()
        self.calls, self.errors, self.examples, self.history = [], Counter(), {}, ""
        return data

    def collect(self, history: LineHistory) -> None:
        """Add the events of a history since the last call."""
        self.history += history.take()

    def data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "calls": [list(call) for call in self.calls],
            "errors": [[*key, count] for key, count in self.errors.items()],
            "examples": self.examples,
            "history": self.history,
            "busy": self.busy,
        }

    def merge(self, data: Mapping[str, Any]) -> None:
        """Add the plain data of another result, or of a part of it."""
        self.calls += [tuple(call) for call in data.get("calls", ())]
        for turn, kind, count in data.get("errors", ()):
            self.errors[turn, kind] += count
        for kind, message in data.get("examples", {}).items():
            self.examples.setdefault(kind, message)
        self.history += data.get("history", "")
        self.busy = self.busy or data.get("busy", False)
        self.dead_air = data.get("dead_air", self.dead_air)
        self.exceptions += tuple(data.get("exceptions", ()))


def most_at_once(calls: list[tuple[float, float, bool]]) -> int:
    """Return how many calls there were at once, at most.

    >>> most_at_once([(0.0, 2.0, True), (1.0, 3.0, True), (2.5, 4.0, False)])
    2
    """
    changes = sorted(change for start, end, _ in calls for change in ((start, 1), (end, -1)))
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
