"""Statistics of dead air over all turns of a run.

>>> percentile([0.2, 0.4, 3.0], 50)
0.4
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from yemot_ai_testing.scenario.play.timeline import MIN_SHOWN_SILENCE
from yemot_ai_testing.scenario.report.call_record import CallRecord, TurnRecord

__all__ = ["dead_air_figures", "dead_air_summary", "percentile", "slow_turns"]


def percentile(seconds: Iterable[float], percent: int) -> float:
    """Return the nearest-rank percentile of ``seconds``, which is one of them."""
    ordered = sorted(seconds)
    return ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)]


def dead_air_figures(calls: Iterable[CallRecord]) -> dict[str, float]:
    """Return ``p50``, ``p95`` and ``longest`` of the dead air of all turns, in seconds; empty without any."""
    silences = [turn.dead_air for call in calls for turn in call.played]
    if not silences:
        return {}
    return {"p50": percentile(silences, 50), "p95": percentile(silences, 95), "longest": max(silences)}


def dead_air_summary(calls: Iterable[CallRecord]) -> str:
    """Summarize the dead air of all turns in one line; empty without turns."""
    played = list(calls)
    figures = dead_air_figures(played)
    if not figures:
        return ""
    count = sum(len(call.played) for call in played)
    turns = "1 turn" if count == 1 else f"{count} turns"
    summary = " · ".join(f"{name} {value:.1f} s" for name, value in figures.items())
    return f"dead air: {summary} ({turns})"


def slow_turns(calls: Iterable[CallRecord], *, limit: int) -> list[tuple[CallRecord, TurnRecord]]:
    """Return the turns with the longest silences of at least a second, each with its call, the longest first.

    Args:
        calls: the played calls.
        limit: the maximum number of turns.
    """
    silent_turns = [
        (call, turn) for call in calls for turn in call.played if turn.dead_air >= MIN_SHOWN_SILENCE
    ]
    return sorted(silent_turns, key=lambda silent: -silent[1].dead_air)[:limit]
