"""The record of a call that a Python test made with a ``Caller``.

Each action of the caller begins a turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.clock import is_virtual
from yemot_ai_testing.line.transcript import CallerActed, CallEvent, heard_text, longest_silence
from yemot_ai_testing.scenario.play.timeline import TimelineEvent, build_timeline, in_order, with_tools
from yemot_ai_testing.scenario.play.tools.runs import ToolRun
from yemot_ai_testing.scenario.report.call_record import CallRecord, TurnRecord, recorded_exchanges
from yemot_ai_testing.scenario.report.declared import declared_extensions
from yemot_ai_testing.scenario.report.text import escape_controls

__all__ = ["caller_record"]


def caller_record(
    caller: Caller, app: object, called: str, location: tuple[str, int, str], tools: Sequence[ToolRun] = ()
) -> CallRecord:
    """Return the record of the call of a test that passed.

    Args:
        caller: the caller; must have dialled.
        app: what is called.
        called: the name of that.
        location: the file of the test, its first line, its name.
        tools: the calls of tools.
    """
    path, line, name = location
    extension = next((event.text for event in caller.transcript if isinstance(event, CallerActed)), "")
    phone = caller.phone
    return CallRecord(
        name=name,
        path=path,
        line=line,
        state="passed",
        title=escape_controls(f"{phone or 'withheld number'} → {extension}  {name}"),
        phone=phone,
        extension=extension.strip("/"),
        turns=tuple(_turns(caller, line, tools)),
        called=called,
        declared=declared_extensions(app),
        is_virtual=is_virtual(caller.schedule),
        is_test=True,
    )


def _turns(caller: Caller, line: int, tools: Sequence[ToolRun]) -> Iterator[TurnRecord]:
    events = list(caller.transcript)
    starts = [number for number, event in enumerate(events) if isinstance(event, CallerActed)]
    parts = [events[start:end] for start, end in pairwise([*starts, len(events)])]
    bounds = [*(part[0].at for part in parts), float("inf")]
    timeline = build_timeline(
        [
            (with_tools(part, [run for run in tools if begin <= run.at < end]), None)
            for part, (begin, end) in zip(parts, pairwise(bounds), strict=True)
        ]
    )
    for number, part in enumerate(parts, start=1):
        begin, end = bounds[number - 1], bounds[number]
        exchanges = [one for one in caller.exchanges if begin <= one.at < end]
        yield TurnRecord(
            line=line,
            status="passed",
            heard=heard_text(part),
            dead_air=_dead_air(part, end),
            timeline=tuple(_events_of(in_order(timeline), number)),
            exchanges=recorded_exchanges(exchanges, bounds[0]),
        )


def _events_of(timeline: Sequence[TimelineEvent], turn: int) -> Iterator[TimelineEvent]:
    return (event for event in timeline if event.turn == turn)


def _dead_air(events: Sequence[CallEvent], next_turn: float) -> float:
    """Return the longest silence between the end of the caller's action and the next one, in seconds."""
    action, *others = events
    spoken = action.seconds if isinstance(action, CallerActed) else 0.0
    until = max((event.at for event in others), default=action.at) if next_turn == float("inf") else next_turn
    return longest_silence(others, since=action.at + spoken, until=max(until, action.at + spoken))
