"""What is kept of a played scenario for the end of the run: plain values that travel between processes.

>>> call = CallRecord(name="הזמנה", path="shop.call.yaml", line=3, state="passed")
>>> CallRecord.loads(call.dumps()) == call
True
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from yemot_ai_testing.line.exchange import LineExchange
from yemot_ai_testing.scenario.play.result import ScenarioFailure, ScenarioResult, TurnResult, TurnStatus
from yemot_ai_testing.scenario.play.timeline import TimelineEvent, build_timeline
from yemot_ai_testing.scenario.report.text import heading

__all__ = ["CallRecord", "ExchangeRecord", "ProblemRecord", "RecordState", "TurnRecord"]

RecordState: TypeAlias = Literal["passed", "failed", "fake only", "error"]
"""How a call went; an ``error`` is one that could not be played at all."""


@dataclass(frozen=True, slots=True)
class ProblemRecord:
    """What the line has against an answer."""

    level: str
    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ExchangeRecord:
    """A request and its answer.

    Attributes:
        at: when it went out, in seconds since the call began.
        seconds: how long the answer took.
        extension: where the caller was.
        pairs: the request, name by name.
        body: the answer, as it came.
        problems: what is wrong with it.
        hangup: it told the server that the call is over.
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
    """One turn; the last of a call may be what came after its turns, without lines of its own.

    Attributes:
        line: where it begins in the file; 0 for what came after the turns.
        status: how it went.
        source: its lines as the user wrote them.
        hears_index: which of them, from 0, says what must be heard.
        heard: everything that was heard in it.
        dead_air: its longest silence, in seconds.
        timeline: what happened in it.
        exchanges: its requests and answers.
        warnings: what is worth telling though nothing failed.
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
        name: the scenario's, in the user's language; of a file that could not be loaded, the file's.
        path: the file.
        line: where the scenario begins in it; 0 if that is not known.
        state: how it went.
        title: the line above its conversation.
        phone: who called; empty for a withheld number.
        extension: where the caller dialled in.
        turns: what happened, turn by turn.
        agent_turns: how many turns the model was asked for.
        kind: of a failure, its class; empty otherwise.
        failure_location: of a failure, where in the file.
        failed_turn: of a failure, the number of its turn, from 1; 0 for what came after the call.
        messages: of a failure or an error, what was wrong.
        replay: the command that plays it again.
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
        """Return what is kept of ``result``."""
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
        """Return the call that ``dumps`` made a text of."""
        return _load_call(json.loads(text))

    def dumps(self) -> str:
        """Return the call as one ASCII text, whatever was said in it."""
        return json.dumps(asdict(self))

    @property
    def timeline(self) -> list[TimelineEvent]:
        """The whole call."""
        return [event for turn in self.turns for event in turn.timeline]

    @property
    def warnings(self) -> list[str]:
        """The warnings of all turns."""
        return [warning for turn in self.turns for warning in turn.warnings]

    @property
    def played(self) -> list[TurnRecord]:
        """The turns of the file that were played."""
        return [turn for turn in self.turns if turn.line and turn.status != "not_run"]


def _turns(outcome: ScenarioResult) -> tuple[TurnRecord, ...]:
    """Return the turns, and one more for what came after them, if anything did."""
    began = min((event.at for event in outcome.transcript), default=0.0)
    call = build_timeline(outcome.turn_events)
    turns = [
        _turn(result, [event for event in call if event.turn == number], began)
        for number, result in enumerate(outcome.turns, start=1)
    ]
    asked = outcome.exchanges[sum(len(result.exchanges) for result in outcome.turns) :]
    rest = tuple(event for event in call if event.turn == 0)
    after = TurnRecord(
        0, "passed", timeline=rest, exchanges=tuple(_exchange_record(one, began) for one in asked)
    )
    return (*turns, after) if rest or asked else tuple(turns)


def _turn(result: TurnResult, call: list[TimelineEvent], began: float) -> TurnRecord:
    turn = result.turn
    return TurnRecord(
        line=turn.location.line,
        status=result.status,
        source=turn.source,
        hears_index=0 if turn.hears_line is None else turn.hears_line - turn.location.line,
        heard=result.heard,
        dead_air=result.dead_air,
        timeline=tuple(call),
        exchanges=tuple(_exchange_record(one, began) for one in result.exchanges),
        warnings=result.warnings,
    )


def _exchange_record(one: LineExchange, began: float) -> ExchangeRecord:
    problems = tuple(ProblemRecord(p.level, p.code, p.message, p.hint) for p in one.problems)
    at, seconds = round(one.at - began, 3), round(one.seconds, 3)
    return ExchangeRecord(at, seconds, one.extension, one.pairs, one.body, problems, one.hangup)


def _messages(outcome: ScenarioResult) -> tuple[str, ...]:
    if outcome.fake_only is not None:
        return (outcome.fake_only,)
    return outcome.failure.messages if outcome.failure else ()


def _failure_fields(failure: ScenarioFailure) -> dict[str, Any]:
    return {"kind": failure.kind, "failure_location": str(failure.location), "failed_turn": failure.turn or 0}


def _load_call(data: dict[str, Any]) -> CallRecord:
    return CallRecord(**_lists_to_tuples({**data, "turns": [_load_turn(one) for one in data["turns"]]}))


def _load_turn(data: dict[str, Any]) -> TurnRecord:
    timeline = tuple(TimelineEvent(**event) for event in data["timeline"])
    exchanges = tuple(map(_load_exchange, data["exchanges"]))
    return TurnRecord(**_lists_to_tuples({**data, "timeline": timeline, "exchanges": exchanges}))


def _load_exchange(data: dict[str, Any]) -> ExchangeRecord:
    pairs = tuple((name, value) for name, value in data["pairs"])
    return ExchangeRecord(
        **{**data, "pairs": pairs, "problems": tuple(ProblemRecord(**one) for one in data["problems"])}
    )


def _lists_to_tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
