"""Counted in calls of functions, which no busy machine changes."""

from __future__ import annotations

import cProfile
import pstats

from yemot_ai_testing.history import Asked, Event, Faulted, Got, History, Said, Saved, Sent, Told, check
from yemot_ai_testing.history.correlation import answer, spoken


def evening(calls: int) -> History:
    """Return calls of one turn each; every fifth meets a fault."""
    history = History(now=lambda: 0.0)
    for number in range(1, calls + 1):
        call, mark, ask = f"call {number}", str(10_000 + number), str(number)
        body = f"read=t-{answer(ask, mark)}=said_2,no,voice"
        events: tuple[Event, ...] = (
            Said(number, call, mark),
            Sent(number, 2 * number, call, f"said_1={mark}"),
            *([Faulted(number, "overloaded", call)] if number % 5 == 0 else []),
            Asked(number, ask, mark, mark),
            Told(number, ask, f"echo-{number}"),
            Saved(number, call, 0, 1),
            Got(number, 2 * number, body, spoken=spoken(body), waits=True),
            Sent(number, 2 * number + 1, call, "hangup", hangup=True),
            Got(number, 2 * number + 1, "noop=bye"),
        )
        for event in events:
            history.add(event)
    return history


def work(calls: int) -> int:
    history, profile = evening(calls), cProfile.Profile()
    assert profile.runcall(check, history) == []
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]  # typeshed leaves it out


def test_four_times_as_many_calls_are_four_times_the_work() -> None:
    work(800)  # answers that were judged once are known
    assert work(800) < 4.4 * work(200)
