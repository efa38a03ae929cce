"""The record of a played scenario: plain values that can be sent between processes.

>>> call = CallRecord(name="הזמנה", path="shop.call.yaml", line=3, state="passed")
>>> CallRecord.loads(call.dumps()) == call
True
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Final, Literal, TypeAlias

from yemot_ai_testing.line.exchange import LineExchange, LineProblem
from yemot_ai_testing.scenario.format.model import Scenario
from yemot_ai_testing.scenario.play.result import MismatchKind, PlayedTurn, ScenarioResult, TurnStatus
from yemot_ai_testing.scenario.play.timeline import TimelineEvent, build_timeline, in_order, with_tools
from yemot_ai_testing.scenario.report.declared import DeclaredExtension
from yemot_ai_testing.scenario.report.text import conversation_lines, escape_controls

__all__ = ["CallRecord", "RecordState", "TurnRecord", "recorded_exchanges", "render_result"]

UPDATE_HINTS: Final[dict[MismatchKind, str]] = {
    "heard": "if the new wording is right: --yemot-update writes it into the file",
    "response": "if the new response is right: --yemot-update writes it into the file",
}
"""What to do about a difference that ``--yemot-update`` can write, by its kind."""

RecordState: TypeAlias = Literal["passed", "failed", "fake only", "error"]
"""The outcome of a call; ``error``: it could not be played."""


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One turn; the last one of a call may be the events after its turns, without source lines.

    Attributes:
        line: its first line in the file; 0 for events after the turns.
        status: its result.
        source: its lines as the user wrote them.
        hears_index: the index of the line with ``hears``.
        heard: everything that was heard in it.
        dead_air: its longest silence, in seconds.
        timeline: its events and silences.
        exchanges: its requests and responses; times are since the call began.
        warnings: problems that do not fail the turn.
    """

    line: int
    status: TurnStatus
    source: tuple[str, ...] = ()
    hears_index: int = 0
    heard: str = ""
    dead_air: float = 0.0
    timeline: tuple[TimelineEvent, ...] = ()
    exchanges: tuple[LineExchange, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call.

    Attributes:
        name: the name of the scenario, in the user's language; of a file that could not be loaded, its name.
        path: the file.
        line: the first line of the scenario in it; 0 if unknown.
        state: the result.
        title: the heading of the conversation.
        phone: the caller's number; empty if withheld.
        extension: the extension that the caller dialled.
        turns: the turns, in order.
        agent_turns: the number of turns with a model call.
        kind: the kind of a failure; empty otherwise.
        failure_location: the position of a failure in the file.
        failure_line: its line; 0 without a failure.
        failed_turn: the number of the failed turn, from 1; 0 after the call.
        messages: the messages of a failure or an error.
        replay: the command that plays the scenario again; of a Python test, the command that runs it.
        hints: what to do about a failure.
        called: what was called: ``module:attr``, a URL, or the command of a server.
        declared: the extensions that it declares; empty behind a URL.
        is_virtual: whether the times are those of a virtual clock, the same in each run.
        is_test: whether a Python test made the call, with ``yemot_caller``.
        plays: how often the call was played in this run.
        failed_plays: how often it failed.
    """

    name: str
    path: str
    line: int
    state: RecordState
    title: str = ""
    phone: str = ""
    extension: str = ""
    turns: tuple[TurnRecord, ...] = ()
    agent_turns: int = 0
    kind: str = ""
    failure_location: str = ""
    failure_line: int = 0
    failed_turn: int = 0
    messages: tuple[str, ...] = ()
    replay: str = ""
    hints: tuple[str, ...] = ()
    called: str = ""
    declared: tuple[DeclaredExtension, ...] = ()
    is_virtual: bool = False
    is_test: bool = False
    plays: int = 1
    failed_plays: int = 0

    def __str__(self) -> str:
        """Return the heading and the conversation."""
        ending = [f"  {self.ending}"] if self.ending else []
        return "\n".join([self.title, *(line for _, line in conversation_lines(self.timeline)), *ending])

    @classmethod
    def from_scenario(
        cls, scenario: Scenario, state: RecordState, messages: Iterable[str], *, replay: str = ""
    ) -> CallRecord:
        """Return the record of a call without its turns."""
        return cls(
            name=scenario.name,
            path=scenario.location.path.as_posix(),
            line=scenario.location.line,
            state=state,
            phone=scenario.caller.phone,
            extension=scenario.caller.extension.strip("/"),
            messages=tuple(messages),
            replay=replay,
        )

    @classmethod
    def from_result(cls, result: ScenarioResult, *, replay: str = "") -> CallRecord:
        """Return the record of ``result``."""
        failure = result.failure
        reason = () if result.fake_only is None else (result.fake_only,)
        messages = failure.messages if failure else reason
        call = cls.from_scenario(result.scenario, result.state, messages, replay=replay)
        return replace(
            call,
            title=escape_controls(
                f"{call.state}: {call.phone or 'withheld number'} → /{call.extension}  {call.name}"
            ),
            turns=_turns(result),
            agent_turns=result.agent_turns,
            kind=failure.kind if failure else "",
            failure_location=str(failure.location) if failure else "",
            failure_line=failure.location.line if failure else 0,
            failed_turn=(failure.turn if failure else None) or 0,
            hints=(UPDATE_HINTS[failure.kind],) if failure and failure.is_wording else (),
            failed_plays=int(failure is not None),
        )

    @classmethod
    def loads(cls, text: str) -> CallRecord:
        """Load a text written by ``dumps``."""
        call: CallRecord = json.loads(text, object_hook=_from_json)
        return call

    def dumps(self) -> str:
        """Return the record as ASCII JSON."""
        return json.dumps(self, default=_to_json)

    @property
    def timeline(self) -> list[TimelineEvent]:
        """The events of all turns."""
        return [event for turn in self.turns for event in turn.timeline]

    @property
    def warnings(self) -> list[str]:
        """The warnings of all turns."""
        return [warning for turn in self.turns for warning in turn.warnings]

    @property
    def not_run(self) -> list[TurnRecord]:
        """The turns that were not played."""
        return [turn for turn in self.turns if turn.status == "not_run"]

    @property
    def ending(self) -> str:
        """Says that the agent ended the call, as it may, before the last turns; empty if it did not."""
        count = len(self.not_run)
        if not count or self.failed_turn or self.state in {"fake only", "error"}:
            return ""
        turns = "1 turn was" if count == 1 else f"{count} turns were"
        return f"the agent ended the call in turn {len(self.played)}; {turns} not played"

    @property
    def played(self) -> list[TurnRecord]:
        """The played turns of the file."""
        return [turn for turn in self.turns if turn.line and turn.status != "not_run"]


def render_result(result: ScenarioResult) -> str:
    """Return the heading and the conversation of a played scenario."""
    return str(CallRecord.from_result(result))


def _turns(result: ScenarioResult) -> tuple[TurnRecord, ...]:
    """Return the turns, and one more for events after them, if there are any."""
    start = min((event.at for event in result.transcript), default=0.0)
    last_events = result.transcript[sum(len(turn.events) for turn in result.turns) :]
    last_exchanges = result.exchanges[sum(len(turn.exchanges) for turn in result.turns) :]
    timeline = build_timeline(
        [(with_tools(turn.events, turn.tools), turn.silence_limits) for turn in result.turns], last_events
    )
    events = {
        number: [one for one in in_order(timeline) if one.turn == number]
        for number in range(len(result.turns) + 1)
    }
    turns = tuple(_turn(turn, events[number], start) for number, turn in enumerate(result.turns, start=1))
    after = TurnRecord(
        0, "passed", timeline=tuple(events[0]), exchanges=recorded_exchanges(last_exchanges, start)
    )
    return (*turns, after) if after.timeline or after.exchanges else turns


def _turn(result: PlayedTurn, timeline: Iterable[TimelineEvent], start: float) -> TurnRecord:
    turn = result.turn
    return TurnRecord(
        line=turn.location.line,
        status=result.status,
        source=turn.source,
        hears_index=0 if turn.hears_line is None else turn.hears_line - turn.location.line,
        heard=result.heard,
        dead_air=result.dead_air,
        timeline=tuple(timeline),
        exchanges=recorded_exchanges(result.exchanges, start),
        warnings=result.warnings,
    )


def recorded_exchanges(exchanges: Iterable[LineExchange], start: float) -> tuple[LineExchange, ...]:
    """Return exchanges with their times since ``start``, to the millisecond."""
    return tuple(
        replace(exchange, at=round(exchange.at - start, 3), seconds=round(exchange.seconds, 3))
        for exchange in exchanges
    )


_JSON_FIELDS: Final[dict[type, tuple[str, ...]]] = {
    LineProblem: ("level", "code", "message", "hint"),
    LineExchange: ("at", "seconds", "extension", "pairs", "body", "problems", "hangup"),
    **{
        cls: tuple(field.name for field in fields(cls))
        for cls in (TimelineEvent, DeclaredExtension, TurnRecord, CallRecord)
    },
}
"""What is written of each class: no parsed responses and no exceptions."""

_CONSTRUCTORS: Final[dict[frozenset[str], Callable[..., object]]] = {
    frozenset(names): partial(cls, response=None) if cls is LineExchange else cls
    for cls, names in _JSON_FIELDS.items()
}


def _to_json(value: object) -> dict[str, object]:
    return {name: getattr(value, name) for name in _JSON_FIELDS[type(value)]}


def _from_json(data: dict[str, Any]) -> object:
    return _CONSTRUCTORS[frozenset(data)](**{name: _to_tuples(value) for name, value in data.items()})


def _to_tuples(value: object) -> object:
    return tuple(map(_to_tuples, value)) if isinstance(value, list) else value
