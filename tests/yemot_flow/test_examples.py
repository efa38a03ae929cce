"""Handlers in the shape of yemot-flow's published examples: one changed import, and no apology.

Each test names the example whose shape it has: the files of ``examples/`` in the source distribution of
0.2.20, its README and its changelog, and what public bots make of them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from yemot_ai import AIFlow
from yemot_ai_testing import Caller

AnyCall = Any
"""``yemot_flow.Call``, as the examples annotate it."""


@pytest.fixture
def flow(flow: AIFlow, caplog: pytest.LogCaptureFixture) -> Iterator[AIFlow]:
    """A flow whose handlers must not fail."""
    yield flow
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_the_minimal_example_asks_again_from_the_start(flow: AIFlow) -> None:
    @flow.get("")
    def hello(call: AnyCall) -> None:
        call.play_message([("text", "שלום!"), ("text", "לשמיעה חוזרת הקישו 1")])
        call.read([("text", "הקישו מקש")], max_digits=1)
        if call.params.get("Digits") == "1":
            call.goto("/")
        else:
            call.play_message([("text", "להתראות!")])
            call.hangup()

    caller = Caller(flow)
    menu = caller.dial()

    assert caller.presses("1") == menu
    assert caller.presses("5") == "להתראות!"
    assert caller.ended


def test_a_message_is_recorded_into_a_relative_folder(flow: AIFlow, caplog: pytest.LogCaptureFixture) -> None:
    """flask_basic_example, fastapi_basic_example and hebrew_no_encoding_example record like this."""

    @flow.get("leave-message")
    def leave_message(call: AnyCall) -> None:
        call.play_message([("text", "השאירו הודעה לאחר הצפצוף")])
        call.read(
            [("text", "הקלטה")],
            mode="record",
            path="messages",
            file_name=f"message_{call.call_id}",
            save_on_hangup=True,
            max_length=60,
        )
        call.play_message([("text", "תודה!")])
        call.goto("/main-menu")

    caller = Caller(flow, extension="leave-message")
    caller.dial()

    assert caller.exchanges[0].body == (
        "id_list_message=t-השאירו הודעה לאחר הצפצוף"
        f"&read=t-הקלטה=Digits,no,record,/messages,message_{caller.call_id},,yes,,,60"
    )
    caller.records()
    caller.presses("2")
    assert caller.exchanges[1].body == "id_list_message=t-תודה!&go_to_folder=/main-menu"
    assert "call.read(path='messages') is no folder from the root; '/messages' is sent" in caplog.text


def test_a_recording_may_have_a_folder_with_slashes_and_no_menu(flow: AIFlow) -> None:
    """The README records into ``/recordings`` and ``/recordings/``."""

    @flow.get("record")
    async def record(call: AnyCall) -> None:
        path = await call.read(
            [("text", "הקלטה")], mode="record", val_name="recording", max_length=30, path="/recordings/"
        )
        call.play_message([("text", f"נשמרה בקובץ {path}")])
        call.hangup()

    caller = Caller(flow, extension="record")
    caller.dial()
    assert caller.exchanges[0].body == "read=t-הקלטה=recording,no,record,/recordings,,,,,,30"
    caller.records()

    assert caller.presses("2").startswith("נשמרה בקובץ")


def test_a_telephone_number_is_typed_up_to_the_hash_key(
    flow: AIFlow, caplog: pytest.LogCaptureFixture
) -> None:
    """restaurant_ordering_system and the changelog's example give ``replace_char="#"``."""

    @flow.get("customer-details")
    async def customer_details(call: AnyCall) -> None:
        phone = await call.read(
            [("text", "הקישו טלפון וסולמית")], max_digits=15, min_digits=9, replace_char="#", sec_wait=15
        )
        call.play_message([("text", f"הטלפון שלכם מסתיים ב-{phone[-4:]}"), ("number", phone)])
        call.hangup()

    caller = Caller(flow, extension="customer-details")
    caller.dial()

    assert caller.presses("0501234567#") == "הטלפון שלכם מסתיים ב 4567 d-0501234567"
    assert "(replace_char='#') replaces nothing" in caplog.text


@pytest.mark.parametrize("digits", [4, 6])
def test_the_end_of_a_call_id_is_read_as_a_case_number(flow: AIFlow, digits: int) -> None:
    """fastapi_basic_example and hebrew_no_encoding_example read hexadecimal digits as ``digits``."""

    @flow.get("report-issue")
    def report_issue(call: AnyCall) -> None:
        call.play_message([("text", "מספר הפנייה שלכם"), ("digits", call.call_id[-digits:])])
        call.goto("/")

    call_id = "0637ded3ada490d8854e3b03c674b4ff92c0ffee"
    caller = Caller(flow, extension="report-issue", call_id=call_id)
    caller.dial()

    assert (
        caller.exchanges[0].body
        == {
            4: "id_list_message=t-מספר הפנייה שלכם.a-ffee&go_to_folder=/",
            6: "id_list_message=t-מספר הפנייה שלכם.a-c.d-0.a-ffee&go_to_folder=/",
        }[digits]
    )


def test_speech_is_asked_with_the_times_of_long_utterances(
    flow: AIFlow, caplog: pytest.LogCaptureFixture
) -> None:
    """fastapi_basic_example gives ``quiet_max`` and ``length_max`` without the engine that takes them."""

    @flow.get("ivr-demo")
    def demo(call: AnyCall) -> None:
        call.play_message([("text", "אמרו 'שלום' ונזהה אתכם")])
        call.read([("text", "דברו עכשיו")], mode="stt", lang="he-IL", quiet_max=3, length_max=10)
        heard = call.params.get("Digits", "").lower()
        call.play_message([("text", "זיהינו" if "שלום" in heard else "נסו שוב")])
        call.goto("/services")

    caller = Caller(flow, extension="ivr-demo")
    caller.dial()

    assert caller.exchanges[0].body.endswith("&read=t-דברו עכשיו=Digits,no,voice,he-IL")
    caller.says("שלום עולם")
    assert caller.exchanges[1].body == "id_list_message=t-זיהינו&go_to_folder=/services"
    assert "(quiet_max=, max_length=) has no effect" in caplog.text


def test_texts_with_forbidden_characters_are_spoken(flow: AIFlow) -> None:
    """text_cleaning_example plays quotes, dots, an ampersand and line ends, cleaned or not."""

    @flow.get("test")
    async def cleaning(call: AnyCall) -> None:
        name = await call.read([("text", "שם מלא?")], mode="stt", val_name="name", lang="he-IL")
        for number, text in enumerate(('"גרשיים"', "נקודות...רבות", "קו & מיוחד", "שורה\nחדשה"), 1):
            call.play_message([("text", f"בדיקה {number}"), ("text", text)])
        call.play_message([("text", f"שלום {name}.")], remove_invalid_chars=False, url_encode=True)
        call.hangup()

    caller = Caller(flow, extension="test")
    caller.dial()

    heard = caller.says("יוסי")
    assert heard.startswith("בדיקה 1 גרשיים בדיקה 2 נקודות")
    assert heard.endswith("שלום יוסי")
    assert caller.ended


def test_an_order_is_carried_from_extension_to_extension(flow: AIFlow) -> None:
    """restaurant_ordering_system keeps its order in attributes of the call, and builds its menus."""
    saved: list[dict[str, Any]] = []

    @flow.get("")
    def welcome(call: AnyCall) -> None:
        if not hasattr(call, "order"):
            call.order = {"items": {}, "customer": {}}
        call.play_message([("text", "להזמנה - הקישו 1"), ("text", "לכתובת - הקישו 3")])
        call.read([("text", "בחרו")], max_digits=1, digits_allowed="13")
        if call.params.get("Digits") == "1":
            call.goto("/menu/main_dishes")

    @flow.get("menu/main_dishes")
    def main_dishes(call: AnyCall) -> None:
        call.play_message([("text", f"להזמנת שניצל במחיר {45} שקל - הקישו 1")])
        call.read([("text", "בחרו מנה")], max_digits=1, digits_allowed="0" + "".join({"1": "שניצל"}))
        call.selected_item = call.params.get("Digits")
        call.goto("/select-quantity")

    @flow.get("select-quantity")
    def select_quantity(call: AnyCall) -> None:
        item = getattr(call, "selected_item", "")
        if not item:
            call.goto("/")
            return
        call.read([("text", "כמה?")], max_digits=1, digits_allowed="123456789")
        quantity = int(call.params.get("Digits", "0"))
        call.order["items"][item] = quantity
        call.play_message([("text", f"נוסף: {quantity}"), ("text", "לסיום - הקישו 2")])
        call.read([("text", "המשך או סיום")], max_digits=1, digits_allowed="12")
        call.goto("/get-address" if call.params.get("Digits") == "2" else "/")

    @flow.get("get-address")
    def get_address(call: AnyCall) -> None:
        call.read([("text", "כתובת")], mode="record", path="addresses", file_name=f"a_{call.call_id}")
        call.order["customer"]["address_file"] = f"a_{call.call_id}"
        call.order["call_id"] = call.call_id
        saved.append(call.order)
        call.play_message([("text", f"מספר הזמנה: {call.call_id[-6:]}")])
        call.hangup()

    caller = Caller(flow)
    caller.dial()
    for keys in ("1", "1", "3", "2"):
        caller.presses(keys)
    caller.records()
    caller.presses("2")

    assert caller.ended
    assert saved == [
        {
            "items": {"1": 3},
            "customer": {"address_file": f"a_{caller.call_id}"},
            "call_id": caller.call_id,
        }
    ]


def test_a_loop_counts_attempts_under_one_name(flow: AIFlow) -> None:
    """The changelog of 0.2.0 asks for a PIN in a loop, three times under the default name."""

    @flow.get("pin")
    async def pin(call: AnyCall) -> None:
        attempts = 0
        while attempts < 3:
            typed = await call.read([("text", f"קוד, ניסיון {attempts + 1}")], max_digits=4)
            if typed == "1234":
                break
            attempts += 1
        call.play_message([("text", "נכון" if attempts < 3 else "נגמרו הניסיונות")])
        call.hangup()

    caller = Caller(flow, extension="pin")
    caller.dial()

    assert caller.presses("1111") == "קוד, ניסיון 2"
    assert caller.presses("1234") == "נכון"


def test_a_question_has_a_message_before_it(flow: AIFlow) -> None:
    """async_example and the changelog's example give ``pre_message``."""

    @flow.get("sales")
    async def sales(call: AnyCall) -> None:
        name = await call.read(
            [("text", "שם מלא?")], mode="stt", lang="he-IL", pre_message=[("text", "נשמח להכין הצעה")]
        )
        call.play_message([("text", f"תודה {name}"), ("number", "150"), ("alpha", "abc"), ("file", "bye")])
        call.hangup()

    caller = Caller(flow, extension="sales")

    assert caller.dial() == "נשמח להכין הצעה שם מלא?"
    caller.says("דוד")
    assert caller.exchanges[1].body == ("id_list_message=t-תודה דוד.n-150.a-abc.f-bye&go_to_folder=hangup")


def test_every_option_of_the_format_test_is_taken(flow: AIFlow) -> None:
    """test_exact_example and test_api_format give every option of a read by keys, as the line's words."""

    @flow.get("7")
    def menu(call: AnyCall) -> None:
        choice = call.read(
            [("text", "לשיחה חדשה הקישו 1, להמשך הקישו 2.")],
            mode="tap",
            val_name="UserInput.Main",
            re_enter_if_exists="no",
            max_digits=1,
            min_digits=1,
            sec_wait=10,
            typing_playback_mode="NO",
            block_asterisk_key="no",
            block_zero_key="no",
            replace_char="*/",
            digits_allowed="12",
            amount_attempts=3,
            allow_empty="no",
            empty_val="None",
            block_change_keyboard="no",
            remove_invalid_chars=False,
        )
        call.goto(f"/{choice}")

    caller = Caller(flow, extension="7")
    caller.dial()

    assert caller.exchanges[0].body == (
        "read=t-לשיחה חדשה הקישו 1, להמשך הקישו 2=UserInput_Main,no,1,1,10,No,,,*/,12,3,,None,,no"
    )
    caller.presses("2")
    assert caller.exchanges[1].body == "go_to_folder=/2"


def test_a_public_bot_awaits_its_messages_in_a_loop(flow: AIFlow) -> None:
    """A public bot awaits ``play_message``, which ends the handler in yemot-flow, and is queued here."""
    names: dict[str, str] = {}

    @flow.get("")
    async def main(call: AnyCall) -> None:
        phone = call.params.get("ApiPhone", "unknown")
        name = names.get(phone) or await call.read(
            [("text", "מה שמך?")], mode="stt", val_name="name", lang="he-IL"
        )
        names[phone] = name
        while True:
            choice = await call.read(
                [("text", f"שלום {name}."), ("text", "הקישו 1 לשיחה, 9 לסיום")],
                mode="tap",
                val_name="choice",
                max_digits=1,
                digits_allowed="19",
            )
            if choice == "9":
                await call.play_message([("text", f"להתראות {name}")])
                call.hangup()
                return
            await call.play_message([("text", "דברו אחרי הצפצוף")])
            said = await call.read([("text", "אני מקשיב")], mode="stt", val_name="speech", lang="he-IL")
            await call.play_message([("text", f"אמרת {said}")])

    caller = Caller(flow)
    caller.dial()

    assert caller.says("דוד") == "שלום דוד הקישו 1 לשיחה, 9 לסיום"
    assert caller.presses("1") == "דברו אחרי הצפצוף אני מקשיב"
    assert caller.says("בוקר טוב") == "אמרת בוקר טוב שלום דוד הקישו 1 לשיחה, 9 לסיום"
    assert caller.presses("9") == "להתראות דוד"
    assert caller.ended
