from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yemot_ai.cli import ext_ini
from yemot_ai.protocol import GoToFolder, Tap, Text
from yemot_ai_testing.line.platform.ext_ini import decode_ext_ini, read_ext_ini
from yemot_ai_testing.line.platform.ext_keys import (
    KEY_PATTERNS,
    KEYS,
    PARAMETER_KEYS,
    UNDOCUMENTED,
    canonical_name,
)
from yemot_ai_testing.line.platform.extension import Extension

API = "type=api\napi_link=http://127.0.0.1/yemot\n"


def extension(text: str) -> Extension:
    return read_ext_ini(API + text).extension


def codes(text: str) -> list[str]:
    return [warning.code for warning in read_ext_ini(API + text).warnings]


def test_the_settings_that_the_command_prints_are_read_without_a_warning() -> None:
    result = read_ext_ini(ext_ini("https://line.example.com/yemot"))
    assert result.warnings == ()
    assert (result.extension.method, result.extension.say_tts) == ("POST", False)
    assert result.extension.waiting_music == ""


def test_missing_settings_have_the_defaults_of_the_platform() -> None:
    assert extension("") == Extension(
        link="http://127.0.0.1/yemot", keys={"type": "api", "api_link": "http://127.0.0.1/yemot"}
    )


def test_a_byte_order_mark_crlf_comments_and_empty_lines_are_ignored() -> None:
    text = "\ufeff; a comment\r\n\r\n type = api \r\napi_link=http://127.0.0.1/yemot\r\n"
    result = read_ext_ini(text)
    assert (result.extension.link, result.warnings) == ("http://127.0.0.1/yemot", ())


def test_the_last_of_repeated_keys_counts_and_warns() -> None:
    text = "api_say_tts=no\napi_say_tts=yes"
    assert extension(text).say_tts
    assert codes(text) == ["repeated-key"]


def test_a_line_without_a_setting_warns() -> None:
    assert codes("api_say_tts no\n[api]") == ["no-setting", "no-setting"]


def test_the_warning_of_an_unknown_key_suggests_a_similar_one() -> None:
    (warning,) = read_ext_ini(f"{API}api_hangup_sent=no").warnings
    assert str(warning) == (
        "ext.ini:3: unknown-key: there is no setting 'api_hangup_sent'; did you mean 'api_hangup_send'?"
    )


@pytest.mark.parametrize("key", sorted(UNDOCUMENTED))
def test_an_undocumented_key_warns(key: str) -> None:
    assert codes(f"{key}=5") == ["undocumented-key"]


@pytest.mark.parametrize(
    "line",
    [
        "api_url_post=on",
        "api_link=yemot",
        "api_link=http://[::1",
        "api_dir=5/6",
        "tts_rate=fast",
        "muted_messages=1012",
        "api_end_goto=a b",
        "api_add_0=secret",
    ],
)
def test_a_value_that_is_not_allowed_warns(line: str) -> None:
    assert "value" in codes(line)


def test_a_comment_after_a_value_is_part_of_the_value_and_warns() -> None:
    assert set(codes("api_say_tts=no ; quiet")) == {"value", "comment-in-value"}


def test_a_query_in_a_link_called_with_get_warns() -> None:
    link = "api_link=http://127.0.0.1/yemot?secret=x"
    assert "second-question-mark" in [warning.code for warning in read_ext_ini(f"type=api\n{link}").warnings]
    assert read_ext_ini(f"type=api\n{link}\napi_url_post=yes").warnings == ()


def test_a_missing_link_warns() -> None:
    assert [warning.code for warning in read_ext_ini("type=api").warnings] == ["no-link"]


def test_constants_are_sent_up_to_the_first_gap_in_their_numbers() -> None:
    text = "api_add_0=a=1\napi_add_1=b=x=y\napi_add_3=d=4"
    assert extension(text).constants == (("a", "1"), ("b", "x=y"))
    assert codes(text) == ["api-add-gap"]


def test_constants_cannot_have_the_names_of_line_parameters() -> None:
    text = "api_add_0=ApiPhone=1\napi_add_1=b=2"
    assert extension(text).constants == (("b", "2"),)
    assert codes(text) == ["api-add-name"]


def test_constants_are_ordered_by_number() -> None:
    text = "\n".join(f"api_add_{number}=n{number}=v" for number in range(11))
    assert [name for name, _ in extension(text).constants] == [f"n{number}" for number in range(11)]


@pytest.mark.parametrize(("key", "parameter"), PARAMETER_KEYS.items())
def test_each_parameter_of_the_line_can_be_switched_off(key: str, parameter: str) -> None:
    assert extension(f"{key}=no").omitted == {parameter}
    assert extension(f"{key}=yes").omitted == frozenset()


def test_a_question_before_the_first_request_has_the_fields_of_any_read() -> None:
    (question,) = extension("api_000=ID,yes,5,4,50,Number,yes,no,*/,\napi_000_key_2_say=100").pre_questions
    assert (question.number, question.key_sounds) == ("000", (("2", "100"),))
    assert (question.read.name, question.read.reuse) == ("ID", True)
    assert isinstance(question.read.mode, Tap)
    assert (question.read.mode.max_digits, question.read.mode.replace) == (5, "*/")


def test_a_question_that_cannot_be_asked_warns() -> None:
    assert codes("api_000=Api") == ["pre-question"]
    assert extension("api_000=Api").pre_questions == ()


def test_actions_after_a_bare_word_are_ordered_by_number() -> None:
    text = "api_answer_OK_1=go_to_folder=/2\napi_answer_OK=id_list_message=t-תודה"
    play, go = extension(text).answers["OK"]
    assert getattr(play, "messages", None) == (Text("תודה"),)
    assert go == GoToFolder("/2")


@pytest.mark.parametrize("action", ["OK", "hangup=yes", "read=t-א"])
def test_an_invalid_action_after_a_bare_word_warns(action: str) -> None:
    assert codes(f"api_answer_OK={action}") == ["action"]
    assert extension(f"api_answer_OK={action}").answers == {}


def test_a_local_answer_is_stored_by_name_and_value() -> None:
    assert extension("read_answer_menu_1_0=go_to_folder=/").local_answers == {"menu_1_0": (GoToFolder("/"),)}


def test_the_settings_of_a_folder_of_another_type_are_not_checked() -> None:
    result = read_ext_ini("type=playfile\ncontrol_play9=x")
    assert (result.extension.kind, result.extension.is_api, result.warnings) == ("playfile", False, ())


def test_a_file_that_is_not_utf8_is_decoded_with_a_warning() -> None:
    text, (warning,) = decode_ext_ini(f"{API}lang=עברית".encode("windows-1255"), "1/ext.ini")
    assert text == f"{API}lang=עברית"
    assert str(warning).startswith("1/ext.ini: not-utf8: byte ")


def test_every_documented_key_is_known_and_no_undocumented_one_is() -> None:
    assert all(canonical_name(name) == name for name in KEYS)
    assert not any(canonical_name(name) for name in UNDOCUMENTED)
    assert [key.name for _, key in KEY_PATTERNS] == [
        "api_add_N",
        "api_NNN_key_K_say",
        "api_NNN",
        "api_answer_<word>[_N]",
        "read_answer_<param>_<value>",
    ]


_KEY = st.sampled_from(
    [*KEYS, *UNDOCUMENTED, "api_add_0", "api_000", "api_answer_OK", "read_answer_a_1", "x"]
)
_LINES = st.lists(st.one_of(st.text(), st.builds("{}={}".format, _KEY, st.text())))


@given(_LINES)
def test_reading_any_text_does_not_raise(lines: list[str]) -> None:
    result = read_ext_ini(API + "\n".join(lines))
    assert all(str(warning).startswith("ext.ini") for warning in result.warnings)


@given(st.binary())
def test_decoding_any_bytes_does_not_raise(raw: bytes) -> None:
    text, _ = decode_ext_ini(raw, "ext.ini")
    read_ext_ini(text)


def test_a_question_without_an_audio_file_warns() -> None:
    text = f"{API}api_000=id,no,1,1,7,No"
    assert [warning.code for warning in read_ext_ini(text, files=frozenset({"001.wav"})).warnings] == [
        "no-audio"
    ]
    assert read_ext_ini(text, files=frozenset({"000.ogg"})).warnings == ()
