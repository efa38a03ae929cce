from __future__ import annotations

from typing import Any

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow


def rendered_fields(flow: AIFlow, line: Line, **options: Any) -> str:  # noqa: ANN401 - read's own
    @flow.get("7")
    def handler(call: AICall) -> None:
        call.read("מה", val_name="x", **options)

    return line.enter("7").removeprefix("read=t-מה=x,")


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
    ("options", "message"),
    [
        ({"allow_empty": "yes"}, "'yes' is neither True nor False, nor the line's 'Ok'"),
        ({"re_enter_if_exists": "Ok"}, "'Ok' is neither True nor False, nor the line's 'yes'"),
        ({"max_digits": "many"}, "'many' is not a whole number"),
        ({"mode": "stt", "amount_attempts": "few"}, "'few' is not a whole number"),
    ],
    ids=["word", "other-word", "number", "times"],
)
def test_a_word_that_the_line_does_not_know_is_refused(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture, options: dict[str, Any], message: str
) -> None:
    assert "תקלה" in rendered_fields(flow, line, **options)
    assert message in caplog.text
