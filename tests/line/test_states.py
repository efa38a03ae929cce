"""The states of a call, and the verbs in each of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.line.apps import ASK, BYE, Script, dialled
from yemot_ai_testing import Caller
from yemot_ai_testing.errors import CallOverError, LineError, WrongVerbError
from yemot_ai_testing.line.states import Asking, Holding, Outside, Over, Paying, RecordingMenu, Transferred
from yemot_ai_testing.line.transcript import Beep, Sound

TAP = "read=t-הקישו=k,no,2,1,7,No"
RECORD = "read=t-הקליטו=r,no,record"
CARD = "credit_card=pelecard,100"
MUSIC = "music_on_hold=ztomao"

VERBS: dict[str, Callable[[Caller], object]] = {
    "says": lambda caller: caller.says("שלום"),
    "mumbles": lambda caller: caller.mumbles(),
    "presses": lambda caller: caller.presses("1"),
    "star": lambda caller: caller.presses("*"),
    "records": lambda caller: caller.records(),
    "silent": lambda caller: caller.silent(),
    "pays": lambda caller: caller.pays(),
    "goes_to": lambda caller: caller.goes_to("/1"),
    "changes_keyboard": lambda caller: caller.changes_keyboard(),
    "hangs_up": lambda caller: caller.hangs_up(),
}

FITTING = {
    TAP: {"presses", "star", "silent", "hangs_up"},
    ASK: {"says", "mumbles", "presses", "star", "silent", "hangs_up"},
    "read=t-מה=q,no,voice,,no": {"says", "mumbles", "silent", "hangs_up"},
    "read=t-מה=q,no,voice,,,,record": {"says", "mumbles", "silent", "hangs_up"},
    RECORD: {"records", "hangs_up"},
    "read=t-שם=n,no,20,1,7,HebrewKeyboard,,,,,,,,,no": {
        "presses", "star", "silent", "changes_keyboard", "hangs_up",
    },
    CARD: {"star", "pays", "hangs_up"},
    MUSIC: {"star", "hangs_up"},
    f"{MUSIC},,no_return": {"hangs_up"},
    "routing_yemot=0773137770": {"hangs_up"},
    "routing=0581234567": {"hangs_up"},
    "go_to_folder_and_play=/1/5,005,1001": {"hangs_up"},
    BYE: set(),
}  # fmt: skip


@pytest.mark.parametrize("answer", FITTING)
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_is_not_possible_raises_and_changes_nothing(answer: str, verb: str) -> None:
    caller = dialled(Script(answer, *[BYE] * 3))
    if verb in FITTING[answer]:
        VERBS[verb](caller)
        return
    before, waits_for = caller.state, caller.waits_for
    with pytest.raises(WrongVerbError) as caught:
        VERBS[verb](caller)
    assert caught.value.waits_for
    assert waits_for in str(caught.value) or "read" in str(caught.value)
    assert caller.state is before


def test_before_dialling_every_other_verb_raises() -> None:
    for verb in VERBS.values():
        with pytest.raises(CallOverError, match="call dial"):
            verb(Caller(Script()))


# -- payments


def test_a_payment_sends_the_code_of_the_clearing_house() -> None:
    app = Script("credit_card=icredit,100", BYE)
    caller = dialled(app)
    assert isinstance(caller.state, Paying)
    caller.pays("033")
    assert (app.newest("CreditCard_CODE"), app.newest("CreditCard_All")) == (["033"], [])


def test_a_payment_with_return_all_sends_all_details() -> None:
    app = Script("credit_card=pelecard,100,,,,,,,,all", BYE)
    dialled(app).pays("000", "000,17,visa")
    assert app.newest("CreditCard_All") == ["000,17,visa"]


@pytest.mark.parametrize(
    ("provider", "sent"),
    [("pelecard", ["000"]), ("Pelecard", ["000"]), (" pelecard ", ["000"]), ("icredit", []), ("pele", [])],
)
def test_pelecard_sends_all_details_by_default(provider: str, sent: list[str]) -> None:
    """[OFF] In other letter case [?]."""
    app = Script(f"credit_card={provider},100,999,3,2,DebitPaymntsType", BYE)
    dialled(app).pays()
    assert (app.newest("CreditCard_CODE"), app.newest("CreditCard_All")) == (["000"], sent)


@pytest.mark.parametrize(
    ("provider", "answer", "sent"),
    [
        pytest.param("pelecard", "no", [], id="pelecard no [OFF]"),
        pytest.param("pelecard", "code", [], id="pelecard and any other answer [OFF]"),
        pytest.param("Pelecard", "all", ["000"], id="pelecard all [OFF]"),
        pytest.param("icredit", "no", [], id="icredit no [OFF]"),
        pytest.param("cardcom", "all", ["000"], id="cardcom all [OFF]"),
    ],
)
def test_field_10_of_a_payment_is_stronger_than_the_default(
    provider: str, answer: str, sent: list[str]
) -> None:
    app = Script(f"credit_card={provider},100,,,,,,,,{answer}", BYE)
    dialled(app).pays()
    assert app.newest("CreditCard_All") == sent


def test_the_star_leaves_a_payment_with_go_back() -> None:
    app = Script(f"{CARD},,,,,,,,,,,,,GoBack", BYE)
    dialled(app).presses("*")
    assert (app.newest("CreditCard_CODE"), app.newest("CreditCard_All")) == (["GoBack"], ["GoBack"])


def test_the_star_repeats_the_question_of_any_other_payment() -> None:
    app = Script(CARD)
    caller = dialled(app)
    assert caller.presses("*") == "payment 100"
    assert len(app.sent) == 1


def test_earlier_values_are_sent_with_a_payment() -> None:
    app = Script(TAP, CARD, BYE)
    caller = dialled(app)
    caller.presses("12")
    caller.pays()
    assert [pair for pair in app.sent[-1] if not pair[0].startswith("Api")] == [
        ("k", "12"),
        ("CreditCard_CODE", "000"),
        ("CreditCard_All", "000"),
    ]


# -- music


def test_music_with_seconds_plays_for_that_time() -> None:
    caller = dialled(Script(f"{MUSIC},30&{TAP}"))
    music = next(event for event in caller.transcript if isinstance(event, Sound) and event.kind == "music")
    assert (music.seconds, caller.heard) == (30, "music ztomao הקישו")


def test_music_at_the_end_of_a_response_leaves_the_extension() -> None:
    caller = dialled(Script(f"{MUSIC},30"))
    assert caller.state == Over("the answer said nothing more, and this was the root")


def test_the_star_ends_music() -> None:
    caller = Caller(Script(f"{MUSIC},30&{TAP}"))
    caller.interrupts("*", after=4)
    caller.dial()
    music = next(event for event in caller.transcript if isinstance(event, Sound) and event.kind == "music")
    assert music.seconds == pytest.approx(4, abs=0.1)


def test_the_star_does_nothing_to_music_without_return() -> None:
    caller = Caller(Script(f"{MUSIC},30,no_return&{TAP}"))
    caller.interrupts("*", after=4)
    with pytest.raises(WrongVerbError, match=r"presses \* while the application answers"):
        caller.dial()


def test_a_hang_up_ends_music() -> None:
    app = Script(f"{MUSIC},30&{TAP}")
    caller = Caller(app)
    caller.interrupts(after=5)
    caller.dial()
    assert caller.ended
    assert app.newest("hangup") == ["yes"]
    assert caller.transcript[-1].at - caller.transcript[0].at == pytest.approx(5, abs=0.1)


def test_endless_music_waits_for_the_star() -> None:
    caller = dialled(Script(f"{MUSIC}&{TAP}"))
    assert isinstance(caller.state, Holding)
    assert caller.presses("*") == "הקישו"


# -- recordings


def test_a_recording_begins_after_a_tone() -> None:
    caller = dialled(Script(RECORD))
    assert caller.heard == "הקליטו M1012 הקליטו לאחר הצליל"
    assert isinstance(caller.transcript[-1], Beep)


def test_record_beep_switches_the_tone_off() -> None:
    caller = dialled(Script(RECORD), record_beep=False)
    assert not any(isinstance(event, Beep) for event in caller.transcript)


def test_the_next_free_number_names_a_recording_in_each_folder() -> None:
    app = Script(*["read=t-א=r,no,record,/5,,no"] * 2, "read=t-א=r,no,record,,,no", BYE)
    caller = dialled(app, extension="1")
    for _ in range(3):
        caller.records()
    assert app.newest("r") == ["/5/000.wav", "/5/001.wav", "/1/000.wav"]


def test_the_file_name_of_the_read_names_the_recording() -> None:
    app = Script("read=t-א=r,no,record,/5,hello,no", BYE)
    dialled(app).records()
    assert app.newest("r") == ["/5/hello.wav"]


def test_a_recording_that_is_too_short_is_asked_for_again() -> None:
    app = Script("read=t-א=r,no,record,,,no,,,3", BYE)
    caller = dialled(app)
    assert caller.records(seconds=2).startswith("M1305")
    caller.records(seconds=4)
    assert app.newest("r") == ["/000.wav"]


def test_a_recording_ends_at_the_maximum_length() -> None:
    caller = dialled(Script("read=t-א=r,no,record,,,,,,,10"))
    caller.records(seconds=60)
    assert isinstance(caller.state, RecordingMenu)
    assert caller.state.seconds == 10


def test_key_1_of_the_menu_plays_the_recording() -> None:
    caller = dialled(Script(RECORD))
    caller.records()
    assert caller.presses("1").startswith("/000.wav M3345")
    assert isinstance(caller.state, RecordingMenu)


def test_key_4_of_the_menu_continues_the_recording() -> None:
    app = Script(RECORD, BYE)
    caller = dialled(app)
    caller.records(seconds=5)
    caller.presses("4")
    caller.records(seconds=7)
    assert isinstance(caller.state, RecordingMenu)
    assert caller.state.seconds == 12
    caller.presses("2")
    assert app.newest("r") == ["/000.wav"]


@pytest.mark.parametrize("key", ["9", "0#"])
def test_any_other_key_plays_the_menu_again(key: str) -> None:
    caller = dialled(Script(RECORD))
    caller.records()
    assert caller.presses(key).startswith("M3345")


def test_silence_plays_the_menu_again() -> None:
    caller = dialled(Script(RECORD))
    caller.records()
    assert caller.silent().startswith("M3345")


def test_a_recording_that_is_appended_to_a_file_has_no_menu() -> None:
    app = Script("read=t-א=r,no,record,/5,log,,,yes", BYE)
    dialled(app).records()
    assert app.newest("r") == ["/5/log.wav"]


def test_a_hang_up_in_the_menu_keeps_the_recording() -> None:
    app = Script("read=t-א=r,no,record,,,,yes")
    caller = dialled(app)
    caller.records()
    caller.hangs_up()
    assert app.newest("r") == ["/000.wav"]


# -- speech


def test_with_voice_ask_ok_recognised_speech_is_confirmed() -> None:
    app = Script(ASK, BYE)
    caller = dialled(app, voice_ask_ok=True)
    assert caller.says("פיצה").startswith("פיצה M1353")
    caller.presses("2")
    caller.says("פסטה")
    caller.presses("1")
    assert app.newest("q") == ["פסטה"]


def test_speech_beyond_the_maximum_length_is_cut() -> None:
    app = Script("read=t-מה=q,no,voice,,,,record,,2", BYE)
    dialled(app).says("אחת שתיים שלוש ארבע חמש שש שבע שמונה")
    assert app.newest("q") == ["אחת שתיים שלוש ארבע חמש שש"]


def test_more_digits_than_a_voice_read_accepts_are_an_error() -> None:
    caller = dialled(Script("read=t-מה=q,no,voice,,,2"))
    with pytest.raises(WrongVerbError, match="'34'"):
        caller.presses("1234")


# -- typing


def test_a_locked_keyboard_plays_m4186() -> None:
    locked = "read=t-שם=n,no,20,1,7,HebrewKeyboard,,,,,,,,InsertLettersTypeChangeNo,no"
    assert dialled(Script(locked)).changes_keyboard() == "M4186 המקלדת נעולה"
    free = "read=t-שם=n,no,20,1,7,HebrewKeyboard,,,,,,,,,no"
    assert dialled(Script(free)).changes_keyboard() == "שם"


def test_silence_at_a_confirmation_plays_it_again() -> None:
    caller = dialled(Script("read=t-סכום=s,no,,1,7,Number"))
    caller.presses("25#")
    assert caller.silent().startswith("M1353")


@pytest.mark.slow
def test_a_poll_with_a_key_that_is_not_allowed_asks_again() -> None:
    app = Script(ASK, "read=t-רגע=w,no,1,1,1,No,,,,9,1,Ok,None,,no", BYE)
    caller = dialled(app)
    caller.interrupts("5")
    assert "M1224" in caller.says("שלום")
    assert app.newest("w") == ["None"]


# -- leaving


@pytest.mark.parametrize("answer", ["routing=0581234567", "go_to_folder_and_play=/1/5,005,1001"])
def test_a_transferred_caller_may_hang_up(answer: str) -> None:
    app = Script(answer)
    caller = dialled(app, extension="3")
    assert caller.state == Transferred(f"left with {answer}")
    caller.hangs_up()
    assert (app.newest("ApiExtension"), app.newest("hangup")) == (["3"], ["yes"])


def test_a_caller_in_an_unknown_extension_may_come_back() -> None:
    app = Script("go_to_folder=/5", ASK)
    caller = dialled(app, extension="3", extensions=frozenset({"3"}))
    assert caller.state == Outside("5", known=False)
    assert caller.goes_to("/3") == "מה"
    assert isinstance(caller.state, Asking)
    assert not caller.ended


def test_muted_messages_are_not_heard() -> None:
    caller = dialled(Script("read=t-הקישו=k,no,1,1,7,No"), muted=frozenset({"M1002"}))
    assert caller.silent() == "הקישו"


def test_a_reused_value_name_is_a_warning() -> None:
    caller = dialled(Script(*[TAP] * 2))
    caller.presses("12")
    assert [problem.code for problem in caller.problems] == ["name-reused"]


@pytest.mark.parametrize("answer", [response for response in FITTING if response != BYE])
def test_a_hang_up_request_is_sent_from_every_state_with_all_values(answer: str) -> None:
    app = Script("read=t-א=before,no,1,1,7,No", answer)
    caller = dialled(app, extension="4")
    caller.presses("7")
    caller.hangs_up()
    request = app.requests[-1]
    assert (request["before"], request["hangup"], request["ApiHangupExtension"]) == ("7", "yes", "/4")
    assert caller.state == Over("the caller hung up")


def test_no_request_follows_a_hang_up() -> None:
    app = Script("read=t-מה=a,no,1,1,7,No", "read=t-מה=a,yes,1,1,7,No", BYE)
    caller = dialled(app)
    caller.schedule.call(caller.hangs_up)  # before the request that follows the second response
    caller.presses("1")
    assert ["hangup" in request for request in app.requests] == [False, False, True]


@pytest.mark.parametrize("after", ["read=t-ב=c,no,voice", "go_to_folder=/2", "id_list_message=t-ג"])
def test_an_action_after_a_read_is_an_error_and_is_ignored(after: str) -> None:
    app = Script(f"{TAP}&{after}", BYE)
    with pytest.raises(LineError, match="after-read"):
        Caller(app).dial()
    caller = Caller(Script(f"{TAP}&{after}"), strict=False)
    assert caller.dial() == "הקישו"
    assert caller.question is not None
    assert caller.question.name == "k"


def test_an_action_after_go_to_folder_is_an_error_and_is_ignored() -> None:
    caller = Caller(Script("go_to_folder=/2&id_list_message=t-א", ASK), strict=False)
    assert (caller.dial(), caller.extension) == ("מה", "2")


def test_a_reused_value_is_sent_without_a_question() -> None:
    app = Script(TAP, "read=t-שוב=k,yes,2,1,7,No", ASK)
    caller = dialled(app)
    assert caller.presses("12") == "מה"
    assert [sent.get("k") for sent in app.requests] == [None, "12", "12"]
