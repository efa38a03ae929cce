"""Each setting of the line, with each of its values."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.line.apps import ASK, BYE, Pairs, Script, dialled
from yemot_ai_testing import Caller, Line
from yemot_ai_testing.errors import AppError, LineError
from yemot_ai_testing.line.platform.ext_ini import read_ext_ini
from yemot_ai_testing.line.platform.extension import Extension
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
from yemot_ai_testing.line.platform.tree import ExtensionTree
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
    "lenient": False,
    "accept_any_2xx": False,
    "follow_redirects": False,
    "new_call_id_per_extension": False,
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
def test_the_default_of_each_setting(name: str, default: object) -> None:
    assert line_settings()[name].default == default
    assert getattr(LineSettings(), name) == default


def test_the_table_above_has_every_setting() -> None:
    assert set(line_settings()) == set(DEFAULTS)
    assert set(line_settings()) <= set(CallerOptions.__annotations__)


@pytest.mark.parametrize("setting", line_settings().values(), ids=lambda setting: setting.name)
def test_each_setting_has_a_source_and_a_meaning(setting: LineSetting) -> None:
    assert setting.source in {"[OFF]", "[LIVE]", "[LIB]", "[CODE]", "[?]"}
    assert setting.meaning


@pytest.mark.parametrize(
    ("attribute", "default"),
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
def test_the_default_of_each_ext_ini_setting_is_that_of_the_official_text(
    attribute: str, default: object
) -> None:
    extension = read_ext_ini("type=api\napi_link=http://127.0.0.1/").extension
    assert getattr(extension, attribute) == default


@pytest.mark.parametrize(
    "invalid",
    [
        {"confirmation": "never"},
        {"two_plays": "first"},
        {"nested_extension": "1-2"},
        {"speech_retires": 1},
        {"lenient": "true"},
        {"lenient": 1},
        {"retain_values": None},
        {"did": 772222770},
        {"enter_id": None},
        {"server_timeout": "10"},
        {"server_timeout": None},
        {"server_timeout": -1},
        {"server_timeout": True},
        {"music_seconds": "10"},
        {"speech_retries": 1.5},
    ],
    ids=str,
)
def test_an_invalid_setting_raises(invalid: dict[str, Any]) -> None:
    with pytest.raises(AppError, match=next(iter(invalid))):
        Caller(Script(), **invalid)


@pytest.mark.parametrize(
    "valid", [{"server_timeout": 1}, {"music_seconds": None}, {"music_seconds": 10}], ids=str
)
def test_a_valid_setting_raises_nothing(valid: dict[str, Any]) -> None:
    Caller(Script(), **valid)


@pytest.mark.parametrize(("rule", "confirms"), [("keyboard", False), ("always", True)])
def test_a_value_typed_without_a_keyboard_is_confirmed_only_with_always(
    rule: Confirmation,
    confirms: bool,  # noqa: FBT001 - parametrized
) -> None:
    caller = dialled(Script("read=t-כמה=q,no,1,1,7,No", ASK), confirmation=rule)
    caller.presses("1")
    assert isinstance(caller.state, Confirming) is confirms


@pytest.mark.parametrize("rule", ["keyboard", "always"])
def test_field_15_switches_the_confirmation_off_for_each_rule(rule: Confirmation) -> None:
    caller = dialled(Script("read=t-כמה=q,no,1,1,7,Number,,,,,,,,,no", ASK), confirmation=rule)
    caller.presses("1")
    assert not isinstance(caller.state, Confirming)


@pytest.mark.parametrize(("rule", "heard"), [("merge", "א ב"), ("second", "ב")])
def test_of_two_messages_in_a_row_both_or_the_second_are_heard(rule: TwoPlays, heard: str) -> None:
    caller = dialled(Script("id_list_message=t-א&id_list_message=t-ב"), two_plays=rule)
    assert caller.heard == heard


@pytest.mark.parametrize("retries", [0, 2])
def test_speech_retries_limits_the_questions_after_unclear_speech(retries: int) -> None:
    app = Script(ASK, BYE)
    caller = dialled(app, speech_retries=retries)
    for _ in range(retries):
        assert caller.mumbles() == "M1611 דיבור לא ברור, אנא אמרו שוב מה"
    caller.mumbles()
    assert app.newest("q") == [""]


@pytest.mark.parametrize("retries", [0, 1])
def test_silence_retries_limits_the_questions_after_silence(retries: int) -> None:
    app = Script(ASK, BYE)
    caller = dialled(app, silence_retries=retries)
    for _ in range(retries):
        assert caller.silent() == "M1613 לא זוהה דיבור מה"
    caller.silent()
    assert app.newest("q") == [""]


@pytest.mark.parametrize(
    ("form", "value"), [("path", "/1/000.wav"), ("ivr2", "ivr2:/1/000.wav"), ("bare", "1/000.wav")]
)
def test_recording_value_decides_the_form_of_a_recordings_value(form: RecordingValue, value: str) -> None:
    app = Script("read=t-א=r,no,record,,,no", BYE)
    caller = dialled(app, extension="1", recording_value=form)
    caller.records()
    assert app.newest("r") == [value]


@pytest.mark.parametrize(("form", "value"), [("1/2", "1/2"), ("/1/2", "/1/2")])
def test_nested_extension_decides_the_form_of_api_extension(form: NestedExtension, value: str) -> None:
    app = Script(ASK)
    dialled(app, extension="1/2", nested_extension=form)
    assert app.newest("ApiExtension") == [value]


@pytest.mark.parametrize(("marker", "sent"), [(False, []), (True, [""])])
def test_hangup_marker_adds_api_hangup(marker: bool, sent: list[str]) -> None:  # noqa: FBT001 - parametrized
    app = Script(ASK)
    dialled(app, hangup_marker=marker).hangs_up()
    assert app.newest("ApiHangup") == sent


@pytest.mark.parametrize(("together", "value"), [(True, ["/000.wav"]), (False, [])])
def test_a_kept_recording_arrives_with_the_hang_up_or_not(together: bool, value: list[str]) -> None:  # noqa: FBT001 - parametrized
    app = Script("read=t-א=r,no,record,,,no,yes")
    dialled(app, hangup_carries_recording=together).hangs_up()
    assert (app.newest("r"), app.newest("hangup")) == (value, ["yes"])


@pytest.mark.parametrize(("seconds", "waits"), [(None, True), (20.0, False)])
def test_music_without_seconds_plays_until_the_star_or_for_music_seconds(
    seconds: float | None,
    waits: bool,  # noqa: FBT001 - parametrized
) -> None:
    caller = dialled(Script("music_on_hold=ztomao&go_to_folder=hangup"), music_seconds=seconds)
    assert isinstance(caller.state, Holding) is waits


def test_requests_have_the_enter_id_and_no_referrer_by_default() -> None:
    app = Script(ASK)
    dialled(app, enter_id="id 17", enter_id_name="דוד")
    assert (app.newest("ApiEnterID"), app.newest("ApiEnterIDName")) == (["id 17"], ["דוד"])
    assert app.newest("ReferredFrom") == []


class SlowApp:
    """Responds after the hang-up request has arrived, or after ``hung_up`` was set."""

    def __init__(self, *, waits_for_hangup_request: bool) -> None:
        self.order: list[str] = []
        self.asked, self.hangup_received = threading.Event(), threading.Event()
        self.hung_up = threading.Event()
        self._waits_for_hangup_request = waits_for_hangup_request

    def __call__(self, pairs: Pairs) -> str:
        values = dict(pairs)
        if "hangup" in values:
            self.order.append("hang-up")
            self.hangup_received.set()
            return "noop=ok"
        if "q" not in values:
            return ASK
        self.asked.set()
        if self._waits_for_hangup_request:
            assert self.hangup_received.wait(5)
        else:
            assert self.hung_up.wait(5)
        self.order.append("response")
        return BYE


def test_a_hang_up_request_is_sent_before_the_open_response() -> None:
    app = SlowApp(waits_for_hangup_request=True)
    caller = dialled(app)
    caller.interrupts(when=app.asked.is_set)
    caller.says("שלום")
    assert app.order == ["hang-up", "response"]


def test_with_hangup_waits_the_hang_up_request_follows_the_open_response() -> None:
    app = SlowApp(waits_for_hangup_request=False)
    caller = dialled(app, hangup_waits=True)

    def hang_up() -> None:
        assert app.asked.wait(5)
        caller.hangs_up()
        app.hung_up.set()

    thread = threading.Thread(target=hang_up)
    thread.start()
    caller.says("שלום")
    thread.join()
    assert app.order == ["response", "hang-up"]
    assert caller.ended


def test_a_request_that_is_repeated_after_the_hang_up_sends_no_other_hang_up() -> None:
    app = SlowApp(waits_for_hangup_request=False)
    caller = dialled(app, hangup_waits=True)
    speaking = threading.Thread(target=caller.says, args=("שלום",))
    speaking.start()
    assert app.asked.wait(5)
    caller.hangs_up()
    app.hung_up.set()
    speaking.join()
    caller.repeats()
    assert app.order == ["response", "hang-up", "response"]


def test_a_response_after_the_hang_up_is_not_late() -> None:
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
    assert [problem.code for problem in caller.problems] == []


def test_hold_music_ends_when_the_caller_hangs_up() -> None:
    app = SlowApp(waits_for_hangup_request=True)
    caller = dialled(app, waiting_music="ztomao")
    caller.interrupts(when=app.asked.is_set)
    caller.says("שלום")
    ended = next(event for event in caller.transcript if isinstance(event, CallEnded))
    last = [event for event in caller.transcript if isinstance(event, HoldMusic)][-1]
    assert last.at + last.seconds == pytest.approx(ended.at, abs=1e-6)


# -- one call, several extensions


def two_extensions(app: object) -> Line:
    tree = ExtensionTree(
        {
            "": Extension(kind="menu"),
            **{name: Extension(link=f"http://h/{name}") for name in ("1", "2", "1/3")},
        }
    )
    return Line(tree, servers={f"http://h/{name}": app for name in ("1", "2", "1/3")})


def test_the_call_id_stays_when_the_caller_moves_between_extensions() -> None:
    app = Script(ASK, "go_to_folder=/2", ASK)
    caller = dialled(two_extensions(app), "1")
    caller.says("א")
    assert len({request["ApiCallId"] for request in app.requests}) == 1


def test_with_new_call_id_per_extension_only_the_yf_call_id_stays() -> None:
    app = Script(ASK, "go_to_folder=/2", ASK, "go_to_folder=/1/3", ASK)
    caller = dialled(two_extensions(app), "1", new_call_id_per_extension=True)
    ids = [caller.call_id]
    for word in ("א", "ב"):
        caller.says(word)
        ids.append(caller.call_id)
    caller.hangs_up()
    assert [request["ApiCallId"] for request in app.requests] == [
        ids[0], ids[0], ids[1], ids[1], ids[2], ids[2],
    ]  # fmt: skip
    assert len(set(ids)) == 3
    assert {len(call_id) for call_id in ids} == {40}
    assert len({request["ApiYFCallId"] for request in app.requests}) == 1


@pytest.mark.parametrize("target", [".", "/1"])
def test_with_new_call_id_per_extension_the_same_extension_keeps_it(target: str) -> None:
    app = Script(ASK, f"go_to_folder={target}", ASK)
    caller = dialled(two_extensions(app), "1", new_call_id_per_extension=True)
    caller.says("א")
    assert len({request["ApiCallId"] for request in app.requests}) == 1


def test_with_new_call_id_per_extension_a_caller_who_comes_back_has_a_new_one() -> None:
    app = Script(ASK, "go_to_folder=/2", "go_to_folder=/1", ASK)
    dialled(two_extensions(app), "1", new_call_id_per_extension=True).says("א")
    ids = [request["ApiCallId"] for request in app.requests]
    assert len(set(ids)) == 3
    assert ids[0] == ids[1]


def test_with_new_call_id_per_extension_the_hang_up_in_a_menu_has_the_last_id() -> None:
    app = Script(ASK, "go_to_folder=/")
    caller = dialled(two_extensions(app), "1", new_call_id_per_extension=True)
    caller.says("א")
    caller.hangs_up()
    assert len({request["ApiCallId"] for request in app.requests}) == 1
    assert app.requests[-1]["hangup"] == "yes"


def test_the_yf_call_id_is_a_uuid_as_in_a_log_of_a_real_line() -> None:
    app = Script(ASK)
    dialled(app)
    (yf_call_id,) = app.newest("ApiYFCallId")
    assert [len(part) for part in yf_call_id.split("-")] == [8, 4, 4, 4, 12]


# -- lenient


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        ("read=t-מה=q,no,1,1,7,No,no,no,,,maybe,True,None,True", {"choice", "number"}),
        ("read=t-מה=q,no,record,,,true", {"choice"}),
    ],
)
def test_with_lenient_a_field_that_is_not_understood_is_a_warning(answer: str, codes: set[str]) -> None:
    with pytest.raises(LineError):
        Caller(Script(answer)).dial()
    caller = dialled(Script(answer), lenient=True)
    assert caller.question is not None
    assert {(problem.level, problem.code) for problem in caller.problems} >= {
        ("warning", code) for code in codes
    }


@pytest.mark.parametrize("answer", ["hangup=yes", "read=x-מה=q,no,1", "read=t-מה=,no,1", ""])
def test_with_lenient_a_wrong_structure_is_still_m1607(answer: str) -> None:
    caller = Caller(Script(answer), lenient=True, strict=False, hangup_after_goto=False)
    assert caller.dial() == "M1607 אין מענה משרת API"


def test_with_lenient_a_question_of_ext_ini_that_is_not_understood_is_asked() -> None:
    settings = read_ext_ini(
        "type=api\napi_link=http://127.0.0.1/a\napi_000=A,no,1,1,7,No,,,,,,Maybe"
    ).extension
    for lenient in (False, True):
        tree = Line(
            ExtensionTree({"": settings}), servers={"http://127.0.0.1/a": lambda _: "read=t-מה=q,no,voice"}
        )
        caller = Caller(tree, lenient=lenient)
        assert caller.dial() == ("f-000" if lenient else "מה")


def test_with_lenient_what_follows_a_read_is_ignored_as_before() -> None:
    caller = Caller(Script("read=t-מה=q,no,record,,,true&go_to_folder=/2"), lenient=True, strict=False)
    assert caller.dial().startswith("מה")


@pytest.mark.parametrize("answer", ["read=t-מה=q,yes,voice", "id_list_message=t-א&id_list_message=t-ב"])
def test_a_warning_of_the_lint_shows_in_the_problems_and_the_line_continues(answer: str) -> None:
    caller = dialled(Script(answer))
    assert caller.heard
    assert {problem.level for problem in caller.problems} == {"warning"}
