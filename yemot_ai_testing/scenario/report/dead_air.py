"""Statistics of dead air over all turns of a run.

>>> percentile([0.2, 0.4, 3.0], 50)
0.4
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from yemot_ai_testing.scenario.play.timeline import MIN_SHOWN_SILENCE
from yemot_ai_testing.scenario.report.call_record import CallRecord

__all__ = ["SlowTurn", "dead_air_summary", "percentile", "slow_turns"]


@dataclass(frozen=True, slots=True)
class SlowTurn:
    """A turn with a long silence.

    Attributes:
        path: the file.
        line: the first line of the turn in it.
        seconds: the longest silence of the turn.
        name: the name of the scenario.
    """

    path: str
    line: int
    seconds: float
    name: str


def percentile(seconds: Iterable[float], percent: int) -> float:
    """Return the nearest-rank percentile of ``seconds``, which is one of them."""
    ordered = sorted(seconds)
    return ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)]


def dead_air_summary(calls: Iterable[CallRecord]) -> str:
    """Summarize the dead air of all turns in one line; empty without turns."""
    silences = [turn.dead_air for call in calls for turn in call.played]
    if not silences:
        return ""
    p50, p95 = percentile(silences, 50), percentile(silences, 95)
    turns = "1 turn" if len(silences) == 1 else f"{len(silences)} turns"
    return f"dead air: p50 {p50:.1f} s · p95 {p95:.1f} s · longest {max(silences):.1f} s ({turns})"


def slow_turns(calls: Iterable[CallRecord], *, limit: int) -> Sequence[SlowTurn]:
    """Return the turns with the longest silences of at least a second, the longest first.

    Args:
        calls: the played calls.
        limit: the maximum number of turns.
    """
    silent_turns = [
        SlowTurn(call.path, turn.line, turn.dead_air, call.name)
        for call in calls
        for turn in call.played
        if turn.dead_air >= MIN_SHOWN_SILENCE
    ]
    return sorted(silent_turns, key=lambda turn: -turn.seconds)[:limit]
