from __future__ import annotations

from typing import Any

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, AsyncAICall


def rendered_fields(flow: AIFlow, line: Line, **options: Any) -> str:  # noqa: ANN401 - read's own
    @flow.get("7")
    def handler(call: AICall) -> None:
        call.read("מה", **{"val_name": "x", **options})

    return line.enter("7").removeprefix("read=t-מה=x,").removeprefix("read=t-מה=Digits,")


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({"allow_empty": "Ok"}, "no,,1,7,No,,,,,,Ok,None,,no"),
        ({"allow_empty": "no"}, "no,,1,7,No,,,,,,,None,,no"),
        (
            {"block_change_keyboard": "InsertLettersTypeChangeNo"},
            "no,,1,7,No,,,,,,,None,InsertLettersTypeChangeNo,no",
        ),
        ({"block_asterisk_key": "yes", "block_zero_key": "yes"}, "no,,1,7,No,yes,yes,,,,,None,,no"),
        ({"re_enter_if_exists": "yes"}, "yes,,1,7,No,,,,,,,None,,no"),
        ({"typing_playback_mode": "NO", "replace_char": ""}, "no,,1,7,No,,,,,,,None,,no"),
        ({"max_digits": "*", "min_digits": "2", "sec_wait": "9"}, "no,,2,9,No,,,,,,,None,,no"),
        ({"sec_wait": ""}, "no,,1,7,No,,,,,,,None,,no"),
        ({"amount_attempts": "2", "empty_val": ""}, "no,,1,7,No,,,,,2,,None,,no"),
        ({"mode": "stt", "block_typing": ""}, "no,voice"),
        ({"mode": "stt", "block_typing": "no"}, "no,voice,,no"),
        ({"mode": "stt", "use_records_recognition_engine": "record"}, "no,voice,,,,record"),
        (
            {"mode": "stt", "use_records_recognition_engine": True, "quiet_max": 3, "length_max": 20},
            "no,voice,,,,record,3,20",
        ),
        ({"mode": "record", "no_confirm_menu": "no", "min_length": ""}, "no,record,,,no"),
        ({"mode": "record", "no_confirm_menu": "", "save_on_hangup": "yes"}, "no,record,,,,yes"),
        ({"remove_invalid_chars": True, "url_encode": True}, "no,,1,7,No,,,,,,,None,,no"),
        ({"allow_empty": " yes ", "block_zero_key": " "}, "no,,1,7,No,,,,,,Ok,None,,no"),
        ({"allow_empty": "yes", "confirm": "no"}, "no,,1,7,No,,,,,,Ok,None,,no"),
        ({"block_asterisk_key": "True", "block_zero_key": "False"}, "no,,1,7,No,yes,,,,,,None,,no"),
        ({"block_asterisk_key": 1, "block_zero_key": 0}, "no,,1,7,No,yes,,,,,,None,,no"),
        ({"typing_playback_mode": "number"}, "no,,1,7,Number,,,,,,,None,,no"),
        ({"digits_allowed": "1,2,3"}, "no,,1,7,No,,,,123,,,None,,no"),
        ({"digits_allowed": 12}, "no,,1,7,No,,,,12,,,None,,no"),
        ({"digits_allowed": "123.456"}, "no,,1,7,No,,,,123.456,,,None,,no"),
        ({"digits_allowed": range(1, 4)}, "no,,1,7,No,,,,123,,,None,,no"),
        ({"digits_allowed": None, "replace_char": None, "empty_val": None}, "no,,1,7,No,,,,,,,None,,no"),
        ({"replace_char": "*/"}, "no,,1,7,No,,,*/,,,,None,,no"),
        ({"empty_val": 0}, "no,,1,7,No,,,,,,,0,,no"),
        ({"sec_wait": 3.0}, "no,,1,3,No,,,,,,,None,,no"),
        ({"mode": "stt", "lang": "he_IL"}, "no,voice,he-IL"),
        ({"mode": "stt", "lang": None}, "no,voice"),
        ({"mode": "STT"}, "no,voice"),
        ({"val_name": "hangup_reason"}, "read=t-מה=hangup_reason,no,,1,7,No,,,,,,,None,,no"),
        ({"mode": None, "val_name": None}, "no,,1,7,No,,,,,,,None,,no"),
        ({"max_digits": 2**53 + 1}, "no,9007199254740993,1,7,No,,,,,,,None,,no"),
        ({"max_digits": "100000000000000000001"}, "no,100000000000000000001,1,7,No,,,,,,,None,,no"),
        ({"mode": "record", "path": "/recordings/"}, "no,record,/recordings"),
        ({"mode": "record", "path": "ivr2:/1/2"}, "no,record,/1/2"),
        ({"mode": "record", "path": None, "file_name": None}, "no,record"),
        ({"mode": "record", "file_name": "message_1.wav"}, "no,record,,message_1"),
        ({"mode": "record", "path": "/1\u200f", "file_name": " "}, "no,record,/1"),
    ],
    ids=lambda value: (
        "-".join(f"{name}={one}" for name, one in value.items()) if isinstance(value, dict) else ""
    ),
)
def test_a_text_argument_is_the_word_of_the_line(
    flow: AIFlow, line: Line, options: dict[str, Any], fields: str
) -> None:
    assert rendered_fields(flow, line, **options) == fields


@pytest.mark.parametrize(
    ("options", "fields", "warning"),
    [
        ({"replace_char": "#"}, "no,,1,7,No,,,,,,,None,,no", "(replace_char='#') replaces nothing"),
        ({"replace_char": "*/x"}, "no,,1,7,No,,,,,,,None,,no", "(replace_char='*/x') replaces nothing"),
        ({"sec_wait": 2.5}, "no,,1,2,No,,,,,,,None,,no", "(sec_wait=2.5) is not a whole number; 2 is sent"),
        ({"sec_wait": "2.5"}, "no,,1,2,No,,,,,,,None,,no", "(sec_wait='2.5') is not a whole number; 2 is"),
        ({"sec_wait": 0.5}, "no,,1,1,No,,,,,,,None,,no", "(sec_wait=0.5) is not a whole number; 1 is sent"),
        ({"max_digits": True}, "no,1,1,7,No,,,,,,,None,,no", "(max_digits=True) is not a whole number; 1 is"),
        ({"max_digits": False}, "no,,1,7,No,,,,,,,None,,no", "(max_digits=False) is less than 1; the line's"),
        ({"max_digits": 0}, "no,,1,7,No,,,,,,,None,,no", "(max_digits=0) is less than 1; the line's default"),
        ({"max_digits": -1}, "no,,1,7,No,,,,,,,None,,no", "(max_digits=-1) is less than 1"),
        ({"amount_attempts": "0"}, "no,,1,7,No,,,,,,,None,,no", "(amount_attempts='0') is less than 1"),
        ({"mode": "record", "max_length": 29.9}, "no,record,,,,,,,29", "(max_length=29.9) is not a whole"),
        ({"mode": "record", "path": "messages"}, "no,record,/messages", "'messages') is no folder from the"),
        ({"mode": "record", "path": "a/b/"}, "no,record,/a/b", "'a/b/') is no folder from the root; '/a/b'"),
        ({"mode": "record", "path": "/"}, "no,record", "(path='/') names no folder"),
        ({"mode": "record", "path": "."}, "no,record", "(path='.') names no folder"),
        ({"mode": "record", "path": "../x"}, "no,record,/x", "(path='../x') is no folder from the root"),
        ({"mode": "record", "path": "//1//2"}, "no,record,/1/2", "(path='//1//2') is no folder from"),
        ({"mode": "stt", "quiet_max": 3, "length_max": 10}, "no,voice", "(quiet_max=, max_length=) has no"),
        (
            {"max_digit": 1},
            "no,,1,7,No,,,,,,,None,,no",
            "no option 'max_digit', which is ignored; did you mean",
        ),
        ({"block_asterisk": True}, "no,,1,7,No,,,,,,,None,,no", "did you mean 'block_asterisk_key'?"),
    ],
    ids=str,
)
def test_a_value_that_the_line_does_not_take_is_changed_with_a_warning(  # noqa: PLR0913, PLR0917 - a row
    flow: AIFlow,
    line: Line,
    caplog: pytest.LogCaptureFixture,
    options: dict[str, Any],
    fields: str,
    warning: str,
) -> None:
    assert rendered_fields(flow, line, **options) == fields
    assert warning in caplog.text


def test_a_warning_names_the_line_of_the_handler_once(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    @flow.get("7")
    def handler(call: AICall) -> None:
        call.read("מה", val_name="x", sec_wait=1.5)
        call.read("מה", val_name="y", sec_wait=1.5)

    for caller in (line, Line(flow, "c2")):
        caller.enter("7")
        caller.gives("1")

    first = handler.__code__.co_firstlineno + 2
    places = [record.getMessage().partition(": call.read(")[0] for record in caplog.records]
    assert places == [f"{__file__}:{first}", f"{__file__}:{first + 1}"]


def test_a_warning_names_the_line_of_an_async_handler(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    @flow.get("7")
    async def handler(call: AsyncAICall) -> None:
        await call.play_message([("digits", "")])
        await call.read("מה", val_name="x", sec_wait=1.5)

    line.enter("7")

    first = handler.__code__.co_firstlineno + 2
    places = [record.getMessage().partition(": ")[0] for record in caplog.records]
    assert places == [f"{__file__}:{first}", f"{__file__}:{first + 1}"]


def test_a_name_that_the_line_cannot_send_is_changed_for_the_line_only(flow: AIFlow, line: Line) -> None:
    @flow.get("7")
    def handler(call: AICall) -> None:
        call.read("מה", val_name="user.input")
        call.play_message(call.params["user.input"])

    assert line.enter("7").startswith("read=t-מה=user_input,no,")
    assert line.gives("5") == "id_list_message=t-5"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"allow_empty": "maybe"}, "(allow_empty='maybe') is neither True nor False, nor the line's 'Ok'"),
        ({"re_enter_if_exists": "Ok"}, "'Ok') is neither True nor False, nor the line's 'yes'"),
        ({"max_digits": "many"}, "(max_digits='many') is not a whole number"),
        ({"max_digits": float("inf")}, "(max_digits=inf) is not a whole number"),
        ({"sec_wait": [7]}, "(sec_wait=[7]) is not a whole number"),
        ({"sec_wait": "nan"}, "(sec_wait='nan') is not a whole number"),
        ({"mode": "stt", "amount_attempts": "few"}, "(amount_attempts='few') is not a whole number"),
        ({"mode": "listen"}, "no read mode 'listen'"),
        ({"typing_playback_mode": True}, "keyboard: 'True' is not one of"),
        ({"typing_playback_mode": ["Date"]}, "['Date'] is a list"),
        ({"replace_char": ("*", "/")}, "('*', '/') is a tuple"),
        ({"digits_allowed": {"1": "a"}}, "{'1': 'a'} is a dict"),
        ({"digits_allowed": b"12"}, "b'12' is a bytes"),
        ({"digits_allowed": [1, [2]]}, "[2] is a list"),
        ({"empty_val": ["x"]}, "['x'] is a list"),
        ({"block_zero_key": {"a": 1}}, "(block_zero_key={'a': 1}) is neither True nor False"),
        ({"mode": "stt", "lang": ["he"]}, "['he'] is a list"),
        ({"mode": "record", "path": {"folder": "/1"}}, "{'folder': '/1'} is a dict"),
        ({"mode": "record", "file_name": b"x"}, "b'x' is a bytes"),
        ({"val_name": ["a"]}, "['a'] is a list"),
        ({"val_name": "ApiPhone"}, "ApiPhone"),
        ({"val_name": "hangup"}, "hangup"),
    ],
    ids=str,
)
def test_a_word_that_the_line_does_not_know_is_refused(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture, options: dict[str, Any], message: str
) -> None:
    assert "תקלה" in rendered_fields(flow, line, **options)
    assert message in caplog.text
