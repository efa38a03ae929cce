"""Count what a call leaves behind: turns with a model call, open sessions, processes, errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from yemot_ai.errors.code_errors import CodeError
from yemot_ai_testing.doubles.script import RecordedRequest
from yemot_ai_testing.doubles.steps import Step
from yemot_ai_testing.processes.running import descendants
from yemot_ai_testing.processes.waiting import wait_until
from yemot_ai_testing.scenario.format.model import LeftoverKind
from yemot_ai_testing.scenario.play.result import Mismatch

__all__ = ["LeftoverCounts", "ModelDouble", "model_call_count"]


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
        errors: the errors of the application's own code so far; None if they cannot be observed.
    """

    def __init__(
        self,
        app: object,
        double: ModelDouble | None,
        *,
        grace: float = 5.0,
        errors: Sequence[CodeError] | None = None,
    ) -> None:
        self._grace = grace
        self._ai: Any = getattr(app, "ai", None)
        self._double = double
        self._errors = errors
        self._processes = descendants()
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
            case "errors":
                return None if self._errors is None else len(self._errors)
            case "processes":
                alive = getattr(self._double, "processes_alive", int)()
                return max(alive, len(descendants() - self._processes))

    def mismatches(self, expected: Mapping[LeftoverKind, int]) -> list[Mismatch]:
        """Return the differences from ``expected``; wait up to ``grace`` seconds for open ones to end."""
        wait_until(lambda: not self._may_still_drop(expected), self._grace)
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


def _count_text(number: int | None) -> str:
    return "cannot be counted here" if number is None else str(number)
