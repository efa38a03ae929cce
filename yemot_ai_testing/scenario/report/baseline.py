"""Compare the times of a call with those of an earlier run.

>>> old = CallTimes(is_virtual=True, turns=(TurnTimes(dead_air=1.0, answer=1.0),))
>>> new = CallTimes(is_virtual=True, turns=(TurnTimes(dead_air=3.0, answer=1.0),))
>>> list(slower_turns(old, new))
[(1, '3.0 s of silence, 1.0 s in the baseline')]
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.line.exchange import LineExchange

__all__ = [
    "BaselineError",
    "CallTimes",
    "TimedTurn",
    "TurnTimes",
    "load_baseline",
    "slower_turns",
    "write_baseline",
]

VIRTUAL_FACTOR, VIRTUAL_SECONDS = 1.1, 0.1
"""A virtual clock shows the same times in each run, but for the rounding of sums."""

MEASURED_FACTOR, MEASURED_SECONDS = 1.5, 0.5
"""Measured times depend on the load of the machine; a caller hardly notices less than half a second."""

VERSION: Final = 1


class BaselineError(ToolkitError):
    """The file of times cannot be used; the message says why."""


class TimedTurn(Protocol):
    """A played turn, or the record of one."""

    @property
    def dead_air(self) -> float:
        """Its longest silence, in seconds."""
        ...

    @property
    def exchanges(self) -> tuple[LineExchange, ...]:
        """Its requests and responses."""
        ...


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """The times of one turn, in seconds.

    Attributes:
        dead_air: its longest silence.
        answer: how long the application took for all responses together.
    """

    dead_air: float
    answer: float


@dataclass(frozen=True, slots=True)
class CallTimes:
    """The times of a call.

    Attributes:
        is_virtual: whether they are those of a virtual clock.
        turns: one item for each turn that was played.
    """

    is_virtual: bool
    turns: tuple[TurnTimes, ...]

    @classmethod
    def from_turns(cls, turns: Iterable[TimedTurn], *, is_virtual: bool) -> CallTimes:
        """Return the times of played turns."""
        return cls(is_virtual, tuple(map(_turn_times, turns)))


def slower_turns(before: CallTimes, now: CallTimes) -> Iterator[tuple[int, str]]:
    """Yield the number of each turn that is slower than before, and how much.

    A turn is slower if a time exceeds the earlier one by a factor and by some seconds: 1.1 and 0.1 s in
    virtual time, 1.5 and 0.5 s where it is measured. Calls with different turns or clocks are not compared.
    """
    if before.is_virtual != now.is_virtual or len(before.turns) != len(now.turns):
        return
    for number, (old, new) in enumerate(zip(before.turns, now.turns, strict=True), start=1):
        if _is_slower(old.dead_air, new.dead_air, is_virtual=now.is_virtual):
            yield number, f"{new.dead_air:.1f} s of silence, {old.dead_air:.1f} s in the baseline"
        elif _is_slower(old.answer, new.answer, is_virtual=now.is_virtual):
            yield number, f"the answer took {new.answer:.1f} s, {old.answer:.1f} s in the baseline"


def load_baseline(path: Path) -> dict[str, CallTimes]:
    """Return the times of all calls in a file, by node id; empty if there is no file.

    Raises:
        BaselineError: it is not such a file.
    """
    try:
        calls: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["calls"]
        return {
            name: CallTimes(call["is_virtual"], tuple(TurnTimes(**turn) for turn in call["turns"]))
            for name, call in calls.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BaselineError(
            f"{path} is no baseline ({error}): delete it, and the next run writes it"
        ) from error


def write_baseline(path: Path, calls: Mapping[str, CallTimes]) -> None:
    """Write the times of calls, in the order of their names, so that a review shows what changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = {name: asdict(calls[name]) for name in sorted(calls)}
    text = json.dumps({"version": VERSION, "calls": ordered}, ensure_ascii=False, indent=1)
    path.write_text(f"{text}\n", encoding="utf-8")


def _turn_times(turn: TimedTurn) -> TurnTimes:
    answer = sum(exchange.seconds for exchange in turn.exchanges if not exchange.hangup)
    return TurnTimes(round(turn.dead_air, 2), round(answer, 2))


def _is_slower(before: float, now: float, *, is_virtual: bool) -> bool:
    factor, seconds = (VIRTUAL_FACTOR, VIRTUAL_SECONDS) if is_virtual else (MEASURED_FACTOR, MEASURED_SECONDS)
    return now > before * factor and now > before + seconds
