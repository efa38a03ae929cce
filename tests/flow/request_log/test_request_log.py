from __future__ import annotations

import logging

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, DialogSettings, YemotAI
from yemot_ai.flow.request_log import AnsweredRequest, RequestLog
from yemot_ai.protocol import Request
from yemot_ai_testing import ScriptedProvider

WORDS = logging.getLogger("yemot_ai.words")


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider()


@pytest.fixture
def flow(provider: ScriptedProvider, caplog: pytest.LogCaptureFixture) -> AIFlow:
    caplog.set_level(logging.DEBUG, logger="yemot_ai")
    flow = AIFlow(YemotAI(provider=provider), dialog=DialogSettings(answer_wait=0.2))
    flow.ai_agent("agent", greeting="שלום")(lambda call, text: None)

    @flow.get("menu")
    def menu(call: AICall) -> None:
        call.goto("/agent" if call.read("סוד הקישו", max_digits=2, val_name="choice") == "12" else "hangup")

    return flow


def lines_of_requests(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines of requests, without the time that they took."""
    lines = [record.getMessage() for record in caplog.records if hasattr(record, "yemot_request")]
    return [line.rpartition(";")[0] for line in lines]


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_each_request_is_one_line_without_words(
    flow: AIFlow, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.answers("סוד התשובה")
    line = Line(flow, "0123456789abcdef")
    line.enter("menu")
    line.send(("choice", "12"))
    line.enter("agent")
    line.send(("ai_1", "סוד השאלה"))
    line.hang_up()

    assert lines_of_requests(caplog) == [
        "call 01234567: /menu from …4567: start -> read choice by keys, 1 text",
        "call 01234567: /menu from …4567: 2 keys in choice -> go to /agent",
        "call 01234567: /agent from …4567: start -> read ai_1 by voice, 1 text",
        "call 01234567: /agent from …4567: speech of 9 letters in ai_1 -> read ai_2 by voice, 1 text",
        "call 01234567: /agent from …4567: hang-up -> noop",
    ]
    assert "סוד" not in caplog.text


def test_words_are_logged_only_where_their_own_logger_asks_for_them(
    flow: AIFlow, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.answers("תשובה, 050-7654321")
    line = Line(flow, "c1")
    line.enter("agent")
    caplog.set_level(logging.DEBUG, logger=WORDS.name)
    line.send(("ai_1", "מה שלומך"))

    assert "מה שלומך" in caplog.text
    assert "תשובה" in caplog.text
    assert "7654321" not in caplog.text


def test_a_request_is_not_described_if_nothing_reads_it(
    flow: AIFlow, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="yemot_ai")
    Line(flow, "c1").enter("menu")

    assert not caplog.records


def test_control_characters_of_a_request_do_not_break_its_line(
    flow: AIFlow, caplog: pytest.LogCaptureFixture
) -> None:
    line = Line(flow, "c\n1")
    line.enter("menu\nFAKE\x1b[2J")
    line.send(("name\rFAKE\u2028", "שלום"))

    assert caplog.records
    assert all(record.getMessage().isprintable() for record in caplog.records)


def test_a_phone_number_as_an_extension_is_masked(flow: AIFlow, caplog: pytest.LogCaptureFixture) -> None:
    Line(flow, "c1").enter("0507654321")

    assert "4321" in caplog.text
    assert "0507654321" not in caplog.text


def test_an_observer_gets_each_answered_request(flow: AIFlow) -> None:
    answered: list[AnsweredRequest] = []
    flow.on_request(answered.append)
    response = Line(flow, "c1").enter("menu")

    assert [(one.request.call_id, one.response) for one in answered] == [("c1", response)]


def test_an_unknown_extension_is_a_warning_that_names_the_known_ones(
    flow: AIFlow, caplog: pytest.LogCaptureFixture
) -> None:
    Line(flow, "c1").enter("ajent")

    assert warnings_of(caplog) == [
        "call c1: no handler for extension /ajent; did you mean /agent? This flow answers /agent, /menu"
    ]


def test_an_unknown_extension_far_from_all_others_has_no_suggestion(
    flow: AIFlow, caplog: pytest.LogCaptureFixture
) -> None:
    Line(flow, "c1").enter("7/3")

    assert warnings_of(caplog) == ["call c1: no handler for extension /7/3; this flow answers /agent, /menu"]


def test_a_flow_without_extensions_says_how_to_register_one(
    provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    Line(AIFlow(YemotAI(provider=provider)), "c1").enter("")

    assert "no extension: register one with @flow.ai_agent or @flow.get" in warnings_of(caplog)[0]


def test_the_hang_up_of_an_unknown_extension_is_no_warning(
    flow: AIFlow, caplog: pytest.LogCaptureFixture
) -> None:
    Line(flow, "c1").hang_up()

    assert not warnings_of(caplog)


@pytest.mark.parametrize("text", ["", "  ", "—", "😀"])
def test_an_answer_of_an_agent_that_cannot_be_spoken_is_a_warning_with_its_place(
    text: str, flow: AIFlow, caplog: pytest.LogCaptureFixture
) -> None:
    def empty(call: AICall, said: str) -> str:
        return text

    flow.ai_agent("empty", greeting="שלום")(empty)
    line = Line(flow, "c1")
    line.enter("empty")
    line.send(("ai_1", "שלום"))

    place = f"{__file__}:{empty.__code__.co_firstlineno}"
    (warning,) = warnings_of(caplog)
    assert warning.startswith(f"call c1: {place}: ")
    assert "empty returned a text without anything to speak" in warning
    assert "return what to say, or None to let the AI answer" in warning


def test_an_agent_that_plays_a_message_and_returns_nothing_to_speak_is_no_warning(
    flow: AIFlow, caplog: pytest.LogCaptureFixture
) -> None:
    @flow.ai_agent("played", greeting="שלום")
    def played(call: AICall, said: str) -> str:
        call.play_message("נרשם")
        return ""

    line = Line(flow, "c1")
    line.enter("played")
    line.send(("ai_1", "שלום"))

    assert not warnings_of(caplog)


def test_a_stranger_who_repeats_an_unknown_extension_cannot_fill_the_log(
    flow: AIFlow, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(60):
        Line(flow, f"c{number}").enter(f"no{number}")

    assert len(warnings_of(caplog)) == 20


def test_a_request_that_is_held_for_too_long_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    log = RequestLog((["menu"],), planned_wait=lambda extension: 2.0)
    log.add(Request.parse("ApiCallId=c1&ApiExtension=menu"), "noop", 2.9)
    log.add(Request.parse("ApiCallId=c2&ApiExtension=menu"), "noop", 6.2)

    (warning,) = warnings_of(caplog)
    assert warning.startswith("call c2: a request of extension /menu was held for 6.2 s instead of 2 s")


@pytest.mark.parametrize(
    ("values", "described"),
    [
        ([], "start"),
        ([("ai_1", "")], "nothing in ai_1"),
        ([("ai_1", "Digits-0501234567")], "10 keys in ai_1"),
        ([("ai_1", "/12/000.wav")], "recording in ai_1"),
        ([("ai_1w3", "None")], "poll ai_1w3"),
        ([("ai_x3", "Ok")], "poll ai_x3"),
        ([("pay", "*")], "1 key in pay"),
        ([("a" * 500, "שלום")], f"speech of 4 letters in {'a' * 60}"),
    ],
)
def test_what_came_is_described_by_its_kind(values: list[tuple[str, str]], described: str) -> None:
    request = Request.parse([("ApiCallId", "c1"), *values])

    assert f": {described} -> " in str(AnsweredRequest(request, "noop", 0.0))


@pytest.mark.parametrize(
    ("response", "described"),
    [
        ("", "nothing"),
        ("go_to_folder=hangup", "hang up"),
        ("go_to_folder=..", "go to .."),
        ("id_list_message=t-סוד.f-000.d-12&go_to_folder=/2", "play 1 text, 1 file, 1 digits, go to /2"),
        ("id_list_message=t-סוד.t-סוד", "play 2 texts"),
        ("read=f-000=path,no,record,/1,,,", "read path by record, 1 file"),
        ("read=t-סוד", "read ? by keys, 1 text"),
        ("routing_yemot=0501234567", "routing_yemot"),
        ("סוד גלוי", "something unreadable"),
    ],
)
def test_what_the_line_got_is_described_by_its_verbs(response: str, described: str) -> None:
    assert f" -> {described}; " in str(AnsweredRequest(Request.parse([]), response, 0.0))


def test_a_withheld_number_is_named_so() -> None:
    assert " from a withheld number: " in str(AnsweredRequest(Request.parse([]), "noop", 0.0))


@pytest.mark.parametrize(
    ("pairs", "names"),
    [
        ([], "no parameters"),
        ([("ApiPhone", "0501234567"), ("ai_1", "סוד")], "only ApiPhone, ai_1"),
        ([("ApiCallId", ""), ("hangup", "yes")], "only ApiCallId, hangup"),
        ([("a\nb", ""), ("0501234567", "")], "only a\\nb, …4567"),
        ([(f"name_{number}", "") for number in range(12)], "name_9, …"),
    ],
    ids=["nothing", "no id", "an empty id", "foreign names", "many names"],
)
def test_a_request_without_an_id_is_a_warning_that_says_what_is_missing(
    flow: AIFlow, pairs: list[tuple[str, str]], names: str, caplog: pytest.LogCaptureFixture
) -> None:
    flow.handle_request(pairs)

    (warned,) = warnings_of(caplog)
    assert "without ApiCallId and ApiYFCallId is refused" in warned
    assert names in warned
    assert "ext.ini has api_call_id_send=no: remove that" in warned
    assert [line.partition(":")[0] for line in lines_of_requests(caplog)] == ["a request without an id"]
    assert "סוד" not in caplog.text
    assert "0501234567" not in caplog.text


def test_many_requests_without_an_id_do_not_fill_the_log_with_warnings(
    flow: AIFlow, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(50):
        flow.handle_request([])

    assert len(warnings_of(caplog)) == 20
    assert len(lines_of_requests(caplog)) == 50
