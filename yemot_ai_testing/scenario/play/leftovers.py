"""What a call costs and leaves behind: turns asked of the model, open sessions, processes."""

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

__all__ = ["LeftoverCounts", "ModelDouble", "ask_count", "descendant_pids"]

POLL_INTERVAL = 0.02


class ModelDouble(Protocol):
    """Whoever answers as a model: what a scenario needs of it."""

    @property
    def requests(self) -> Iterable[RecordedRequest]:
        """What was asked so far."""
        ...

    def add(self, step: Step) -> None:
        """Append a step to what the model will do."""
        ...

    def assert_complete(self) -> None:
        """Raise an ``AssertionError`` if the script and what was asked do not match."""
        ...


class LeftoverCounts:
    """Counts what has come since it was made.

    Args:
        app: the application; its ``ai`` knows the open sessions, if it has one.
        double: the model's double, if there is one.
        grace: seconds that a process or a session may take to end after the caller has gone.
    """

    def __init__(self, app: object, double: ModelDouble | None, *, grace: float = 5.0) -> None:
        self._grace = grace
        self._ai: Any = getattr(app, "ai", None)
        self._double = double
        self._processes = descendant_pids()
        count = getattr(self._ai, "open_calls", None)
        self._sessions: int | None = None if count is None else count()
        self._ask_count = ask_count(double)
        self._agent_turns = 0

    def end_turn(self) -> None:
        """Count the turn, if the model was asked in it; a question that was tried again counts once."""
        asked = ask_count(self._double)
        self._agent_turns += asked > self._ask_count
        self._ask_count = asked

    def count(self, word: LeftoverKind) -> int | None:
        """Return how many there are more than in the beginning, or None if that cannot be counted."""
        match word:
            case "agent_turns":
                return None if self._double is None else self._agent_turns
            case "sessions_open":
                return None if self._sessions is None else self._ai.open_calls() - self._sessions
            case "processes":
                alive = getattr(self._double, "processes_alive", int)()
                return max(alive, len(descendant_pids() - self._processes))

    def mismatches(self, expected: Mapping[LeftoverKind, int]) -> list[Mismatch]:
        """Return what is not as expected, once there was time for it to become so."""
        deadline = time.monotonic() + self._grace
        while self._may_still_drop(expected) and time.monotonic() < deadline:
            time.sleep(POLL_INTERVAL)
        return self._compare(expected)

    def _may_still_drop(self, expected: Mapping[LeftoverKind, int]) -> bool:
        """Whether something is left that may yet go away; what was asked too often stays so."""
        passing: tuple[LeftoverKind, ...] = ("sessions_open", "processes")
        return any((self.count(word) or 0) > expected[word] for word in passing if word in expected)

    def _compare(self, expected: Mapping[LeftoverKind, int]) -> list[Mismatch]:
        counted = {word: self.count(word) for word in expected}
        return [
            Mismatch("afterwards", f"{word}: {_count_text(counted[word])}, not {number}")
            for word, number in expected.items()
            if counted[word] != number
        ]


def ask_count(double: ModelDouble | None) -> int:
    """Return how often the model itself was asked; a process that never got so far does not count."""
    return 0 if double is None else sum(getattr(one, "called_model", True) for one in double.requests)


def descendant_pids() -> frozenset[int]:
    """Return the ids of the processes that this one has begotten and that still run."""
    parents = _parents_from_proc() if Path("/proc/self/stat").exists() else _parents_from_ps()
    family = {os.getpid()}
    grown = True
    while grown:
        children = {child for child, parent in parents.items() if parent in family} - family
        family |= children
        grown = bool(children)
    return frozenset(family - {os.getpid()})


def _parents_from_proc() -> dict[int, int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:  # it has ended since it was listed
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            if state not in "ZX":
                parents[int(entry.name)] = int(parent)
    return parents


def _parents_from_ps() -> dict[int, int]:
    with subprocess.Popen(
        ["ps", "-axo", "pid=,ppid=,stat="],  # noqa: S607 - ps is where the system has it
        stdout=subprocess.PIPE,
        text=True,
    ) as ps:
        listed = ps.communicate()[0]
    rows = (line.split() for line in listed.splitlines())
    return {
        int(pid): int(parent)
        for pid, parent, state in rows
        if int(pid) != ps.pid and not state.startswith("Z")
    }


def _count_text(number: int | None) -> str:
    return "cannot be counted here" if number is None else str(number)
