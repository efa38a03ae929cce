from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence

import pytest

from yemot_ai_testing import Caller
from yemot_ai_testing.history import (
    CallerSpoke,
    FaultInjected,
    History,
    RequestSent,
    ResponseReceived,
)
from yemot_ai_testing.line.transports.in_process import PairsTransport
from yemot_ai_testing.line.transports.transport import Pairs
from yemot_ai_testing.load.caller import LoadCaller, LoadTurn, RecordedTransport
from yemot_ai_testing.load.plan import PlannedCall
from yemot_ai_testing.scenario.format.model import CallerAction

SAYS = CallerAction("says", "אמירה 7001")
PLAIN = CallerAction("says", "שלום")
HANGS_UP = CallerAction("hangs_up")

Application = Callable[[Pairs], str]


def agent(answer: str) -> Application:
    """Return a line that listens, and answers everything with ``answer``."""

    def respond(pairs: Pairs) -> str:
        said = [value for name, value in pairs if name.startswith("said_")]
        return answer if said else "read=t-שלום=said_1,no,voice"

    return respond


def turns_of(application: Application, *actions: CallerAction) -> tuple[list[LoadTurn], History, Caller]:
    history = History()
    caller = Caller(application, strict=False, call_id="00c1")
    load = LoadCaller(caller, PlannedCall(actions, "0501234567"), history, itertools.count(7001), str)
    load.run()
    return load.turns, history, caller


def kinds(turns: Sequence[LoadTurn]) -> list[tuple[str, list[str]]]:
    return [(turn.name, [kind for kind, _ in turn.errors]) for turn in turns]


def test_a_call_without_an_error() -> None:
    turns, history, caller = turns_of(agent("read=t-כן=said_2,no,voice"), SAYS, SAYS, HANGS_UP)

    assert kinds(turns) == [("dials", []), ("says", []), ("says", []), ("hangs up", [])]
    spoken = [event.utterance_id for event in history.events if isinstance(event, CallerSpoke)]
    assert spoken == ["7001", "7002"]
    assert caller.ended


def test_what_has_no_number_is_said_as_it_is() -> None:
    _, history, caller = turns_of(agent("go_to_folder=hangup"), PLAIN)

    assert [event for event in history.events if isinstance(event, CallerSpoke)] == []
    assert ("said_1", "שלום") in caller.exchanges[1].pairs


def test_dead_air_is_measured_to_the_question() -> None:
    def slow(pairs: Pairs) -> str:
        time.sleep(0.05)  # the silence that is measured
        return "read=t-שלום=said_1,no,voice"

    turns, _, _ = turns_of(slow, HANGS_UP)

    assert turns[0].dead_air is not None
    assert turns[0].dead_air >= 0.05
    assert turns[-1].dead_air is None


def late(_: Pairs) -> str:
    raise TimeoutError


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        (late, [("dials", ["exception"])]),
        (agent("read=t-10-12=said_2,no,voice"), [("dials", []), ("says", ["text-character"])]),
        (agent(""), [("dials", []), ("says", ["empty-answer"])]),
        (lambda _: "<!doctype html>", [("dials", ["not-plain-text"])]),
        (agent("go_to_folder=hangup"), [("dials", []), ("says", []), ("says", ["ended"])]),
        (
            lambda _: "read=t-הקישו=key,no,1,1,7,No",
            [("dials", []), ("says", ["wrong-verb"]), ("hangs up", [])],
        ),
        (lambda _: "go_to_folder=.", [("dials", ["endless"]), ("hangs up", [])]),
    ],
    ids=["exception", "character", "empty", "page", "ended", "keys", "endless"],
)
def test_an_error_has_a_kind_and_ends_the_call(
    application: Application, expected: list[tuple[str, list[str]]]
) -> None:
    turns, _, caller = turns_of(application, SAYS, SAYS, HANGS_UP)

    assert kinds(turns) == expected
    assert caller.ended


def test_silence_and_keys_of_a_plan_are_done() -> None:
    def menu(pairs: Pairs) -> str:
        key = dict(pairs).get("key")
        return "read=t-הקישו=key,no,1,1,7,No" if key is None else "go_to_folder=hangup"

    turns, _, caller = turns_of(menu, CallerAction("presses", "2"))

    assert kinds(turns) == [("dials", []), ("presses", [])]
    assert ("key", "2") in caller.exchanges[1].pairs


@pytest.mark.parametrize(
    ("body", "excused"),
    [("read=t-שלום=said_1,no,voice", []), ("read=t-10-12=a,no,voice", ["invalid"]), ("", ["invalid"])],
)
def test_a_response_that_the_line_cannot_use_excuses_a_lost_answer(body: str, excused: list[str]) -> None:
    history = History()
    transport = RecordedTransport(PairsTransport(lambda _: body), history)
    transport.send([("ApiCallId", "00c1")], timeout=1)

    faults = [event.kind for event in history.events if isinstance(event, FaultInjected)]
    others = [type(event) for event in history.events if not isinstance(event, FaultInjected)]
    assert faults == excused
    assert others == [RequestSent, ResponseReceived]


def test_the_fault_of_a_connection_is_recorded() -> None:
    history = History()
    RecordedTransport(PairsTransport(late), history).send([("ApiCallId", "00c1")], timeout=1)

    assert [event.kind for event in history.events if isinstance(event, FaultInjected)] == ["exception"]
    assert [event.fault for event in history.events if isinstance(event, ResponseReceived)] == ["exception"]
