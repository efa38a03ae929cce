from __future__ import annotations

import asyncio
import logging
import threading

import pytest
import yemot_flow

from tests.support.flow_line import Line
from tests.support.waiting import until
from yemot_ai import AICall, AIFlow, AsyncAICall, YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.flow.handlers.runner import HandlerResult
from yemot_ai.protocol import GoToFolder, Response
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

POLL = "no,1,1,1,No,,,,,1,Ok,None,,no"


def test_queued_messages_are_sent_with_the_question(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        call.play_message([("text", "שלום")])
        call.play_message([("file", "/1/000")])
        call.read([("text", "הקישו")], val_name="key", max_digits=1)

    assert line.enter("") == "id_list_message=t-שלום.f-/1/000&read=t-הקישו=key,no,1,1,7,No,,,,,,,None,,no"


def test_queued_messages_are_played_when_the_handler_ends(flow: AIFlow, line: Line) -> None:
    flow.get("")(lambda call: call.play_message("להתראות"))

    assert line.enter("") == "id_list_message=t-להתראות"


def test_a_message_before_a_transfer_is_played_first(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        call.play_message("להתראות")
        call.hangup()

    assert line.enter("") == "id_list_message=t-להתראות&go_to_folder=hangup"


def test_messages_queued_before_an_answered_question_are_not_repeated(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        call.play_message("ברוכים הבאים")
        call.read("גיל?", val_name="age")
        call.play_message("תודה")
        call.hangup()

    line.enter("")

    assert line.send(("age", "30")) == "id_list_message=t-תודה&go_to_folder=hangup"


def test_silence_at_a_spoken_question_is_an_empty_text(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        call.play_message(f"שמעתי {len(call.read('מה שמך', mode='voice', val_name='name'))}")
        call.hangup()

    line.enter("")

    assert line.send(("name", "")) == "id_list_message=t-שמעתי 0&go_to_folder=hangup"


def test_a_spoken_question_is_repeated_after_silence_up_to_amount_attempts(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        name = call.read("מה שמך", mode="voice", val_name="name", pre_message="שלום", amount_attempts=3)
        call.play_message(f"{call.params['name']} {name or 'אלמוני'}")
        call.hangup()

    assert line.enter("") == "id_list_message=t-שלום&read=t-מה שמך=name,no,voice"
    assert line.send(("name", "")) == "read=t-מה שמך=name_2,no,voice"
    assert line.send(("name_2", "")) == "read=t-מה שמך=name_3,no,voice"
    assert line.send(("name_3", "")) == "id_list_message=t-אלמוני&go_to_folder=hangup"


def test_a_spoken_question_that_was_answered_is_not_asked_again(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        name = call.read("מה שמך", mode="voice", val_name="name", amount_attempts=3)
        call.play_message(f"שלום {name} {call.params['name']}")
        call.hangup()

    line.enter("")
    line.send(("name", ""))

    assert line.send(("name_2", "דוד")) == "id_list_message=t-שלום דוד דוד&go_to_folder=hangup"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_read_returns_the_typed_value_in_both_kinds_of_handler(flow: AIFlow, line: Line, kind: str) -> None:
    def ask(call: AICall) -> None:
        digits = call.read("גיל?", val_name="age")
        call.play_message(f"בן {digits}")

    async def ask_async(call: AsyncAICall) -> None:
        digits = await call.read("גיל?", val_name="age")
        call.play_message(f"בן {digits}")

    flow.get("")(ask if kind == "sync" else ask_async)
    line.enter("")

    assert line.send(("age", "30")) == "id_list_message=t-בן 30"


def test_speech_has_no_invisible_marks_and_keys_have_no_prefix(flow: AIFlow, line: Line) -> None:
    values: list[str] = []

    @flow.get("")
    def root(call: AICall) -> None:
        values.append(call.read("שם?", mode="stt", val_name="name"))
        values.append(call.read("טלפון?", mode="voice", val_name="phone"))
        call.hangup()

    line.enter("")
    line.send(("name", "\u200fדוד\xa0כהן "))
    line.send(("phone", "Digits-0501234567"))

    assert values[-2:] == ["דוד כהן", "0501234567"]


def test_silence_is_returned_as_an_empty_text(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        name = call.read("שם?", mode="voice", val_name="name")
        call.play_message("לא שמעתי" if name == "" else name)

    line.enter("")

    assert line.send(("name", "")) == "id_list_message=t-לא שמעתי"


def test_except_exception_in_a_handler_does_not_swallow_the_question(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        try:
            call.read("גיל?", val_name="age")
        except Exception:  # noqa: BLE001 - as users write it
            call.play_message("תקלה")

    assert "=age," in line.enter("")


def test_the_first_outcome_counts(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        try:
            call.goto("/1")
        finally:
            call.hangup()

    assert line.enter("") == "go_to_folder=/1"


def test_an_interruption_inside_a_task_group_is_recognized(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    async def root(call: AsyncAICall) -> None:
        async def ask() -> None:
            await call.read("גיל?", val_name="age")

        async with asyncio.TaskGroup() as group:
            group.create_task(ask())

    assert "=age," in line.enter("")


def test_the_interruption_of_yemot_flow_is_recognized(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        raise yemot_flow.CallInterrupted("go_to_folder=/5")

    assert line.enter("") == "go_to_folder=/5"


@pytest.mark.parametrize(
    "returned",
    ["go_to_folder=/5", Response([GoToFolder("/5")]), (GoToFolder("/5"),)],
    ids=["text", "response", "actions"],
)
def test_a_handler_can_return_its_response(flow: AIFlow, line: Line, returned: HandlerResult) -> None:
    flow.get("")(lambda call: returned)

    assert line.enter("") == "go_to_folder=/5"


@pytest.mark.parametrize("returned", ["hangup=yes", 5], ids=["no-answer", "number"])
def test_an_invalid_return_value_becomes_a_sentence(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture, returned: HandlerResult
) -> None:
    flow.get("7")(lambda call: returned)

    assert line.enter("7") == "id_list_message=t-סליחה, אירעה תקלה&go_to_folder=.."
    assert "failed" in caplog.text


def test_an_exception_becomes_a_sentence_and_its_traceback_is_logged(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    @flow.get("7")
    def broken(call: AICall) -> None:
        raise KeyError("price")

    assert line.enter("7") == "id_list_message=t-סליחה, אירעה תקלה&go_to_folder=.."
    assert "KeyError: 'price'" in caplog.text


def test_a_handler_that_always_fails_at_the_root_does_not_loop(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def broken(call: AICall) -> None:
        raise SystemExit(1)

    moves = [line.enter("").rpartition("=")[2] for _ in range(3)]

    assert moves == ["/", "/", "hangup"]


def test_a_slow_handler_gets_a_filler_and_polls_do_not_run_it_again(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("יש פיצה", after=7)
    runs: list[str] = []

    @flow.get("")
    def root(call: AICall) -> None:
        runs.append("run")
        call.play_message("רגע, בודק")
        call.play_message(call.ask_ai("מה יש"))

    assert line.enter("") == f"id_list_message=t-רגע, בודק&read=t-רק רגע=ai_1w1,{POLL}"
    assert line.send(("ai_1w1", "None")) == f"read=t-רק רגע=ai_1w2,{POLL}"
    assert line.send(("ai_1w2", "None")) == f"read=t-רק רגע=ai_1w3,{POLL}"
    assert line.send(("ai_1w3", "None")) == "id_list_message=t-יש פיצה"
    assert runs == ["run"]


def test_a_repeated_poll_gets_the_same_response(flow: AIFlow, line: Line, provider: ScriptedProvider) -> None:
    provider.answers("יש פיצה", after=5)
    flow.get("")(lambda call: call.play_message(call.ask_ai("מה יש")))

    first = line.enter("")
    assert line.again() == first
    second = line.send(("ai_1w1", "None"))
    assert line.again() == second


def test_concurrent_requests_join_a_slow_handler(flow: AIFlow, line: Line) -> None:
    runs: list[str] = []
    entered = threading.Event()
    may_continue = threading.Event()

    @flow.get("")
    def root(call: AICall) -> None:
        runs.append("run")
        entered.set()
        assert may_continue.wait(10)
        call.hangup()

    line.extension = ""
    answers: list[str] = []
    callers = [threading.Thread(target=lambda: answers.append(line.again())) for _ in range(4)]
    for caller in callers:
        caller.start()
    assert entered.wait(10)
    until(lambda: flow.ai.engine.waiting == len(callers))
    may_continue.set()
    for caller in callers:
        caller.join(10)

    assert answers == ["go_to_folder=hangup"] * 4
    assert runs == ["run"]


def test_a_request_with_other_values_detaches_the_old_run(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("ישן", after=30)

    @flow.get("")
    def root(call: AICall) -> None:
        key = call.params.get("key")
        call.play_message("חדש" if key else call.ask_ai("שאלה"))

    line.enter("")

    assert line.send(("key", "1")) == "id_list_message=t-חדש"


def test_attributes_set_on_the_call_are_kept_for_the_call(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        if not hasattr(call, "greeted"):
            call.greeted = "כן"
        call.read("גיל?", val_name="age")
        call.play_message(call.greeted)
        del call.greeted
        assert not hasattr(call, "greeted")

    line.enter("")

    assert line.send(("age", "3")) == "id_list_message=t-כן"


def test_state_is_saved_with_the_session(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        call.state.setdefault("order", []).append(call.read("מה?", val_name="dish"))  # type: ignore[union-attr]
        call.goto("/2")

    @flow.get("2")
    def second(call: AICall) -> None:
        call.play_message(str(call.state))

    line.enter("")
    line.send(("dish", "5"))

    assert line.enter("2") == "id_list_message=t-order, 5"


def test_an_unsaveable_state_is_refused_and_the_saved_one_kept(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    @flow.get("1")
    def good(call: AICall) -> None:
        call.state["name"] = "דוד"
        call.goto("/2")

    @flow.get("2")
    def bad(call: AICall) -> None:
        call.state["lock"] = threading.Lock()  # type: ignore[assignment]
        call.goto("/3")

    @flow.get("3")
    def look(call: AICall) -> None:
        call.play_message(" ".join(call.state))

    line.enter("1")

    assert line.enter("2") == "id_list_message=t-סליחה, אירעה תקלה&go_to_folder=.."
    assert "cannot be saved" in caplog.text
    assert line.enter("3") == "id_list_message=t-name"


def test_a_hang_up_ends_the_wait_of_a_request() -> None:
    provider = ScriptedProvider(engine=Engine()).answers(
        "לא יישמע"
    )  # real time: virtual time would pass during the hold
    provider.hold()
    line = Line(AIFlow(YemotAI(provider=provider)))
    line.flow.get("")(lambda call: call.play_message(call.ask_ai("שאלה")))
    responses: list[str] = []
    caller = threading.Thread(target=lambda: responses.append(line.enter("")))
    caller.start()
    provider.wait_for_requests(1)

    assert line.hang_up() == "noop=ended"
    caller.join(10)
    assert responses == ["go_to_folder=hangup"]
    assert provider.running == 0


def test_the_log_has_no_phone_number_and_no_words(
    flow: AIFlow, line: Line, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    provider.fails("overloaded").answers("סוד התשובה")
    flow.ai_agent("")(lambda call, text: None)
    line.enter("")
    line.send(("ai_1", "סוד השאלה"))

    assert "סוד" not in caplog.text
    assert "0501234567" not in caplog.text


def test_an_extension_has_one_handler(flow: AIFlow) -> None:
    flow.get("1")(lambda call: None)

    with pytest.raises(Exception, match="already has a handler"):
        flow.ai_agent("/1")(lambda call, text: None)


def test_plain_and_async_handlers_do_not_block_each_other(ai: YemotAI) -> None:
    flow = AIFlow(ai)
    may_continue = threading.Event()

    @flow.get("slow")
    def slow(call: AICall) -> None:
        assert may_continue.wait(10)
        call.hangup()

    @flow.get("quick")
    async def quick(call: AsyncAICall) -> None:
        await asyncio.sleep(0)
        call.hangup()

    caller = threading.Thread(target=lambda: Line(flow, "c1").enter("slow"))
    caller.start()
    try:
        assert Line(flow, "c2").enter("quick") == "go_to_folder=hangup"
    finally:
        may_continue.set()
        caller.join(10)


@pytest.mark.parametrize("where", ["handler", "agent"])
def test_a_cancelled_error_from_the_handler_is_a_fault_and_not_a_hang_up(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    async def cancels(call: AsyncAICall, text: str = "") -> None:
        job = asyncio.ensure_future(asyncio.sleep(60))
        job.cancel()
        await job

    if where == "handler":
        flow.get("7")(cancels)
        answer = line.enter("7")
    else:
        flow.ai_agent("7")(cancels)
        line.enter("7")
        answer = line.send(("ai_1", "שלום"))

    assert "סליחה" in answer
    assert "ancelled" in caplog.text


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_a_handler_cannot_end_the_engine(flow: AIFlow, line: Line, error: type[BaseException]) -> None:
    @flow.get("7")
    async def ends(call: AsyncAICall) -> None:
        raise error

    flow.get("8")(lambda call: call.hangup())

    assert "תקלה" in line.enter("7")
    assert line.enter("8") == "go_to_folder=hangup"


def test_a_handler_that_never_ends_does_not_keep_other_calls_alive(provider: ScriptedProvider) -> None:
    provider.hangs()
    flow = AIFlow(YemotAI(provider=provider, session_ttl=0.001, turn_timeout=3600), timeout=0.001)
    flow.get("endless")(lambda call: call.ask_ai("?"))
    flow.get("")(lambda call: call.hangup())
    Line(flow, "endless").enter("endless")
    for number in range(50):
        Line(flow, f"c{number}").enter("")

    assert len(flow.active_calls) < 10
