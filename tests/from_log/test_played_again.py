"""The scenario of a logged call passes against the application of the log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.from_log.logs import assert_passes, convert_lines, json_lines, record_of, scenarios_of
from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai_testing import Caller, ScriptedProvider
from yemot_ai_testing.doubles.platform_server import PlatformServer
from yemot_ai_testing.doubles.steps import Answer, Failure, Hang, Transcription
from yemot_ai_testing.from_log.scenario import Settings

Pairs = Sequence[tuple[str, str]]


def agent_flow(listen: str = "voice") -> AIFlow:
    flow = AIFlow(YemotAI(provider=ScriptedProvider()))

    @flow.get("")
    def menu(call: AICall) -> None:
        choice = call.read("לנציג הקישו 1, לסיום 2", val_name="menu", max_digits=1, digits_allowed="12")
        if choice == "1":
            call.goto("/agent")
        call.play_message("להתראות")
        call.hangup()

    @flow.ai_agent("/agent", greeting="במה אפשר לעזור?", listen=listen)
    def agent(call: AICall, text: str) -> None: ...

    return flow


def script(flow: AIFlow) -> ScriptedProvider:
    provider = flow.ai.provider
    assert isinstance(provider, ScriptedProvider)
    return provider


def order(caller: Caller) -> None:
    caller.presses("1")
    caller.says("מתי פותחים")
    caller.says("ומתי סוגרים")
    caller.presses("9")
    caller.presses("2")


def test_a_menu_and_an_agent(tmp_path: Path) -> None:
    flow = agent_flow()
    script(flow).answers("בשמונה בבוקר").answers("בחמש", after=8)
    (scenario,) = scenarios_of(convert_lines(tmp_path, record_of(flow, order)))

    asked = [turn for turn in scenario.turns if turn.agent]
    assert [turn.agent for turn in asked] == [(Answer(("בשמונה בבוקר",)),), (Answer(("בחמש",), 8.0),)]
    assert [turn.action.text for turn in scenario.turns if turn.action] == [
        "1",
        "מתי פותחים",
        "ומתי סוגרים",
        "9",
        "2",
    ]
    assert scenario.turns[-1].hears is not None
    assert scenario.turns[-1].hears.ends == "agent"
    assert_passes(scenario, agent_flow())


def test_a_log_without_the_models_answers(tmp_path: Path) -> None:
    flow = agent_flow()
    script(flow).answers("בשמונה בבוקר").answers("בחמש", after=8)
    caller = Caller(flow)
    caller.dial()
    order(caller)
    (scenario,) = scenarios_of(convert_lines(tmp_path, json_lines(caller)))

    assert [turn.agent for turn in scenario.turns if turn.agent] == [
        (Answer(("בשמונה בבוקר",)),),
        (Answer(("בחמש",)),),
    ]
    assert_passes(scenario, agent_flow())


def test_polls_are_no_turns(tmp_path: Path) -> None:
    flow = agent_flow()
    script(flow).answers("בשמונה", after=20)

    def waits(caller: Caller) -> None:
        caller.presses("1")
        assert caller.says("מתי").count("רק רגע") > 4
        caller.hangs_up()

    (scenario,) = scenarios_of(convert_lines(tmp_path, record_of(flow, waits)))
    assert len(scenario.turns) == 4
    assert scenario.turns[2].hears is not None
    assert scenario.turns[2].hears.contains == ("בשמונה",)
    assert_passes(scenario, agent_flow())


@pytest.mark.parametrize("with_answers", [True, False])
def test_a_streamed_answer_is_heard_as_a_whole(tmp_path: Path, with_answers: bool) -> None:  # noqa: FBT001 - a case
    flow = agent_flow()
    script(flow).answers(["פתוח בשמונה. ", "סגור בחמש. ", "בשישי סגור."], every=4)

    def listens(caller: Caller) -> None:
        caller.presses("1")
        assert "בשישי סגור" in caller.says("מתי")
        caller.hangs_up()

    lines = record_of(flow, listens)
    if not with_answers:
        lines = [line.replace('"yemot_record": 1, ', "") for line in lines if '"kind": "turn"' not in line]
    (scenario,) = scenarios_of(convert_lines(tmp_path, lines))
    asked = scenario.turns[2]
    assert asked.hears is not None
    assert asked.hears.contains == ("פתוח בשמונה", "סגור בחמש", "בשישי סגור")
    assert_passes(scenario, agent_flow())


@pytest.mark.parametrize("with_answers", [True, False])
def test_a_hang_up_while_the_model_thinks(tmp_path: Path, with_answers: bool) -> None:  # noqa: FBT001 - a case
    flow = agent_flow()
    script(flow).hangs()

    def leaves(caller: Caller) -> None:
        caller.presses("1")
        caller.interrupts(after=6)
        caller.says("מתי פותחים")

    lines = record_of(flow, leaves)
    if not with_answers:
        lines = [line.replace('"yemot_record": 1, ', "") for line in lines if '"kind": "turn"' not in line]
    found = convert_lines(tmp_path, lines)
    (scenario,) = scenarios_of(found)

    assert found.files[0].call.reasons[0].text == "the caller hung up during a wait"
    assert scenario.turns[-1].agent == (Hang(),)
    assert scenario.turns[-1].interruption is not None
    assert scenario.turns[-1].interruption.keys is None
    assert_passes(scenario, agent_flow())


def test_a_key_that_interrupts_an_answer(tmp_path: Path) -> None:
    flow = agent_flow()
    script(flow).answers(["פתוח בשמונה. ", "סגור בחמש. ", "בשישי סגור."], every=5)

    def interrupts(caller: Caller) -> None:
        caller.presses("1")
        caller.interrupts("9", after=7)
        assert "לנציג" in caller.says("מתי")
        caller.hangs_up()

    (scenario,) = scenarios_of(convert_lines(tmp_path, record_of(flow, interrupts)))
    interruption = scenario.turns[2].interruption
    assert interruption is not None
    assert interruption.keys == "9"
    assert_passes(scenario, agent_flow())


def test_three_silences(tmp_path: Path) -> None:
    def is_silent(caller: Caller) -> None:
        caller.presses("1")
        for _ in range(3):
            caller.silent()
        caller.hangs_up()

    found = convert_lines(tmp_path, record_of(agent_flow(), is_silent))
    (scenario,) = scenarios_of(found)

    assert [turn.action.verb for turn in scenario.turns[2:5] if turn.action] == ["silent"] * 3
    assert [reason.text for reason in found.files[0].call.reasons] == ["the caller was silent 3 times"]
    assert_passes(scenario, agent_flow())


def test_a_hang_up_after_a_silence_is_interesting(tmp_path: Path) -> None:
    def leaves(caller: Caller) -> None:
        caller.presses("1")
        caller.silent()
        caller.hangs_up()

    found = convert_lines(tmp_path, record_of(agent_flow(), leaves))
    assert [reason.text for reason in found.files[0].call.reasons] == ["the caller hung up after a silence"]
    assert_passes(scenarios_of(found)[0], agent_flow())


@pytest.mark.parametrize("kind", ["quota_exceeded", "overloaded", "refused_request"])
def test_a_failure_of_the_model_fails_again(tmp_path: Path, kind: str) -> None:
    flow = agent_flow()
    script(flow).fails(kind)  # type: ignore[arg-type]  # one of the kinds
    if kind == "overloaded":
        script(flow).fails("overloaded")

    def hears(caller: Caller) -> None:
        caller.presses("1")
        assert "סליחה" in caller.says("מתי")
        caller.hangs_up()

    found = convert_lines(tmp_path, record_of(flow, hears))
    (scenario,) = scenarios_of(found)
    assert {step.kind for step in scenario.turns[2].agent if isinstance(step, Failure)} == {kind}
    assert found.files[0].call.reasons[0].rank == 1
    assert_passes(scenario, agent_flow())


def test_an_agent_that_is_typed_to(tmp_path: Path) -> None:
    flow = agent_flow("keyboard")
    script(flow).answers("בשמונה")

    def types(caller: Caller) -> None:
        caller.presses("1")
        caller.presses("מתי פותחים")
        caller.hangs_up()

    (scenario,) = scenarios_of(convert_lines(tmp_path, record_of(flow, types)))
    assert scenario.turns[2].action is not None
    assert scenario.turns[2].action.text.rstrip("#") == "מתי פותחים"
    assert_passes(scenario, agent_flow("keyboard"))


def test_a_repeated_request(tmp_path: Path) -> None:
    flow = agent_flow()
    script(flow).answers("בשמונה")

    def repeats(caller: Caller) -> None:
        caller.presses("1")
        caller.says("מתי")
        caller.repeats()
        caller.hangs_up()

    found = convert_lines(tmp_path, record_of(flow, repeats))
    (scenario,) = scenarios_of(found)
    assert [turn.action.verb for turn in scenario.turns if turn.action] == [
        "presses",
        "says",
        "repeats",
        "hangs_up",
    ]
    assert found.files[0].call.reasons[0].text == "the line repeated a request"
    assert_passes(scenario, agent_flow())


QUESTIONS = {
    "voice": "read=t-הקליטו=voice,no,record",
    "phone": "read=t-מה הטלפון=phone,no,10,9,7,Phone",
    "time": "read=t-באיזו שעה=time,no,4,4,7,Time,,,,,,,,,no",
    "price": "read=t-כמה=price,no,6,1,7,Price,,,,,,,,,no",
    "wish": "read=t-משהו נוסף=wish,no,voice",
}


def raw_form(pairs: Pairs) -> str:
    """Answer as a server of another package: a recording, a confirmed number, a time, a price."""
    sent = dict(pairs)
    missing = [question for name, question in QUESTIONS.items() if name not in sent]
    if missing or sent.get("hangup") == "yes":
        return missing[0] if missing else "noop=x"
    said = f"{sent['phone']} {sent['time'].replace('-', ' ')} {sent['wish'].replace('-', ' ')}"
    return f"id_list_message=t-רשמנו {said}.f-/1/000&go_to_folder=hangup"


def fill_in(caller: Caller) -> None:
    caller.records("/1/000.wav")
    caller.presses("2")
    caller.presses("0527654321")
    caller.presses("1")
    caller.presses("1030")
    caller.presses("12*5")
    caller.presses("42")


def test_keys_recordings_and_confirmations_of_another_server(tmp_path: Path) -> None:
    caller = Caller(raw_form, "0527654321")
    caller.dial()
    fill_in(caller)
    assert caller.ended
    (scenario,) = scenarios_of(convert_lines(tmp_path, json_lines(caller)))

    assert [(turn.action.verb, turn.action.text) for turn in scenario.turns if turn.action] == [
        ("records", "/1/000.wav"),
        ("presses", "2"),
        ("presses", "0501234567"),
        ("presses", "1"),
        ("presses", "1030"),
        ("presses", "12*5"),
        ("presses", "42"),
    ]
    assert scenario.turns[-1].hears is not None
    assert scenario.turns[-1].hears.contains == ("רשמנו 0501234567 10 30 Digits 42", "f-/1/000")
    assert_passes(scenario, raw_form)


def recording_flow(platform: PlatformServer) -> AIFlow:
    model = ScriptedProvider()
    flow = AIFlow(YemotAI(provider=model, transcriber=model, recordings=platform.recordings()))
    flow.ai_agent("", greeting="שלום", listen="record")(lambda call, text: None)
    return flow


def test_an_agent_that_hears_recordings(tmp_path: Path, platform: PlatformServer) -> None:
    flow = recording_flow(platform)
    script(flow).transcribes("מתי פתוח").answers("בשמונה").transcribes("").transcribes("להתראות")

    def records(caller: Caller) -> None:
        caller.records("/1/000.wav")
        caller.records("/1/001.wav")
        caller.records("/1/002.wav")

    (scenario,) = scenarios_of(convert_lines(tmp_path, record_of(flow, records)))
    assert [turn.agent[0] for turn in scenario.turns if turn.agent][:2] == [
        Transcription("מתי פתוח"),
        Transcription(""),
    ]
    assert_passes(scenario, recording_flow(platform))


def handler_flow() -> AIFlow:
    flow = AIFlow(YemotAI(provider=ScriptedProvider()))

    @flow.get("")
    def form(call: AICall) -> None:
        phone = call.read("מה הטלפון", val_name="phone", max_digits=10, min_digits=9)
        spoken = call.read("מה תרצו", val_name="wish", mode="stt")
        answer = call.ask_ai(f"{phone}: {spoken}")
        call.play_message(f"{answer}, רשמנו את {phone}")
        call.hangup()

    return flow


def test_a_handler_that_asks_the_model(tmp_path: Path) -> None:
    flow = handler_flow()
    script(flow).answers("פיצה בדרך, נתקשר אל 0527654321", after=7)

    def fills_in(caller: Caller) -> None:
        caller.presses("0527654321")
        assert "פיצה בדרך" in caller.says("פיצה לשמעון")

    lines = record_of(flow, fills_in)
    found = convert_lines(tmp_path, lines, words={"שמעון": "ראובן"})
    (scenario,) = scenarios_of(found)
    assert scenario.turns[-1].agent == (Answer(("פיצה בדרך, נתקשר אל 0501234567",), 7.0),)
    assert "שמעון" not in found.files[0].text
    assert_passes(scenario, handler_flow())


def test_answers_of_the_model_of_another_server(tmp_path: Path) -> None:
    def server(pairs: Pairs) -> str:
        return (
            "read=t-שלום=a,no,voice"
            if "a" not in dict(pairs)
            else "id_list_message=t-בשמונה&go_to_folder=hangup"
        )

    caller = Caller(server)
    caller.dial()
    caller.says("מתי")
    lines = json_lines(caller)

    (plain,) = scenarios_of(convert_lines(tmp_path, lines))
    (asked,) = scenarios_of(convert_lines(tmp_path, lines, settings=Settings(takes_speech=True)))
    assert (plain.turns[-1].agent, asked.turns[-1].agent) == ((), (Answer(("בשמונה",)),))


def test_an_application_that_a_lenient_line_understands(tmp_path: Path) -> None:
    def old(pairs: Pairs) -> str:
        if "x" in dict(pairs):
            return "id_list_message=t-תודה&go_to_folder=hangup"
        return "read=t-מה=x,no,1,1,7,No,no,no,,,,Ok,True,True"

    caller = Caller(old, lenient=True)
    caller.dial()
    caller.presses("1")
    (scenario,) = scenarios_of(convert_lines(tmp_path, json_lines(caller)))

    assert scenario.caller.line == (("lenient", True),)
    assert_passes(scenario, old)


def test_a_response_that_the_line_does_not_understand_fails_until_it_is_mended(tmp_path: Path) -> None:
    def broken(pairs: Pairs) -> str:
        return "read=t-שלום=a,no,voice" if "a" not in dict(pairs) else "id_list_message=t-א-ב"

    caller = Caller(broken, strict=False)
    caller.dial()
    caller.says("מתי")
    found = convert_lines(tmp_path, json_lines(caller))
    (scenario,) = scenarios_of(found)

    assert found.files[0].call.reasons[0].text == "the line does not understand a response: text-character"
    assert scenario.turns[-1].hears is None
    with pytest.raises(AssertionError, match="text-character"):
        assert_passes(scenario, broken)


def test_a_call_that_leaves_for_an_extension_of_the_line(tmp_path: Path) -> None:
    def leaves(pairs: Pairs) -> str:
        extension = dict(pairs)["ApiExtension"]
        return "id_list_message=t-מעבירים אתכם&go_to_folder=/5" if not extension else "go_to_folder=hangup"

    caller = Caller(leaves)
    caller.dial()
    first = json_lines(caller)[:1]
    (scenario,) = scenarios_of(convert_lines(tmp_path, first))

    assert scenario.turns[0].hears is not None
    assert (scenario.turns[0].hears.goto, scenario.turns[0].hears.ends) == ("/5", None)
    assert_passes(scenario, leaves)


def test_silence_at_keys_and_a_default_value(tmp_path: Path) -> None:
    def asks(pairs: Pairs) -> str:
        if "x" in dict(pairs):
            return f"id_list_message=t-קיבלתי {dict(pairs)['x']}&go_to_folder=hangup"
        return "read=t-מה=x,no,3,1,7,No,,,,,,Ok,nothing,,no"

    caller = Caller(asks)
    caller.dial()
    caller.silent()
    (scenario,) = scenarios_of(convert_lines(tmp_path, json_lines(caller)))

    assert scenario.turns[-1].action is not None
    assert scenario.turns[-1].action.verb == "silent"
    assert_passes(scenario, asks)
