from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from yemot_ai_testing.errors import CallOverError, WrongVerbError
from yemot_ai_testing.line.caller import Caller

Pairs = Sequence[tuple[str, str]]


class Line:
    """A call on an application that gives its answers in turn, and what it was sent."""

    def __init__(self, *answers: str) -> None:
        self.sent: list[list[tuple[str, str]]] = []
        self._answers = list(answers)

    def __call__(self, pairs: Pairs) -> str:
        self.sent.append(list(pairs))
        return "noop=bye" if ("hangup", "yes") in pairs else self._answers.pop(0)

    def values(self, name: str) -> list[str]:
        return [value for sent in self.sent[-1:] for key, value in sent if key == name]


def dialled(line: Line) -> Caller:
    caller = Caller(line, hangup_after_goto=False)
    caller.dial()
    return caller


def test_typing_with_a_keyboard_is_approved_with_1() -> None:
    line = Line("read=t-סכום=sum,no,,1,7,Number", "go_to_folder=hangup")
    caller = dialled(line)
    assert caller.presses("25#").startswith("25 M1353")
    assert "approve '25'" in caller.waits_for
    caller.presses("1")
    assert line.values("sum") == ["25"]


def test_typing_that_is_not_approved_is_asked_for_again() -> None:
    line = Line("read=t-סכום=sum,no,,1,7,Number", "go_to_folder=hangup")
    caller = dialled(line)
    caller.presses("25#")
    assert caller.presses("2") == "סכום"
    caller.presses("26#")
    caller.presses("1")
    assert line.values("sum") == ["26"]


def test_any_other_key_lets_the_line_ask_for_approval_again() -> None:
    caller = dialled(Line("read=t-סכום=sum,no,,1,7,Number"))
    caller.presses("25#")
    assert caller.presses("7").startswith("M1353")


def test_no_approval_is_asked_for_where_the_read_forbids_it() -> None:
    line = Line("read=t-סכום=sum,no,,1,7,Number,,,,,,,None,,no", "go_to_folder=hangup")
    dialled(line).presses("25#")
    assert line.values("sum") == ["25"]


def test_a_recording_can_be_made_anew_from_its_menu() -> None:
    line = Line("read=t-הקליטו=rec,no,record", "go_to_folder=hangup")
    caller = dialled(line)
    caller.records("/1/000.wav")
    assert caller.presses("3") == "הקליטו M1012 הקליטו לאחר הצליל"
    caller.records("/1/001.wav")
    caller.presses("#")
    assert line.values("rec") == ["/1/001.wav"]


def test_hanging_up_while_recording_keeps_the_recording_if_the_read_says_so() -> None:
    line = Line("read=t-הקליטו=rec,no,record,,,no,yes")
    caller = dialled(line)
    caller.hangs_up()
    assert line.values("rec") == ["/000.wav"]
    assert line.values("hangup") == ["yes"]


def test_keys_do_nothing_in_a_read_that_blocks_them() -> None:
    caller = dialled(Line("read=t-דברו=q,no,voice,,no"))
    with pytest.raises(WrongVerbError, match="blocks keys"):
        caller.presses("1")


def test_keys_do_nothing_while_the_line_records() -> None:
    caller = dialled(Line("read=t-הקליטו=q,no,record"))
    with pytest.raises(WrongVerbError, match="records"):
        caller.presses("1")


def test_what_is_on_no_phone_cannot_be_pressed() -> None:
    caller = dialled(Line("read=t-הקישו=q,no,3,1,7,No"))
    with pytest.raises(WrongVerbError, match=r"0-9 \* #"):
        caller.presses("א")


def test_saying_nothing_is_being_silent() -> None:
    caller = dialled(Line("read=t-דברו=q,no,voice"))
    with pytest.raises(WrongVerbError, match="silent"):
        caller.says("")


def test_a_line_that_echoes_speaks_the_recognised_words() -> None:
    caller = Caller(Line("read=t-דברו=q,no,voice", "read=t-כן=r,no,voice"), say_tts=True)
    caller.dial()
    assert caller.says("שלום") == "שלום כן"


def test_waiting_for_another_key_is_dead_air() -> None:
    caller = dialled(Line("read=t-הקישו=q,no,3,1,5,No", "read=t-כן=r,no,voice"))
    caller.presses("12")
    assert caller.dead_air >= 5


def test_ending_the_input_spares_that_silence() -> None:
    caller = dialled(Line("read=t-הקישו=q,no,3,1,5,No", "read=t-כן=r,no,voice"))
    caller.presses("12#")
    assert caller.dead_air < 1


@pytest.mark.parametrize("answer", ["routing_yemot=0773137770", "go_to_folder_and_play=/1/5,005,1001"])
def test_a_caller_who_is_led_away_has_left(answer: str) -> None:
    caller = dialled(Line(f"id_list_message=t-רגע&{answer}"))
    assert caller.ended
    assert answer in str(caller.transcript)


def test_music_is_heard_before_what_follows() -> None:
    assert dialled(Line("music_on_hold=ztomao,10&read=t-כן=q,no,voice")).heard == "music ztomao כן"


def test_a_simple_answer_is_heard_and_leaves() -> None:
    caller = dialled(Line("OK"))
    assert (caller.heard, caller.ended) == ("OK", True)


def test_a_comment_among_messages_is_not_heard() -> None:
    assert dialled(Line("read=noop-wait.t-כן=q,no,voice")).heard == "כן"


def test_a_message_can_lead_on() -> None:
    caller = dialled(Line("id_list_message=t-רגע.g-/2", "read=t-כן=q,no,voice"))
    assert (caller.heard, caller.extension) == ("רגע כן", "2")


@pytest.mark.parametrize(
    ("verb", "waits_for"),
    [
        (lambda caller: caller.hangs_up(), "nobody has dialled yet"),
        (lambda caller: caller.repeats(), "has sent no request yet"),
        (lambda caller: caller.response, "has had no answer yet"),
    ],
    ids=["hangs_up", "repeats", "response"],
)
def test_nothing_can_be_done_before_dialling(verb: Callable[[Caller], object], waits_for: str) -> None:
    with pytest.raises(CallOverError, match=waits_for):
        verb(Caller(Line()))


def test_a_call_is_dialled_once() -> None:
    caller = dialled(Line("read=t-כן=q,no,voice"))
    with pytest.raises(CallOverError, match="new Caller"):
        caller.dial()


def test_what_should_have_happened_meanwhile_and_could_not_is_told() -> None:
    caller = dialled(Line("read=t-א=q,no,voice", "read=t-ב=r,no,voice"))
    caller.interrupts("5", after=60)
    with pytest.raises(WrongVerbError, match=r"presses 5 meanwhile.*read 'r'"):
        caller.says("שלום")


def test_a_caller_in_a_with_block_hangs_up_in_the_end() -> None:
    line = Line("read=t-כן=q,no,voice")
    with Caller(line) as caller:
        caller.dial()
    assert line.values("hangup") == ["yes"]
    assert caller.ended
