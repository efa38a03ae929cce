"""Writes a logged call as a scenario: its turns, what it could not say, and the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Final

from yemot_ai.protocol import Read
from yemot_ai.protocol.explain import printable
from yemot_ai_testing.from_log.actions import HANGS_UP, REPEATS, guess_action
from yemot_ai_testing.from_log.entries import LogExchange, LoggedCall
from yemot_ai_testing.from_log.expectations import expectation, fillers_of, spoken_in
from yemot_ai_testing.from_log.interest import Reason
from yemot_ai_testing.from_log.model_answers import ModelAnswers, assign_turns
from yemot_ai_testing.from_log.privacy import CallPrivacy, Substitutes
from yemot_ai_testing.from_log.replay import Replay, replay_call
from yemot_ai_testing.scenario.format.dump import dumps
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.format.model import (
    CallerAction,
    CallerSpec,
    CallFile,
    Scenario,
    ScenarioTurn,
    ServerCommand,
    SourceLocation,
)

__all__ = ["Settings", "WrittenCall", "file_text", "write_call"]

_NOWHERE: Final = SourceLocation(Path(), 1, 1)


@dataclass(frozen=True, slots=True)
class Settings:
    """How calls are written.

    Attributes:
        app: ``module:flow`` of the application, or the server to start; None to leave it out.
        takes_speech: whether each answer to spoken words is the model's.
    """

    app: str | ServerCommand | None = None
    takes_speech: bool = False


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A call as a scenario.

    Attributes:
        call: the call.
        scenario: the scenario.
        reasons: why the call is interesting, the worst reason first.
        notes: what a reader of the scenario should know.
    """

    call: LoggedCall
    scenario: Scenario
    reasons: tuple[Reason, ...]
    notes: tuple[str, ...]

    @property
    def started(self) -> str:
        """The date and the time of its first request, in UTC; empty if they are not known."""
        if self.call.time is None:
            return ""
        return datetime.fromtimestamp(self.call.time, UTC).strftime("%Y-%m-%d %H:%M")


def write_call(
    call: LoggedCall, reasons: Sequence[Reason], substitutes: Substitutes, settings: Settings
) -> WrittenCall:
    """Return a call as a scenario.

    Args:
        call: the call.
        reasons: why it is interesting.
        substitutes: those of the log.
        settings: how it is written.
    """
    privacy = CallPrivacy(substitutes)
    first = call.exchanges[0]
    phone = privacy.replaced(first.request.phone)
    replay = replay_call(call)
    turns = [*_replayed_turns(call, replay, privacy, settings), *_guessed_turns(call, replay, privacy)]
    turns = turns[1:] if len(turns) > 1 and turns[0].action is None and turns[0].hears is None else turns
    if all(turn.action is None and turn.hears is None for turn in turns):
        turns = [ScenarioTurn(_NOWHERE, action=HANGS_UP)]
    caller = CallerSpec(
        phone, first.request.extension, first.method, (("lenient", True),) if replay.lenient else ()
    )
    name = f"call {call.number}: {reasons[0].text}" if reasons else f"call {call.number}"
    scenario = Scenario(name.replace("::", ":"), _NOWHERE, tuple(turns), settings.app, caller)
    return WrittenCall(call, scenario, tuple(reasons), tuple(_notes(call, replay, privacy)))


def file_text(path: Path, calls: Sequence[WrittenCall], total: int) -> str:
    """Return the text of a scenario file.

    Args:
        path: where it will be.
        calls: the calls.
        total: how many calls the log has.

    Raises:
        ScenarioLoadError: a call has something that a scenario file cannot have.
    """
    name = path.name.partition(".")[0]
    text = dumps(CallFile(path, name, tuple(written.scenario for written in calls)))
    head = [f"# {line}".rstrip() for written in calls for line in _comment(written, total)]
    text = "\n".join([*head, text])
    loads(text, path)
    return text


def _comment(written: WrittenCall, total: int) -> Iterator[str]:
    at = f", {written.started} UTC" if written.started else ""
    yield f"Call {written.call.number} of {total} of a log{at}; numbers and addresses are substitutes."
    yield from (f"Why: {reason.text}" for reason in written.reasons)
    yield from (f"Note: {printable(note, 300)}" for note in written.notes)


def _replayed_turns(
    call: LoggedCall, replay: Replay, privacy: CallPrivacy, settings: Settings
) -> Iterator[ScenarioTurn]:
    has_turns = any(exchange.has_turns for exchange in call.exchanges)
    model = ModelAnswers(privacy.replaced, has_turns, settings.takes_speech)
    fillers = fillers_of(replay.turns)
    question: Read | None = None
    for turn, recorded in zip(replay.turns, assign_turns(replay.turns, call.turns), strict=True):
        action = _replaced_action(turn.action, privacy)
        spoken = spoken_in(turn, fillers)
        agent = model.steps(turn, question, recorded, str(spoken))
        hears = expectation(turn, spoken, privacy, by_model=bool(agent))
        yield ScenarioTurn(_NOWHERE, action=action, hears=hears, agent=agent, interruption=turn.interruption)
        question = turn.question


def _replaced_action(action: CallerAction | None, privacy: CallPrivacy) -> CallerAction | None:
    return None if action is None else replace(action, text=privacy.replaced(action.text))


def _guessed_turns(call: LoggedCall, replay: Replay, privacy: CallPrivacy) -> Iterator[ScenarioTurn]:
    """Yield what the caller did after the last response that the log has."""
    if not _lacks_response(call, replay):
        return
    before = call.exchanges[len(call.exchanges) - len(replay.rest) - 1]
    for exchange in replay.rest:
        for action in _guessed_actions(before, exchange):
            yield ScenarioTurn(_NOWHERE, action=_replaced_action(action, privacy))
        before = exchange


def _guessed_actions(before: LogExchange, exchange: LogExchange) -> Iterator[CallerAction]:
    if exchange.request.hangup or before.request.hangup:
        return  # at its end a scenario hangs up
    if exchange.repeats(before):
        yield REPEATS
    else:
        same = takewhile(lambda pair: pair[0] == pair[1], zip(before.values, exchange.values, strict=False))
        new = exchange.values[sum(1 for _ in same) :] if len(exchange.values) > len(before.values) else ()
        yield from (action for name, value in new if (action := guess_action(name, value)))


def _lacks_response(call: LoggedCall, replay: Replay) -> bool:
    reached = len(call.exchanges) - len(replay.rest)
    return bool(replay.rest) and reached > 0 and call.exchanges[reached - 1].body is None


def _notes(call: LoggedCall, replay: Replay, privacy: CallPrivacy) -> Iterator[str]:
    first = call.exchanges[0]
    sent = [name for name, _ in first.values if not privacy.is_sensitive(name)]
    if any(name.startswith("ai_") for name in sent):
        yield "the log begins in the middle of this call"
    elif sent and not first.request.hangup:
        yield f"the line also sent {', '.join(sent)} with each request; a scenario cannot"
    yield from (part for note in replay.notes for part in (" ".join(privacy.heard(note)),) if part)
    if _lacks_response(call, replay):
        yield "the log has no responses: what the caller did is a guess from its values, and heard is nothing"
    elif replay.rest:
        yield f"{len(replay.rest)} more requests of the log are not in this scenario"
