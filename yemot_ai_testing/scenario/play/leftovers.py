"""Count what a call leaves behind: turns with a model call, open sessions, processes."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from yemot_ai_testing.doubles.script import RecordedRequest, Step
from yemot_ai_testing.scenario.format.model import LeftoverKind
from yemot_ai_testing.scenario.play.result import Mismatch

__all__ = ["LeftoverCounts", "ModelDouble", "descendant_pids", "model_call_count"]

POLL_INTERVAL = 0.02


class ModelDouble(Protocol):
    """A double that answers as the model, as a scenario uses it."""

    @property
    def requests(self) -> Iterable[RecordedRequest]:
        """The model calls so far."""
        ...

    def add(self, step: Step) -> None:
        """Append a step to the script."""
        ...

    def assert_complete(self) -> None:
        """Raise an ``AssertionError`` if the script and the model calls do not match."""
        ...


class LeftoverCounts:
    """Count what was added since this object was created.

    Args:
        app: the application; if it has an ``ai``, that counts the open sessions.
        double: the model's double, if there is one.
        grace: seconds that a process or a session may take to end after the hang-up.
    """

    def __init__(self, app: object, double: ModelDouble | None, *, grace: float = 5.0) -> None:
        self._grace = grace
        self._ai: Any = getattr(app, "ai", None)
        self._double = double
        self._processes = descendant_pids()
        count = getattr(self._ai, "open_calls", None)
        self._sessions: int | None = None if count is None else count()
        self._model_call_count = model_call_count(double)
        self._agent_turns = 0

    def end_turn(self) -> None:
        """Count the turn if it had a model call; a retried call does not count again."""
        count = model_call_count(self._double)
        self._agent_turns += count > self._model_call_count
        self._model_call_count = count

    def count(self, kind: LeftoverKind) -> int | None:
        """Return how many were added since the beginning, or None if they cannot be counted."""
        match kind:
            case "agent_turns":
                return None if self._double is None else self._agent_turns
            case "sessions_open":
                return None if self._sessions is None else self._ai.open_calls() - self._sessions
            case "processes":
                alive = getattr(self._double, "processes_alive", int)()
                return max(alive, len(descendant_pids() - self._processes))

    def mismatches(self, expected: Mapping[LeftoverKind, int]) -> list[Mismatch]:
        """Return the differences from ``expected``; wait up to ``grace`` seconds for open ones to end."""
        deadline = time.monotonic() + self._grace
        while self._may_still_drop(expected) and time.monotonic() < deadline:
            time.sleep(POLL_INTERVAL)
        return self._compare(expected)

    def _may_still_drop(self, expected: Mapping[LeftoverKind, int]) -> bool:
        """Return whether a count that can still decrease is too high; model calls cannot decrease."""
        transient: tuple[LeftoverKind, ...] = ("sessions_open", "processes")
        return any((self.count(kind) or 0) > expected[kind] for kind in transient if kind in expected)

    def _compare(self, expected: Mapping[LeftoverKind, int]) -> list[Mismatch]:
        counts = {kind: self.count(kind) for kind in expected}
        return [
            Mismatch("afterwards", f"{kind}: {_count_text(counts[kind])}, not {number}")
            for kind, number in expected.items()
            if counts[kind] != number
        ]


def model_call_count(double: ModelDouble | None) -> int:
    """Return the number of model calls; a process that ended before its model call does not count."""
    return 0 if double is None else sum(getattr(call, "called_model", True) for call in double.requests)


def descendant_pids() -> frozenset[int]:
    """Return the ids of the running descendants of this process."""
    parents = _parents_from_proc() if Path("/proc/self/stat").exists() else _parents_from_ps()
    pids = {os.getpid()}
    grown = True
    while grown:
        children = {child for child, parent in parents.items() if parent in pids} - pids
        pids |= children
        grown = bool(children)
    return frozenset(pids - {os.getpid()})


def _parents_from_proc() -> dict[int, int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:  # the process has ended since it was listed
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            if state not in "ZX":
                parents[int(entry.name)] = int(parent)
    return parents


def _parents_from_ps() -> dict[int, int]:
    with subprocess.Popen(
        ["ps", "-axo", "pid=,ppid=,stat="],  # noqa: S607 - the place of ps depends on the system
        stdout=subprocess.PIPE,
        text=True,
    ) as ps:
        output = ps.communicate()[0]
    rows = (line.split() for line in output.splitlines())
    return {
        int(pid): int(parent)
        for pid, parent, state in rows
        if int(pid) != ps.pid and not state.startswith("Z")
    }


def _count_text(number: int | None) -> str:
    return "cannot be counted here" if number is None else str(number)
