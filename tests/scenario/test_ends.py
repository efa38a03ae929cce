"""``hears: {ends: …}``: whether the call has ended, and by whom."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.scenario_calls import answering, failure_of, play_turns
from tests.support.waiting_room import GOODBYE, MUSIC, POLL, QUESTION, Room
from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai_testing import ScriptedProvider
from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.line.platform.tree import Line
from yemot_ai_testing.scenario.format.dump import dumps
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.report.call_record import CallRecord, render_result
from yemot_ai_testing.scenario.report.failure import failure_report
from yemot_ai_testing.scenario.report.html.page import render

BY_AGENT = [
    "go_to_folder=hangup",
    "id_list_message=t-להתראות&go_to_folder=hangup",
    "id_list_message=t-להתראות.g-hangup",
    "id_list_message=t-להתראות",  # the response ends, and with it the call: this is the root
    "go_to_folder=..",
    "music_on_hold=ztomao,5&go_to_folder=hangup",
    "routing_yemot=0772222770",
]
LINK = "http://127.0.0.1/yemot"


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    """A waiting room, and the module ``room`` with the function that closes it."""
    module, room = ModuleType("room"), Room()
    vars(module).update(close=lambda: room.set("close", GOODBYE))
    monkeypatch.setitem(sys.modules, "room", module)
    return room


def ended(ends: str, response: str) -> list[str]:
    """Return the kinds of failure of a call that gets ``response`` after its greeting."""
    result = play_turns(
        f"[{{hears: לעזור}}, {{says: ביי, hears: {{ends: {ends}}}}}]", answering(QUESTION, response)
    )
    return [] if result.failure is None else [result.failure.kind, *result.failure.messages]


@pytest.mark.parametrize("response", BY_AGENT)
@pytest.mark.parametrize("ends", ["true", "agent", "maybe"])
def test_the_applications_side_ends_the_call(ends: str, response: str) -> None:
    assert ended(ends, response) == []


@pytest.mark.parametrize("response", BY_AGENT)
def test_the_caller_has_not_ended_it_then(response: str) -> None:
    assert ended("caller", response)[:2] == ["ends", "the agent ended the call, not the caller"]


def test_a_call_that_continues_has_no_proper_end() -> None:
    assert ended("agent", QUESTION) == ended("caller", QUESTION) == ["ends", "the call has not ended"]
    assert ended("maybe", QUESTION) == ended("false", QUESTION) == []


@pytest.mark.parametrize("turn", ["hangs_up: true", "says: רגע, meanwhile: {hangs_up: true, after: 1s}"])
@pytest.mark.parametrize(("ends", "passes"), [("true", True), ("caller", True), ("agent", False)])
def test_the_caller_hangs_up(turn: str, ends: str, passes: bool) -> None:  # noqa: FBT001 - a test parameter
    result = play_turns(f"[{{hears: לעזור}}, {{{turn}, hears: {{ends: {ends}}}}}]", answering(QUESTION, POLL))
    if passes:
        assert result.failure is None, result.failure
    else:
        assert failure_of(result) == ("ends", ("the caller ended the call, not the agent",))


def test_who_ended_the_call_is_known_in_later_turns() -> None:
    turns = "[{hears: לעזור}, {hangs_up: true}, {hears: {ends: caller}}, {hears: {ends: agent}}]"
    result = play_turns(turns, answering(QUESTION))
    assert [turn.status for turn in result.turns] == ["passed", "passed", "passed", "failed"]


def test_a_caller_who_hangs_up_after_a_transfer_has_not_ended_the_call() -> None:
    turns = "[{hears: לעזור}, {says: נציג}, {hangs_up: true, hears: {ends: agent}}]"
    result = play_turns(turns, answering(QUESTION, "routing_yemot=0772222770"))
    assert result.failure is None, result.failure


@pytest.mark.parametrize("waiting", [POLL, MUSIC])
@pytest.mark.parametrize("ends", ["true", "agent", "maybe"])
def test_a_person_at_the_server_closes_a_waiting_room(room: Room, waiting: str, ends: str) -> None:
    room.waiting = waiting
    turns = (
        f'[{{meanwhile: {{calls: "room:close", after: 12s}}, hears: {{contains: להתראות, ends: {ends}}}}}]'
    )
    result = play_turns(turns, room)
    assert result.failure is None, result.failure


def test_an_agent_moves_the_caller_out_of_its_extensions() -> None:
    flow = AIFlow(YemotAI(provider=ScriptedProvider()))

    @flow.get("1")
    def leave(call: AICall) -> None:
        call.goto("/5")

    turns = "[{hears: {goto: /5, ends: agent}}]"
    result = play_turns(turns, flow, suffix='    caller: {extension: "1"}\n')
    assert result.failure is None, result.failure


def test_a_call_that_the_line_drops_has_no_proper_end(tmp_path: Path) -> None:
    """A bare word that has no file is M1607 [?], and above the root the call ends."""
    (tmp_path / "ext.ini").write_text(f"type=api\napi_link={LINK}\n", encoding="utf-8")
    line = Line.read(tmp_path, servers={LINK: answering("blah")})
    message = "the line dropped the caller, as after M1607: neither the agent nor the caller ended the call"
    for ends in ("agent", "maybe"):
        assert failure_of(play_turns(f"[{{hears: {{ends: {ends}}}}}]", line)) == ("ends", (message,))
    assert play_turns("[{hears: {contains: M1607, ends: true}}]", line).failure is None


def test_a_response_that_the_line_does_not_understand_fails_as_without_maybe() -> None:
    assert ended("maybe", "read=")[0] == "protocol"


TURNS = """
- hears: לעזור
- says: ביי
  hears: {contains: להתראות, ends: maybe}
- says: עוד משהו
- presses: "1"
"""


def test_turns_after_the_end_by_the_agent_are_not_played() -> None:
    result = play_turns(TURNS, answering(QUESTION, GOODBYE))
    assert result.failure is None, result.failure
    assert [turn.status for turn in result.turns] == ["passed", "passed", "not_run", "not_run"]


@pytest.mark.parametrize(("text", "kinds"), [("להתראות", []), ("שלום", ["heard"])])
def test_the_agent_may_end_the_call_before_the_verb_of_the_first_turn(text: str, kinds: list[str]) -> None:
    turn = f"{{says: שלום, agent: {{answers: א}}, hears: {{contains: {text}, ends: maybe}}}}"
    provider = ScriptedProvider()
    result = play_turns(f"[{turn}, {{says: עוד}}]", answering(GOODBYE), double=provider)
    assert ([] if result.failure is None else [result.failure.kind]) == kinds
    assert result.turns[1].status == "not_run"


def test_turns_after_the_end_are_played_if_the_call_continues() -> None:
    app = answering(QUESTION, "read=t-להתראות או לא=q2,no,voice", "read=t-כמה=q3,no,1,1", GOODBYE)
    result = play_turns(TURNS, app)
    assert result.failure is None, result.failure
    assert [turn.status for turn in result.turns] == ["passed"] * 4


def test_what_is_heard_is_checked_also_after_the_end() -> None:
    kind, _ = failure_of(play_turns(TURNS, answering(QUESTION, "id_list_message=t-שלום&go_to_folder=hangup")))
    assert kind == "heard"


@pytest.mark.parametrize("response", [GOODBYE, "read=t-להתראות=q2,no,voice"])
def test_a_question_is_checked_if_the_call_continues(response: str) -> None:
    turns = "[{hears: לעזור}, {says: ביי, hears: {read: {mode: voice}, ends: maybe}}]"
    result = play_turns(turns, answering(QUESTION, response))
    assert result.failure is None, result.failure
    kind, _ = failure_of(play_turns(turns, answering(QUESTION, "read=t-כמה=q2,no,1,1")))
    assert kind == "response"


@pytest.mark.parametrize("event", ['{calls: "room:close", after: 50s}', "{hangs_up: true, after: 50s}"])
def test_what_should_happen_after_the_end_by_the_agent_is_not_missed(room: Room, event: str) -> None:
    room.waiting = GOODBYE
    turns = f"[{{meanwhile: {event}, hears: {{ends: maybe}}}}]"
    result = play_turns(turns, room)
    assert result.failure is None, result.failure
    kind, (message,) = failure_of(play_turns(turns.replace("maybe", "agent"), room))
    assert message.endswith("write hears: {ends: maybe} in the turn where it may")
    assert kind in {
        "meanwhile",
        "verb",
    }


def test_what_should_happen_is_missed_if_the_call_continues(room: Room) -> None:
    room.waiting = QUESTION
    turns = '[{meanwhile: {calls: "room:close", after: 50s}, hears: {ends: maybe}}]'
    assert failure_of(play_turns(turns, room))[0] == "meanwhile"


def test_leftovers_are_counted_after_the_end_by_the_agent() -> None:
    result = play_turns(TURNS, answering(QUESTION, GOODBYE), suffix="    afterwards: {agent_turns: 1}\n")
    assert failure_of(result)[0] == "afterwards"
    report = failure_report(CallRecord.from_result(result))
    assert "the agent ended the call in turn 2; 2 turns were not played" in report.splitlines()[0]


def test_the_reports_say_that_turns_were_not_played() -> None:
    result = play_turns(TURNS, answering(QUESTION, GOODBYE))
    assert (
        render_result(result).splitlines()[-1]
        == "  the agent ended the call in turn 2; 2 turns were not played"
    )
    record = CallRecord.from_result(result)
    page = render([CallRecord.loads(record.dumps())], written=datetime(2026, 1, 1, tzinfo=UTC))
    assert "הסוכן סיים את השיחה בתור 2; תורות שלא הושמעו: 2" in page


def test_the_reports_say_nothing_if_all_turns_were_played() -> None:
    result = play_turns("[{hears: {contains: להתראות, ends: maybe}}]", answering(GOODBYE))
    assert CallRecord.from_result(result).ending == ""
    failed = play_turns("[{hears: שלום}, {says: ביי}]", answering(QUESTION))
    assert CallRecord.from_result(failed).ending == ""


def test_a_verb_after_the_end_names_maybe() -> None:
    kind, (message,) = failure_of(
        play_turns("[{hears: לעזור}, {says: ביי}, {says: עוד}]", answering(QUESTION, GOODBYE))
    )
    assert kind == "verb"
    assert message.endswith("if the agent may end it, write hears: {ends: maybe} in the turn where it may")


def test_a_verb_after_a_hang_up_does_not_name_maybe() -> None:
    _, (message,) = failure_of(
        play_turns("[{hears: לעזור}, {hangs_up: true}, {says: עוד}]", answering(QUESTION))
    )
    assert "maybe" not in message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "agnt",
            "hears.ends cannot be 'agnt' (did you mean 'agent'?); allowed: true, false, agent, caller, maybe",
        ),
        ("yes", "hears.ends cannot be 'yes'; allowed: true, false, agent, caller, maybe"),
        ('"true"', "hears.ends cannot be 'true': leave out the quotes"),
        ("[agent]", "hears.ends must be one of true, false, agent, caller, maybe, not a list"),
        ("", "hears.ends must be one of true, false, agent, caller, maybe, not "),
    ],
)
def test_a_mistake_is_an_error_of_the_file(value: str, message: str) -> None:
    text = f"scenarios: [{{name: x, turns: [{{hears: {{ends: {value}}}}}]}}]"
    with pytest.raises(ScenarioLoadError) as raised:
        loads(text, Path("x.call.yaml"))
    (problem,) = raised.value.problems
    assert problem.startswith(f"x.call.yaml:1:46: {message}"), problem


@pytest.mark.parametrize("ends", ["true", "false", "agent", "caller", "maybe"])
def test_a_file_is_written_as_it_was_read(ends: str) -> None:
    file = loads(f"scenarios: [{{name: x, turns: [{{hears: {{ends: {ends}}}}}]}}]", Path("x.call.yaml"))
    again = loads(dumps(file), Path("x.call.yaml"))
    assert again.scenarios[0].turns[0].hears == file.scenarios[0].turns[0].hears


def test_a_turn_without_a_verb_cannot_wait_for_a_call_that_continues() -> None:
    with pytest.raises(ScenarioLoadError, match="only the first turn"):
        loads("scenarios: [{name: x, turns: [{hears: א}, {hears: {ends: false}}]}]", Path("x.call.yaml"))
