from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.line.apps import Script, dialled
from yemot_ai_testing.errors import CallOverError, WrongVerbError
from yemot_ai_testing.line.caller import Caller


def test_a_value_typed_with_a_keyboard_is_confirmed_with_1() -> None:
    app = Script("read=t-סכום=sum,no,,1,7,Number", "go_to_folder=hangup")
    caller = dialled(app)
    assert caller.presses("25#").startswith("25 M1353")
    assert "confirm '25'" in caller.waits_for
    caller.presses("1")
    assert app.newest("sum") == ["25"]


def test_a_value_that_is_not_confirmed_is_asked_for_again() -> None:
    app = Script("read=t-סכום=sum,no,,1,7,Number", "go_to_folder=hangup")
    caller = dialled(app)
    caller.presses("25#")
    assert caller.presses("2") == "סכום"
    caller.presses("26#")
    caller.presses("1")
    assert app.newest("sum") == ["26"]


def test_any_other_key_plays_the_confirmation_again() -> None:
    caller = dialled(Script("read=t-סכום=sum,no,,1,7,Number"))
    caller.presses("25#")
    assert caller.presses("7").startswith("M1353")


def test_field_15_switches_the_confirmation_off() -> None:
    app = Script("read=t-סכום=sum,no,,1,7,Number,,,,,,,None,,no", "go_to_folder=hangup")
    dialled(app).presses("25#")
    assert app.newest("sum") == ["25"]


def test_key_3_of_the_menu_records_again() -> None:
    app = Script("read=t-הקליטו=rec,no,record", "go_to_folder=hangup")
    caller = dialled(app)
    caller.records("/1/000.wav")
    assert caller.presses("3") == "הקליטו M1012 הקליטו לאחר הצליל"
    caller.records("/1/001.wav")
    caller.presses("#")
    assert app.newest("rec") == ["/1/001.wav"]


def test_a_hang_up_while_recording_keeps_the_recording_if_the_read_says_so() -> None:
    app = Script("read=t-הקליטו=rec,no,record,,,no,yes")
    caller = dialled(app)
    caller.hangs_up()
    assert app.newest("rec") == ["/000.wav"]
    assert app.newest("hangup") == ["yes"]


def test_keys_at_a_read_that_blocks_them_raise() -> None:
    caller = dialled(Script("read=t-דברו=q,no,voice,,no"))
    with pytest.raises(WrongVerbError, match="blocks keys"):
        caller.presses("1")


def test_keys_while_the_line_records_raise() -> None:
    caller = dialled(Script("read=t-הקליטו=q,no,record"))
    with pytest.raises(WrongVerbError, match="records"):
        caller.presses("1")


def test_a_character_that_is_no_phone_key_raises() -> None:
    caller = dialled(Script("read=t-הקישו=q,no,3,1,7,No"))
    with pytest.raises(WrongVerbError, match=r"0-9 \* #"):
        caller.presses("א")


def test_saying_an_empty_text_raises_with_a_hint() -> None:
    caller = dialled(Script("read=t-דברו=q,no,voice"))
    with pytest.raises(WrongVerbError, match="silent"):
        caller.says("")


def test_say_tts_plays_the_recognised_words() -> None:
    caller = Caller(Script("read=t-דברו=q,no,voice", "read=t-כן=r,no,voice"), say_tts=True)
    caller.dial()
    assert caller.says("שלום") == "שלום כן"


def test_waiting_for_another_key_is_dead_air() -> None:
    caller = dialled(Script("read=t-הקישו=q,no,3,1,5,No", "read=t-כן=r,no,voice"))
    caller.presses("12")
    assert caller.dead_air >= 5


def test_a_hash_key_ends_the_input_without_that_silence() -> None:
    caller = dialled(Script("read=t-הקישו=q,no,3,1,5,No", "read=t-כן=r,no,voice"))
    caller.presses("12#")
    assert caller.dead_air < 1


@pytest.mark.parametrize("answer", ["routing_yemot=0773137770", "go_to_folder_and_play=/1/5,005,1001"])
def test_a_transferred_caller_has_left(answer: str) -> None:
    caller = dialled(Script(f"id_list_message=t-רגע&{answer}"))
    assert caller.ended
    assert answer in str(caller.transcript)


def test_music_is_heard_before_the_next_action() -> None:
    assert dialled(Script("music_on_hold=ztomao,10&read=t-כן=q,no,voice")).heard == "music ztomao כן"


def test_a_simple_answer_is_played_and_leaves() -> None:
    caller = dialled(Script("OK"))
    assert (caller.heard, caller.ended) == ("OK", True)


def test_a_comment_among_messages_is_not_heard() -> None:
    assert dialled(Script("read=noop-wait.t-כן=q,no,voice")).heard == "כן"


def test_a_go_to_message_leads_to_another_extension() -> None:
    caller = dialled(Script("id_list_message=t-רגע.g-/2", "read=t-כן=q,no,voice"))
    assert (caller.heard, caller.extension) == ("רגע כן", "2")


@pytest.mark.parametrize(
    ("verb", "waits_for"),
    [
        (lambda caller: caller.hangs_up(), "the caller has not dialled yet"),
        (lambda caller: caller.repeats(), "has sent no request yet"),
        (lambda caller: caller.response, "has had no answer yet"),
    ],
    ids=["hangs_up", "repeats", "response"],
)
def test_verbs_before_dialling_raise(verb: Callable[[Caller], object], waits_for: str) -> None:
    with pytest.raises(CallOverError, match=waits_for):
        verb(Caller(Script()))


def test_dialling_twice_raises() -> None:
    caller = dialled(Script("read=t-כן=q,no,voice"))
    with pytest.raises(CallOverError, match="new Caller"):
        caller.dial()


def test_an_interruption_that_was_not_possible_raises() -> None:
    caller = dialled(Script("read=t-א=q,no,voice", "read=t-ב=r,no,voice"))
    caller.interrupts("5", after=60)
    with pytest.raises(WrongVerbError, match=r"presses 5 while the application answers.*read 'r'"):
        caller.says("שלום")


def test_a_caller_hangs_up_at_the_end_of_its_with_block() -> None:
    app = Script("read=t-כן=q,no,voice")
    with Caller(app) as caller:
        caller.dial()
    assert app.newest("hangup") == ["yes"]
    assert caller.ended
