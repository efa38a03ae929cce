"""Each switch of the line, both ways."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.line.apps import ASK, BYE, Pairs, Script, dialled
from yemot_ai_testing import Caller
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.platform.ext_ini import read_ext_ini
from yemot_ai_testing.line.platform.settings import (
    CallerOptions,
    Confirmation,
    LineSetting,
    LineSettings,
    NestedExtension,
    RecordingValue,
    TwoPlays,
    line_settings,
)
from yemot_ai_testing.line.states import Confirming, Holding
from yemot_ai_testing.line.transcript import CallEnded, HoldMusic

DEFAULTS = {
    "server_timeout": 10.0,
    "retain_values": False,
    "hangup_after_goto": True,
    "hangup_waits": False,
    "hangup_carries_recording": True,
    "hangup_marker": False,
    "confirmation": "keyboard",
    "two_plays": "merge",
    "unknown_word": "M1607",
    "speech_retries": 2,
    "silence_retries": 0,
    "recording_value": "path",
    "nested_extension": "1/2",
    "music_seconds": None,
    "enter_id": "",
    "enter_id_name": "",
    "referred_from": "",
    "did": "0772222770",
    "real_did": "0772222770",
}


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items())
def test_a_switch_stands_as_most_evidence_says(name: str, default: object) -> None:
    assert line_settings()[name].default == default
    assert getattr(LineSettings(), name) == default


def test_there_is_no_switch_that_this_table_does_not_know() -> None:
    assert set(line_settings()) == set(DEFAULTS)
    assert set(line_settings()) <= set(CallerOptions.__annotations__)


@pytest.mark.parametrize("switch", line_settings().values(), ids=lambda one: one.name)
def test_each_switch_says_how_sure_it_is_and_what_it_does(switch: LineSetting) -> None:
    assert switch.source in {"[OFF]", "[LIVE]", "[LIB]", "[CODE]", "[?]"}
    assert switch.meaning


@pytest.mark.parametrize(
    ("platform", "default"),
    [
        ("method", "GET"),
        ("space_as_plus", False),
        ("constants", ()),
        ("directed_phone", False),
        ("omitted", frozenset()),
        ("say_tts", True),
        ("voice_ask_ok", False),
        ("waiting_music", None),
        ("waiting_music_continues", False),
        ("end_goto", None),
        ("hangup_send", True),
        ("hangup_link", None),
        ("folder", None),
        ("record_beep", True),
        ("log", True),
        ("say_answer", False),
        ("pre_questions", ()),
        ("muted", frozenset()),
    ],
)
def test_a_setting_that_nobody_writes_is_as_the_official_text_says(platform: str, default: object) -> None:
    extension = read_ext_ini("type=api\napi_link=http://127.0.0.1/").extension
    assert getattr(extension, platform) == default


@pytest.mark.parametrize(
    "wrong",
    [{"confirmation": "never"}, {"two_plays": "first"}, {"nested_extension": "1-2"}, {"speech_retires": 1}],
)
def test_a_switch_that_cannot_stand_like_that_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(AppError, match=next(iter(wrong))):
        Caller(Script(), **wrong)


@pytest.mark.parametrize(("rule", "confirms"), [("keyboard", False), ("always", True)])
def test_typing_without_a_keyboard_is_approved_only_where_all_typing_is(
    rule: Confirmation,
    confirms: bool,  # noqa: FBT001 - parametrized
) -> None:
    caller = dialled(Script("read=t-כמה=q,no,1,1,7,No", ASK), confirmation=rule)
    caller.presses("1")
    assert isinstance(caller.state, Confirming) is confirms


@pytest.mark.parametrize("rule", ["keyboard", "always"])
def test_field_15_spares_the_approval_on_every_line(rule: Confirmation) -> None:
    caller = dialled(Script("read=t-כמה=q,no,1,1,7,Number,,,,,,,,,no", ASK), confirmation=rule)
    caller.presses("1")
    assert not isinstance(caller.state, Confirming)


@pytest.mark.parametrize(("rule", "heard"), [("merge", "א ב"), ("second", "ב")])
def test_of_two_messages_in_a_row_both_or_the_second_are_heard(rule: TwoPlays, heard: str) -> None:
    caller = dialled(Script("id_list_message=t-א&id_list_message=t-ב"), two_plays=rule)
    assert caller.heard == heard


@pytest.mark.parametrize("retries", [0, 2])
def test_unclear_speech_is_asked_for_again_so_often(retries: int) -> None:
    app = Script(ASK, BYE)
    caller = dialled(app, speech_retries=retries)
    for _ in range(retries):
        assert caller.mumbles() == "M1611 דיבור לא ברור, אנא אמרו שוב מה"
    caller.mumbles()
    assert app.newest("q") == [""]


@pytest.mark.parametrize("retries", [0, 1])
def test_silence_is_met_so_often_with_the_question(retries: int) -> None:
    app = Script(ASK, BYE)
    caller = dialled(app, silence_retries=retries)
    for _ in range(retries):
        assert caller.silent() == "M1613 לא זוהה דיבור מה"
    caller.silent()
    assert app.newest("q") == [""]


@pytest.mark.parametrize(
    ("form", "value"), [("path", "/1/000.wav"), ("ivr2", "ivr2:/1/000.wav"), ("bare", "1/000.wav")]
)
def test_the_value_of_a_recording_has_the_form_of_this_line(form: RecordingValue, value: str) -> None:
    app = Script("read=t-א=r,no,record,,,no", BYE)
    caller = dialled(app, extension="1", recording_value=form)
    caller.records()
    assert app.newest("r") == [value]


@pytest.mark.parametrize(("form", "value"), [("1/2", "1/2"), ("/1/2", "/1/2")])
def test_an_extension_inside_another_is_written_as_this_line_does(form: NestedExtension, value: str) -> None:
    app = Script(ASK)
    dialled(app, extension="1/2", nested_extension=form)
    assert app.newest("ApiExtension") == [value]


@pytest.mark.parametrize(("marker", "sent"), [(False, []), (True, [""])])
def test_an_empty_name_stands_before_the_hang_up_or_not(marker: bool, sent: list[str]) -> None:  # noqa: FBT001 - parametrized
    app = Script(ASK)
    dialled(app, hangup_marker=marker).hangs_up()
    assert app.newest("ApiHangup") == sent


@pytest.mark.parametrize(("together", "value"), [(True, ["/000.wav"]), (False, [])])
def test_a_recording_that_is_kept_arrives_with_the_hang_up_or_not(together: bool, value: list[str]) -> None:  # noqa: FBT001 - parametrized
    app = Script("read=t-א=r,no,record,,,no,yes")
    dialled(app, hangup_carries_recording=together).hangs_up()
    assert (app.newest("r"), app.newest("hangup")) == (value, ["yes"])


@pytest.mark.parametrize(("seconds", "waits"), [(None, True), (20.0, False)])
def test_music_without_seconds_plays_until_the_star_or_as_long_as_it_is(
    seconds: float | None,
    waits: bool,  # noqa: FBT001 - parametrized
) -> None:
    caller = dialled(Script("music_on_hold=ztomao&go_to_folder=hangup"), music_seconds=seconds)
    assert isinstance(caller.state, Holding) is waits


def test_who_has_logged_in_is_named_and_who_was_directed_here_too() -> None:
    app = Script(ASK)
    dialled(app, enter_id="id 17", enter_id_name="דוד")
    assert (app.newest("ApiEnterID"), app.newest("ApiEnterIDName")) == (["id 17"], ["דוד"])
    assert app.newest("ReferredFrom") == []


class Slow:
    """Answers a question only when the hang-up has arrived, or when nobody waits for that."""

    def __init__(self, *, needs_hang_up: bool) -> None:
        self.order: list[str] = []
        self.asked, self.gone, self.hung_up = threading.Event(), threading.Event(), threading.Event()
        self._needs = needs_hang_up

    def __call__(self, pairs: Pairs) -> str:
        values = dict(pairs)
        if "hangup" in values:
            self.order.append("hang-up")
            self.gone.set()
            return "noop=ok"
        if "q" not in values:
            return ASK
        self.asked.set()
        if self._needs:
            assert self.gone.wait(5)
        else:
            assert self.hung_up.wait(5)
        self.order.append("answer")
        return BYE


def test_a_hang_up_overtakes_the_answer_that_is_open() -> None:
    app = Slow(needs_hang_up=True)
    caller = dialled(app)
    caller.interrupts(when=app.asked.is_set)
    caller.says("שלום")
    assert app.order == ["hang-up", "answer"]


def test_a_hang_up_waits_for_the_answer_that_is_open_on_a_line_that_does_so() -> None:
    app = Slow(needs_hang_up=False)
    caller = dialled(app, hangup_waits=True)

    def hang_up() -> None:
        assert app.asked.wait(5)
        caller.hangs_up()
        app.hung_up.set()

    thread = threading.Thread(target=hang_up)
    thread.start()
    caller.says("שלום")
    thread.join()
    assert app.order == ["answer", "hang-up"]
    assert caller.ended


def test_an_answer_that_nobody_waits_for_any_more_is_not_late() -> None:
    asked, over = threading.Event(), threading.Event()

    def app(pairs: Pairs) -> str:
        if "q" in dict(pairs) and "hangup" not in dict(pairs):
            asked.set()
            over.wait(5)
        return ASK

    caller = dialled(app, server_timeout=0.2)
    caller.interrupts(when=asked.is_set)
    caller.says("שלום")
    over.set()
    assert caller.ended
    assert [one.code for one in caller.problems] == []


def test_music_on_hold_ends_when_the_caller_is_gone() -> None:
    app = Slow(needs_hang_up=True)
    caller = dialled(app, waiting_music="ztomao")
    caller.interrupts(when=app.asked.is_set)
    caller.says("שלום")
    ended = next(event for event in caller.transcript if isinstance(event, CallEnded))
    last = [event for event in caller.transcript if isinstance(event, HoldMusic)][-1]
    assert last.at + last.seconds == pytest.approx(ended.at, abs=1e-6)
