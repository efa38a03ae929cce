"""What is kept of a played scenario for the end of the run: plain values that travel between processes.

>>> call = CallRecord(name="הזמנה", path="shop.call.yaml", line=3, state="passed")
>>> CallRecord.loads(call.dumps()) == call
True
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from yemot_ai_testing.line.exchange import Exchange
from yemot_ai_testing.scenario.play.result import Failure, Outcome, Status, TurnResult
from yemot_ai_testing.scenario.play.timeline import Beat, beats
from yemot_ai_testing.scenario.report.text import heading

__all__ = ["Asked", "CallRecord", "Problem", "RecordState", "TurnRecord"]

RecordState: TypeAlias = Literal["passed", "failed", "fake only", "error"]
"""How a call went; an ``error`` is one that could not be played at all."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What the line has against an answer."""

    level: str
    code: str
    message: str
    way_out: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
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
    problems: tuple[Problem, ...] = ()
    hangup: bool = False


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One turn; the last of a call may be what came after its turns, without lines of its own.

    Attributes:
        line: where it begins in the file; 0 for what came after the turns.
        status: how it went.
        source: its lines as the user wrote them.
        hears_at: which of them, from 0, says what must be heard.
        heard: everything that was heard in it.
        dead_air: its longest silence, in seconds.
        beats: what happened in it.
        exchanges: its requests and answers.
        warnings: what is worth telling though nothing failed.
    """

    line: int
    status: Status
    source: tuple[str, ...] = ()
    hears_at: int = 0
    heard: str = ""
    dead_air: float = 0.0
    beats: tuple[Beat, ...] = ()
    exchanges: tuple[Asked, ...] = ()
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
        place: of a failure, where in the file.
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
    place: str = ""
    failed_turn: int = 0
    messages: tuple[str, ...] = ()
    replay: str = ""

    @classmethod
    def of(cls, outcome: Outcome, *, replay: str) -> CallRecord:
        """Return what is kept of ``outcome``."""
        scenario, failure = outcome.scenario, outcome.failure
        return cls(
            name=scenario.name,
            path=scenario.place.path.as_posix(),
            line=scenario.place.line,
            state=outcome.state,
            title=heading(outcome),
            phone=scenario.caller.phone,
            extension=scenario.caller.extension.strip("/"),
            turns=_turns(outcome),
            agent_turns=outcome.agent_turns,
            messages=_messages(outcome),
            replay=replay,
            **({} if failure is None else _where(failure)),
        )

    @classmethod
    def loads(cls, text: str) -> CallRecord:
        """Return the call that ``dumps`` made a text of."""
        return _call(json.loads(text))

    def dumps(self) -> str:
        """Return the call as one ASCII text, whatever was said in it."""
        return json.dumps(asdict(self))

    @property
    def beats(self) -> list[Beat]:
        """The whole call."""
        return [beat for turn in self.turns for beat in turn.beats]

    @property
    def warnings(self) -> list[str]:
        """The warnings of all turns."""
        return [warning for turn in self.turns for warning in turn.warnings]

    @property
    def played(self) -> list[TurnRecord]:
        """The turns of the file that were played."""
        return [turn for turn in self.turns if turn.line and turn.status != "not_run"]


def _turns(outcome: Outcome) -> tuple[TurnRecord, ...]:
    """Return the turns, and one more for what came after them, if anything did."""
    began = min((event.at for event in outcome.transcript), default=0.0)
    call = beats(outcome.events)
    turns = [
        _turn(result, [beat for beat in call if beat.turn == number], began)
        for number, result in enumerate(outcome.turns, start=1)
    ]
    asked = outcome.exchanges[sum(len(result.exchanges) for result in outcome.turns) :]
    rest = tuple(beat for beat in call if beat.turn == 0)
    after = TurnRecord(0, "passed", beats=rest, exchanges=tuple(_asked(one, began) for one in asked))
    return (*turns, after) if rest or asked else tuple(turns)


def _turn(result: TurnResult, call: list[Beat], began: float) -> TurnRecord:
    turn = result.turn
    return TurnRecord(
        line=turn.place.line,
        status=result.status,
        source=turn.source,
        hears_at=0 if turn.hears_line is None else turn.hears_line - turn.place.line,
        heard=result.heard,
        dead_air=result.dead_air,
        beats=tuple(call),
        exchanges=tuple(_asked(one, began) for one in result.exchanges),
        warnings=result.warnings,
    )


def _asked(one: Exchange, began: float) -> Asked:
    problems = tuple(Problem(p.level, p.code, p.message, p.way_out) for p in one.problems)
    at, seconds = round(one.at - began, 3), round(one.seconds, 3)
    return Asked(at, seconds, one.extension, one.pairs, one.body, problems, one.hangup)


def _messages(outcome: Outcome) -> tuple[str, ...]:
    if outcome.fake_only is not None:
        return (outcome.fake_only,)
    return outcome.failure.messages if outcome.failure else ()


def _where(failure: Failure) -> dict[str, Any]:
    return {"kind": failure.kind, "place": str(failure.place), "failed_turn": failure.turn or 0}


def _call(told: dict[str, Any]) -> CallRecord:
    return CallRecord(**_tupled({**told, "turns": [_turn_told(one) for one in told["turns"]]}))


def _turn_told(told: dict[str, Any]) -> TurnRecord:
    call = tuple(Beat(**beat) for beat in told["beats"])
    return TurnRecord(
        **_tupled({**told, "beats": call, "exchanges": tuple(map(_asked_told, told["exchanges"]))})
    )


def _asked_told(told: dict[str, Any]) -> Asked:
    pairs = tuple((name, value) for name, value in told["pairs"])
    return Asked(**{**told, "pairs": pairs, "problems": tuple(Problem(**one) for one in told["problems"])})


def _tupled(told: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
