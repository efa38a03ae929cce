from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import yemot_flow

from yemot_ai.protocol import GoToFolder, Read
from yemot_ai_testing.errors import AppError, CallOverError, EndlessLineError, LineError, WrongVerbError
from yemot_ai_testing.line.caller import Caller

Pairs = Sequence[tuple[str, str]]
App = Callable[[Pairs], str]


def app_of(*responses: str, log: list[dict[str, list[str]]] | None = None) -> App:
    """Return an application that returns ``responses`` in turn."""
    remaining = list(responses)

    def app(pairs: Pairs) -> str:
        seen: dict[str, list[str]] = {}
        for name, value in pairs:
            seen.setdefault(name, []).append(value)
        if log is not None:
            log.append(seen)
        return "noop=bye" if "hangup" in seen else remaining.pop(0)

    return app


def test_the_first_request_has_the_phone_the_extension_and_a_call_id() -> None:
    log: list[dict[str, list[str]]] = []
    Caller(app_of("read=t-שם=name,no,voice", log=log), "0521112222", "/shop").dial()
    assert log[0]["ApiPhone"] == ["0521112222"]
    assert log[0]["ApiExtension"] == ["shop"]
    assert len(log[0]["ApiCallId"][0]) == 40


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"extension": 5}, 'extension is a string such as "1/2", not 5'),
        ({"extension": None}, "extension is a string"),
        ({"phone": 501234567}, 'phone is a string such as "0501234567", not 501234567'),
    ],
)
def test_an_option_that_must_be_a_string_is_checked(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(AppError, match=message):
        Caller(app_of(), **arguments)


def test_values_of_earlier_reads_are_sent_again_and_repeated_names_are_kept() -> None:
    log: list[dict[str, list[str]]] = []
    caller = Caller(app_of(*["read=t-עוד=val,no,1,1,7,No"] * 3, log=log))
    caller.dial()
    caller.presses("1")
    caller.presses("2")
    assert log[-1]["val"] == ["1", "2"]


def test_the_time_of_each_request_is_later_than_the_one_before() -> None:
    log: list[dict[str, list[str]]] = []
    caller = Caller(app_of("go_to_folder=.", "go_to_folder=.", "read=t-א=a,no,voice", log=log))
    caller.dial()
    times = [int(seen["ApiTime"][0]) for seen in log]
    assert times == sorted(set(times))


def test_go_to_folder_asks_the_same_application_in_another_extension() -> None:
    log: list[dict[str, list[str]]] = []
    caller = Caller(app_of("go_to_folder=/agent", "read=t-כן=a,no,voice", log=log))
    assert caller.dial() == "כן"
    assert (caller.extension, log[-1]["ApiExtension"]) == ("agent", ["agent"])


def test_values_are_cleared_when_an_extension_is_entered_again() -> None:
    log: list[dict[str, list[str]]] = []
    caller = Caller(app_of("read=t-א=a,no,1,1,7,No", "go_to_folder=.", "read=t-ב=b,no,voice", log=log))
    caller.dial()
    caller.presses("1")
    assert "a" not in log[-1]


def test_values_stay_on_a_line_that_retains_them() -> None:
    log: list[dict[str, list[str]]] = []
    app = app_of("read=t-א=a,no,1,1,7,No", "go_to_folder=.", "read=t-ב=b,no,voice", log=log)
    caller = Caller(app, retain_values=True)
    caller.dial()
    caller.presses("1")
    assert log[-1]["a"] == ["1"]


def test_a_message_alone_leads_to_the_parent_extension() -> None:
    log: list[dict[str, list[str]]] = []
    caller = Caller(app_of("id_list_message=t-ביי", "read=t-ראשי=m,no,voice", log=log), extension="1")
    assert caller.dial() == "ביי ראשי"
    assert log[-1]["ApiExtension"] == [""]


def test_a_message_alone_at_the_root_ends_the_call() -> None:
    caller = Caller(app_of("id_list_message=t-ביי"))
    caller.dial()
    assert caller.ended


def test_end_goto_takes_precedence_over_the_parent_extension() -> None:
    caller = Caller(app_of("id_list_message=t-ביי"), extension="1/2", end_goto="hangup")
    caller.dial()
    assert caller.ended


def test_a_message_before_a_read_is_played_and_the_read_asked() -> None:
    caller = Caller(app_of("id_list_message=t-שלום.f-/8/x&read=t-מה=q,no,voice"))
    assert caller.dial() == "שלום f-/8/x מה"
    assert isinstance(list(caller.response)[-1], Read)


def test_speech_arrives_as_the_value_of_the_read() -> None:
    log: list[dict[str, list[str]]] = []
    caller = Caller(app_of("read=t-מה=q,no,voice", "go_to_folder=hangup", log=log))
    caller.dial()
    caller.says("אני רוצה פיצה")
    assert log[1]["q"] == ["אני רוצה פיצה"]


def test_keys_in_voice_mode_arrive_as_digits() -> None:
    log: list[dict[str, list[str]]] = []
    caller = Caller(app_of("read=t-מה=q,no,voice", "go_to_folder=hangup", log=log))
    caller.dial()
    caller.presses("12#")
    assert log[1]["q"] == ["Digits-12"]


def test_silence_in_voice_mode_arrives_as_an_empty_value() -> None:
    log: list[dict[str, list[str]]] = []
    caller = Caller(app_of("read=t-מה=q,no,voice", "go_to_folder=hangup", log=log))
    caller.dial()
    caller.silent()
    assert log[1]["q"] == [""]


def test_a_recording_arrives_as_its_path() -> None:
    log: list[dict[str, list[str]]] = []
    caller = Caller(app_of("read=t-מה=q,no,record,,,no", "go_to_folder=hangup", log=log))
    caller.dial()
    caller.records("/1/079.wav")
    assert log[1]["q"] == ["/1/079.wav"]


def test_a_recording_with_the_menu_is_sent_when_it_is_confirmed() -> None:
    log: list[dict[str, list[str]]] = []
    caller = Caller(app_of("read=t-מה=q,no,record", "go_to_folder=hangup", log=log))
    caller.dial()
    caller.records()
    assert len(log) == 1
    caller.presses("2")
    assert log[1]["q"] == ["/000.wav"]


def test_too_few_keys_are_refused_and_the_question_is_asked_again() -> None:
    caller = Caller(app_of("read=t-תאריך=d,no,8,4,7,No"))
    caller.dial()
    assert caller.presses("12#").startswith("M1035")
    assert caller.heard.endswith("תאריך")


def test_a_key_that_is_not_allowed_is_refused() -> None:
    caller = Caller(app_of("read=t-בחרו=d,no,1,1,7,No,,,,1.2"))
    caller.dial()
    assert caller.presses("7").startswith("M1224")


def test_after_silence_at_a_tap_read_the_question_is_asked_again() -> None:
    caller = Caller(app_of("read=t-בחרו=d,no,1,1,7,No,,,,,2"))
    caller.dial()
    assert caller.silent() == "בחרו M1002 לא הוקש דבר בחרו"


def test_silence_at_a_read_that_accepts_empty_input_sends_the_empty_value() -> None:
    log: list[dict[str, list[str]]] = []
    caller = Caller(app_of("read=t-בחרו=d,no,1,1,7,No,,,,,1,Ok,nil", "go_to_folder=hangup", log=log))
    caller.dial()
    caller.silent()
    assert log[1]["d"] == ["nil"]


@pytest.mark.slow
def test_a_poll_answers_itself() -> None:
    log: list[dict[str, list[str]]] = []
    poll = "read=t-רק רגע=w1,no,1,1,1,No,,,,,1,Ok,None,,no"
    caller = Caller(app_of(poll, "read=t-הנה=q,no,voice", log=log))
    assert caller.dial() == "רק רגע הנה"
    assert log[1]["w1"] == ["None"]


@pytest.mark.slow
def test_a_poll_waits_in_real_time_and_that_is_dead_air() -> None:
    poll = "read=t-רק רגע=w1,no,1,1,1,No,,,,,1,Ok,None,,no"
    caller = Caller(app_of(poll, "read=t-הנה=q,no,voice"))
    caller.dial()
    assert 1.0 <= caller.dead_air < 2.0


def test_a_server_that_only_lets_the_line_poll_is_stopped() -> None:
    caller = Caller(lambda _: "go_to_folder=.")
    with pytest.raises(EndlessLineError, match="go_to_folder=\\."):
        caller.dial()


def test_a_loop_is_explained_by_the_warnings_of_its_response() -> None:
    caller = Caller(lambda _: "go_to_folder=hangup ")
    with pytest.raises(EndlessLineError, match="write exactly hangup") as caught:
        caller.dial()
    assert len(caught.value.warnings) == 1


def test_a_poll_gets_the_key_of_an_interruption() -> None:
    log: list[dict[str, list[str]]] = []
    poll = "read=t-רגע=w1,no,1,1,1,No,,,,,1,Ok,None,,no"
    caller = Caller(app_of("read=t-מה=q,no,voice", poll, "go_to_folder=hangup", log=log))
    caller.dial()
    caller.interrupts("5")
    caller.says("שלום")
    assert log[2]["w1"] == ["5"]


def test_a_reusable_value_is_sent_again_without_a_question() -> None:
    log: list[dict[str, list[str]]] = []
    first, again = "read=t-א=a,no,1,1,7,No", "read=t-שוב=a,yes,1,1,7,No"
    caller = Caller(app_of(first, again, "read=t-ב=b,no,voice", log=log))
    caller.dial()
    caller.presses("1")
    assert [seen.get("a") for seen in log] == [None, ["1"], ["1"]]


def test_the_error_of_a_wrong_verb_says_what_the_line_waits_for() -> None:
    caller = Caller(app_of("read=t-בחרו=d,no,1,1,7,No"))
    caller.dial()
    with pytest.raises(WrongVerbError, match=r"waits for keys .*'d'.*presses"):
        caller.says("שלום")


def test_more_keys_than_the_read_accepts_are_an_error() -> None:
    caller = Caller(app_of("read=t-בחרו=d,no,1,1,7,No"))
    caller.dial()
    with pytest.raises(WrongVerbError, match="'23'"):
        caller.presses("123")


def test_says_before_dialling_raises() -> None:
    with pytest.raises(CallOverError, match="dial"):
        Caller(app_of()).says("שלום")


def test_says_after_the_end_of_the_call_raises() -> None:
    caller = Caller(app_of("go_to_folder=hangup"))
    caller.dial()
    with pytest.raises(CallOverError, match="the line hung up"):
        caller.says("שלום")


def test_a_hang_up_request_has_the_extension_of_the_caller() -> None:
    log: list[dict[str, list[str]]] = []
    caller = Caller(app_of("read=t-מה=q,no,voice", log=log), extension="3")
    caller.dial()
    caller.hangs_up()
    assert (log[-1]["hangup"], log[-1]["ApiHangupExtension"]) == (["yes"], ["/3"])


def test_a_hang_up_by_the_server_is_followed_by_a_hang_up_request() -> None:
    log: list[dict[str, list[str]]] = []
    Caller(app_of("go_to_folder=hangup", log=log)).dial()
    assert log[-1]["hangup"] == ["yes"]


def test_the_hang_up_request_after_the_servers_hang_up_can_be_switched_off() -> None:
    log: list[dict[str, list[str]]] = []
    Caller(app_of("go_to_folder=hangup", log=log), hangup_after_goto=False).dial()
    assert len(log) == 1


def test_a_caller_in_an_unknown_extension_has_left_and_may_hang_up() -> None:
    log: list[dict[str, list[str]]] = []
    caller = Caller(app_of("go_to_folder=/5", log=log), extension="3", extensions=frozenset({"3"}))
    caller.dial()
    assert caller.ended
    caller.hangs_up()
    assert (log[-1]["ApiExtension"], log[-1]["ApiHangupExtension"]) == (["3"], ["/5"])


def test_hanging_up_reaches_the_server_while_a_request_is_open() -> None:
    hung_up, asked = threading.Event(), threading.Event()

    def app(pairs: Pairs) -> str:
        values = dict(pairs)
        if "hangup" in values:
            hung_up.set()
            return "noop=ok"
        if "q" in values:
            asked.set()
            assert hung_up.wait(5)
            return "read=t-מאוחר=r,no,voice"
        return "read=t-מה=q,no,voice"

    caller = Caller(app)
    caller.dial()
    caller.interrupts(when=asked.is_set)
    assert caller.says("שלום") == ""
    assert caller.ended


def test_a_repeated_request_is_the_same_byte_for_byte() -> None:
    log: list[dict[str, list[str]]] = []
    caller = Caller(app_of("read=t-מה=q,no,voice", "read=t-מה=q,no,voice", log=log))
    caller.dial()
    caller.repeats()
    assert log[0] == log[1]


def test_an_invalid_response_raises_with_the_response_and_a_hint() -> None:
    caller = Caller(app_of("hangup=yes"))
    with pytest.raises(LineError, match=r"(?s)go_to_folder=hangup.*'hangup=yes'"):
        caller.dial()


def test_without_strict_an_invalid_response_is_m1607_and_leaves() -> None:
    caller = Caller(app_of("hangup=yes"), strict=False)
    assert caller.dial() == "M1607 אין מענה משרת API"
    assert caller.ended
    assert caller.problems[0].level == "error"


def test_an_exception_of_the_application_is_the_cause_of_the_error() -> None:
    def app(_: Pairs) -> str:
        raise KeyError("missing")

    with pytest.raises(LineError, match="KeyError") as caught:
        Caller(app).dial()
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_late_response_is_m1607() -> None:
    gate = threading.Event()

    def app(_: Pairs) -> str:
        gate.wait(5)
        return "read=t-מה=q,no,voice"

    caller = Caller(app, strict=False, server_timeout=0.05)
    assert caller.dial() == "M1607 אין מענה משרת API"
    gate.set()
    assert caller.problems[0].code == "late"


def test_a_line_without_a_link_plays_m1609_and_leaves() -> None:
    caller = Caller(None)
    assert caller.dial() == "M1609 לא מוגדר לינק"
    assert caller.ended


def test_requests_have_the_constants_and_not_the_omitted_parameters() -> None:
    log: list[dict[str, list[str]]] = []
    app = app_of("read=t-מה=q,no,voice", log=log)
    Caller(app, constants=(("secret", "s3"),), omitted=frozenset({"ApiPhone"})).dial()
    assert log[0]["secret"] == ["s3"]
    assert "ApiPhone" not in log[0]


def test_two_concurrent_callers_are_two_calls() -> None:
    both = threading.Barrier(2, timeout=5)

    def app(pairs: Pairs) -> str:
        if "q" not in dict(pairs):
            both.wait()
            return "read=t-מה=q,no,voice"
        return f"id_list_message=t-{dict(pairs)['q']}&go_to_folder=hangup"

    heard: dict[str, str] = {}

    def call(word: str) -> None:
        caller = Caller(app)
        caller.dial()
        heard[word] = caller.says(word)

    threads = [threading.Thread(target=call, args=(word,)) for word in ("אחת", "שתיים")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {"אחת": "אחת", "שתיים": "שתיים"}


def test_a_plain_yemot_flow_can_be_called() -> None:
    flow = yemot_flow.Flow()

    def root(call: yemot_flow.Call) -> None:
        call.goto("/3")

    flow.add_route("", root)

    caller = Caller(flow, extensions=frozenset({""}))
    caller.dial()
    assert isinstance(next(iter(caller.response)), GoToFolder)


def test_an_object_that_is_no_application_raises() -> None:
    with pytest.raises(AppError, match="no application"):
        Caller(42)


def test_the_transcript_reads_like_the_call() -> None:
    caller = Caller(app_of("read=t-מה שמך=q,no,voice", "id_list_message=t-שלום דוד&go_to_folder=hangup"))
    caller.dial()
    caller.says("דוד")
    assert str(caller.transcript).splitlines() == [
        "caller  dials /",
        "        -- /",
        "line    מה שמך",
        "caller  says דוד",
        "line    שלום דוד",
        "        -- the line hung up",
    ]
