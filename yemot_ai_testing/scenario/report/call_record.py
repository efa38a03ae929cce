"""The record of a played scenario: plain values that can be sent between processes.

>>> call = CallRecord(name="הזמנה", path="shop.call.yaml", line=3, state="passed")
>>> CallRecord.loads(call.dumps()) == call
True
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from yemot_ai_testing.line.exchange import LineExchange
from yemot_ai_testing.scenario.play.result import PlayedTurn, ScenarioFailure, ScenarioResult, TurnStatus
from yemot_ai_testing.scenario.play.timeline import TimelineEvent, build_timeline
from yemot_ai_testing.scenario.report.text import heading

__all__ = ["CallRecord", "ExchangeRecord", "ProblemRecord", "RecordState", "TurnRecord"]

RecordState: TypeAlias = Literal["passed", "failed", "fake only", "error"]
"""The outcome of a call; ``error``: it could not be played."""


@dataclass(frozen=True, slots=True)
class ProblemRecord:
    """A problem that the line found in a response."""

    level: str
    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ExchangeRecord:
    """A request and its response.

    Attributes:
        at: when it was sent, in seconds since the call began.
        seconds: how long the response took.
        extension: the extension of the caller.
        pairs: the request parameters.
        body: the raw response.
        problems: the problems of the response.
        hangup: whether the request announced the end of the call.
    """

    at: float
    seconds: float
    extension: str
    pairs: tuple[tuple[str, str], ...]
    body: str
    problems: tuple[ProblemRecord, ...] = ()
    hangup: bool = False


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
        exchanges: its requests and responses.
        warnings: problems that do not fail the turn.
    """

    line: int
    status: TurnStatus
    source: tuple[str, ...] = ()
    hears_index: int = 0
    heard: str = ""
    dead_air: float = 0.0
    timeline: tuple[TimelineEvent, ...] = ()
    exchanges: tuple[ExchangeRecord, ...] = ()
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
        failed_turn: the number of the failed turn, from 1; 0 after the call.
        messages: the messages of a failure or an error.
        replay: the command that plays the scenario again.
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
    failed_turn: int = 0
    messages: tuple[str, ...] = ()
    replay: str = ""

    @classmethod
    def from_result(cls, result: ScenarioResult, *, replay: str) -> CallRecord:
        """Return the record of ``result``."""
        scenario, failure = result.scenario, result.failure
        return cls(
            name=scenario.name,
            path=scenario.location.path.as_posix(),
            line=scenario.location.line,
            state=result.state,
            title=heading(result),
            phone=scenario.caller.phone,
            extension=scenario.caller.extension.strip("/"),
            turns=_turns(result),
            agent_turns=result.agent_turns,
            messages=_messages(result),
            replay=replay,
            **({} if failure is None else _failure_fields(failure)),
        )

    @classmethod
    def loads(cls, text: str) -> CallRecord:
        """Load a text written by ``dumps``."""
        return _load_call(json.loads(text))

    def dumps(self) -> str:
        """Return the record as ASCII JSON."""
        return json.dumps(asdict(self))

    @property
    def timeline(self) -> list[TimelineEvent]:
        """The events of all turns."""
        return [event for turn in self.turns for event in turn.timeline]

    @property
    def warnings(self) -> list[str]:
        """The warnings of all turns."""
        return [warning for turn in self.turns for warning in turn.warnings]

    @property
    def played(self) -> list[TurnRecord]:
        """The played turns of the file."""
        return [turn for turn in self.turns if turn.line and turn.status != "not_run"]


def _turns(result: ScenarioResult) -> tuple[TurnRecord, ...]:
    """Return the turns, and one more for events after them, if there are any."""
    start = min((event.at for event in result.transcript), default=0.0)
    timeline = build_timeline(result.turn_events)
    turns = [
        _turn(turn, [event for event in timeline if event.turn == number], start)
        for number, turn in enumerate(result.turns, start=1)
    ]
    last_exchanges = result.exchanges[sum(len(turn.exchanges) for turn in result.turns) :]
    last_events = tuple(event for event in timeline if event.turn == 0)
    after = TurnRecord(0, "passed", timeline=last_events, exchanges=_exchange_records(last_exchanges, start))
    return (*turns, after) if last_events or last_exchanges else tuple(turns)


def _turn(result: PlayedTurn, timeline: list[TimelineEvent], start: float) -> TurnRecord:
    turn = result.turn
    return TurnRecord(
        line=turn.location.line,
        status=result.status,
        source=turn.source,
        hears_index=0 if turn.hears_line is None else turn.hears_line - turn.location.line,
        heard=result.heard,
        dead_air=result.dead_air,
        timeline=tuple(timeline),
        exchanges=_exchange_records(result.exchanges, start),
        warnings=result.warnings,
    )


def _exchange_records(exchanges: Iterable[LineExchange], start: float) -> tuple[ExchangeRecord, ...]:
    return tuple(_exchange_record(exchange, start) for exchange in exchanges)


def _exchange_record(exchange: LineExchange, start: float) -> ExchangeRecord:
    return ExchangeRecord(
        at=round(exchange.at - start, 3),
        seconds=round(exchange.seconds, 3),
        extension=exchange.extension,
        pairs=exchange.pairs,
        body=exchange.body,
        problems=tuple(
            ProblemRecord(problem.level, problem.code, problem.message, problem.hint)
            for problem in exchange.problems
        ),
        hangup=exchange.hangup,
    )


def _messages(result: ScenarioResult) -> tuple[str, ...]:
    if result.fake_only is not None:
        return (result.fake_only,)
    return result.failure.messages if result.failure else ()


def _failure_fields(failure: ScenarioFailure) -> dict[str, Any]:
    return {"kind": failure.kind, "failure_location": str(failure.location), "failed_turn": failure.turn or 0}


def _load_call(data: dict[str, Any]) -> CallRecord:
    return CallRecord(**_lists_to_tuples({**data, "turns": [_load_turn(turn) for turn in data["turns"]]}))


def _load_turn(data: dict[str, Any]) -> TurnRecord:
    timeline = tuple(TimelineEvent(**event) for event in data["timeline"])
    exchanges = tuple(map(_load_exchange, data["exchanges"]))
    return TurnRecord(**_lists_to_tuples({**data, "timeline": timeline, "exchanges": exchanges}))


def _load_exchange(data: dict[str, Any]) -> ExchangeRecord:
    pairs = tuple((name, value) for name, value in data["pairs"])
    problems = tuple(ProblemRecord(**problem) for problem in data["problems"])
    return ExchangeRecord(**{**data, "pairs": pairs, "problems": problems})


def _lists_to_tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
