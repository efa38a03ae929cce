from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yemot_ai.ext_ini import ext_ini
from yemot_ai.protocol import GoToFolder, Tap, Text
from yemot_ai_testing.line.platform.ext_ini import read_ext_ini, read_ivr_ini
from yemot_ai_testing.line.platform.ext_keys import (
    KEY_PATTERNS,
    KEYS,
    MENU_KEYS,
    PARAMETER_KEYS,
    UNDOCUMENTED,
    find_key,
)
from yemot_ai_testing.line.platform.extension import Extension
from yemot_ai_testing.line.platform.ini_file import decode_ini
from yemot_ai_testing.line.platform.unsimulated import MENU_SETTINGS, UNSIMULATED

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
        "ext.ini:3: unknown-key: 'api_hangup_sent' is not known as an official setting of an API extension; "
        "did you mean 'api_hangup_send'?"
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
        "api_end_goto=1//2",
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


def test_every_documented_key_is_known_and_no_undocumented_one_is() -> None:
    assert all(find_key(name) is key for name, key in KEYS.items())
    assert not any(find_key(name) for name in UNDOCUMENTED)
    assert [key.name for _, key in KEY_PATTERNS] == [
        "api_add_N",
        "muted_MNNNN",
        "api_NNN_key_K_say",
        "api_NNN",
        "api_answer_<word>[_N]",
        "read_answer_<param>_<value>",
    ]


_KEY = st.sampled_from(
    [
        *KEYS, *UNDOCUMENTED, "api_add_0", "api_000", "api_answer_OK", "read_answer_a_1", "x", "muted_M1002",
        "type(2030-10-27-00-14-22|menu)", "password",
    ]
)  # fmt: skip
_LINES = st.lists(st.one_of(st.text(), st.builds("{}={}".format, _KEY, st.text())))


@given(_LINES)
def test_reading_any_text_does_not_raise(lines: list[str]) -> None:
    result = read_ext_ini(API + "\n".join(lines))
    assert all(str(warning).startswith("ext.ini") for warning in result.warnings)


@given(st.binary())
def test_decoding_any_bytes_does_not_raise(raw: bytes) -> None:
    text, _ = decode_ini(raw, "ext.ini")
    read_ext_ini(text)


def test_a_question_without_an_audio_file_warns() -> None:
    text = f"{API}api_000=id,no,1,1,7,No"
    assert [warning.code for warning in read_ext_ini(text, files=frozenset({"001.wav"})).warnings] == [
        "no-audio"
    ]
    assert read_ext_ini(text, files=frozenset({"000.ogg"})).warnings == ()


GENERAL = ["rate=0", "title=x", "language=en", "global_folder_check=yes", "global_folder_share=/library"]


@pytest.mark.parametrize("line", [*GENERAL, "muted_M1002=yes", "messages_max=3", "say_first_one_time=yes"])
def test_official_general_settings_are_known(line: str) -> None:
    assert codes(line) == []


@pytest.mark.parametrize(
    "line",
    [
        "password=1234",
        "password_error_goto=/5",
        "white_list_folder=/1",
        "enter_id_type=phone",
        "check_api=yes",
        "mode_say_log=yes",
        "login_add_val_name=yes",
        "sms_text=שלום",
        "enter_foldar_end_time=2030-01-01-00-00-00",
    ],
)
def test_an_official_setting_that_is_not_simulated_has_a_note_off(line: str) -> None:
    (warning,) = read_ext_ini(API + line).warnings
    assert (warning.code, warning.is_note) == ("not-simulated", True)
    assert read_ext_ini(API + line).extension.notes == (warning,)


def test_settings_of_a_menu_are_known_in_a_menu_only() -> None:
    text = "digits=2\nM1001_say=yes\nomer_today_play=yes"
    (warning,) = read_ext_ini(f"type=menu\n{text}").warnings
    assert str(warning) == (
        "ext.ini:4: not-simulated: 'omer_today_play' is not simulated [OFF]: only M0000 and M1000 are heard"
    )
    assert codes(text) == ["unknown-key"] * 3


def test_no_setting_is_both_known_and_not_simulated() -> None:
    tables = (*UNSIMULATED, *MENU_SETTINGS)
    assert not [name for name in [*KEYS, *MENU_KEYS] for table in tables if table.pattern.fullmatch(name)]


@pytest.mark.parametrize(
    "key",
    [*KEYS, *sorted(UNDOCUMENTED), "api_add_0", "api_000", "api_answer_OK", "read_answer_a_1", "password"],
)
def test_an_empty_value_is_the_default_and_no_warning_off(key: str) -> None:
    base = {"type": "", "api_link": "type=api\n"}.get(key, API)
    without, empty = read_ext_ini(base), read_ext_ini(f"{base}{key}=")
    assert empty.extension == replace(without.extension, keys={**without.extension.keys, key: ""})
    assert [warning.code for warning in empty.warnings] == [warning.code for warning in without.warnings]


def test_an_empty_value_of_an_unknown_key_warns_only_if_a_known_key_is_similar() -> None:
    assert codes("api_hangup_sent=") == ["unknown-key"]
    assert codes("our_note=") == []


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("muted_m1002", "muted_MNNNN"),
        ("api_0", "api_NNN"),
        ("api_1000", "api_NNN"),
        ("api_000_key_12_say", "api_NNN_key_K_say"),
        ("api_add_01", "api_add_N"),
        ("API_LINK", "api_link"),
    ],
)
def test_the_known_key_that_is_similar_is_named(name: str, known: str) -> None:
    (warning,) = read_ext_ini(f"{API}{name}=x").warnings
    assert warning.message.endswith(f"; did you mean {known!r}?")


def test_two_numbers_of_a_constant_that_are_equal_lose_none_silently() -> None:
    text = "api_add_0=a=1\napi_add_00=b=2"
    assert (extension(text).constants, codes(text)) == ((("a", "1"),), ["unknown-key"])


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", f"{'0' * 5000}1"])
@pytest.mark.parametrize("key", ["messages_max", "digits"])
def test_a_count_that_is_none_warns_and_the_default_counts(key: str, value: str) -> None:
    result = read_ext_ini(f"type=menu\n{key}={value}")
    assert (result.extension.messages_max, result.extension.menu_digits) == (None, 1)
    (warning,) = result.warnings
    assert str(warning).endswith("has only a whole number from 1 here; the default counts")


@pytest.mark.parametrize("key", ["api_link", "api_hangup_link"])
@pytest.mark.parametrize("path", ["/שלום", "/a b", "/?name=דוד", "/<a>"])
def test_characters_of_a_link_that_are_encoded_warn(key: str, path: str) -> None:
    """[?] Whether a line encodes them is not known."""
    (warning,) = read_ext_ini(
        f"type=api\napi_url_post=yes\napi_link=http://a\n{key}=http://127.0.0.1{path}"
    ).warnings[-1:]
    assert (warning.code, "[?]" in warning.message) == ("link-characters", True)


@pytest.mark.parametrize("link", ["http://127.0.0.1:99999/", "ftp://a/", "/a", "http://", "http://a..b/"])
def test_a_link_that_cannot_be_called_warns(link: str) -> None:
    assert codes(f"api_hangup_link={link}") == ["value"]


@pytest.mark.parametrize("link", ["http://[::1]:8000/a%20b", "https://user:word@host/100%", "http://שלום/"])
def test_a_link_that_is_sent_as_it_is_does_not_warn(link: str) -> None:
    assert codes(f"api_hangup_link={link}") == ([] if link.isascii() else ["link-characters"])


@pytest.mark.parametrize("value", ["A,no,1,1,7,No,,,,,,Maybe", "A,no,1,1,7,Foo", "A,no,record,x,,,,,,,,7"])
def test_a_question_that_only_a_lenient_line_understands_is_kept_for_it(value: str) -> None:
    result = read_ext_ini(f"{API}api_000={value}")
    assert [question.lenient_only for question in result.extension.pre_questions] == [True]
    (warning,) = result.warnings
    assert warning.message.startswith(f"{value!r} is asked by a lenient line only: ")


@pytest.mark.parametrize("value", [",no", "A=b", "Api,no", "A,no,1,1&go_to_folder=/1"])
def test_a_question_with_a_wrong_structure_is_asked_by_no_line(value: str) -> None:
    result = read_ext_ini(f"{API}api_000={value}")
    assert result.extension.pre_questions == ()
    assert "cannot be asked" in result.warnings[0].message


def test_the_sound_of_a_key_without_its_question_warns() -> None:
    text = "api_000_key_2_say=100\napi_001=A,no,1,1,7,No\napi_001_key_2_say=100"
    assert [str(warning) for warning in read_ext_ini(API + text).warnings] == [
        "ext.ini:3: pre-question: there is no api_000 that it belongs to"
    ]


@pytest.mark.parametrize(
    ("value", "is_doubtful"),
    [
        ("HANGUP", True),
        ("/5/", True),
        ("/1&noop=x", True),
        ("hangup", False),
        ("../5", False),
        ("/שלוחה ראשית", False),
    ],
)
def test_a_doubtful_target_warns_as_in_a_response(value: str, is_doubtful: bool) -> None:  # noqa: FBT001 - parametrized
    assert codes(f"api_end_goto={value}") == (["value"] if is_doubtful else [])


def test_a_doubtful_action_of_an_answer_is_done_with_a_warning() -> None:
    text = "api_answer_OK=go_to_folder=HANGUP\nread_answer_a_1=id_list_message=f-1"
    assert list(extension(text).answers) == ["OK"]
    (warning,) = read_ext_ini(API + text).warnings
    assert str(warning).startswith("ext.ini:3: action: 'go_to_folder=HANGUP': target: 'HANGUP'; ")


def test_a_question_mark_in_the_link_of_hang_ups_warns_too() -> None:
    text = "api_hangup_link=http://127.0.0.1/end?a=b"
    assert codes(text) == ["second-question-mark"]
    assert codes(f"{text}\napi_url_post=yes") == []


def test_with_api_dir_the_recordings_of_questions_are_in_another_folder() -> None:
    text = f"{API}api_dir=/5\napi_000=id,no,1,1,7,No"
    assert read_ext_ini(text, files=frozenset()).warnings == ()


@pytest.mark.parametrize(
    ("text", "muted"),
    [
        ("muted_M1002=yes", {"M1002"}),
        ("muted_M1002=yes\nmuted_M1012=yes", {"M1002", "M1012"}),
        ("muted_messages=M1002,M1012\nmuted_M1012=no", {"M1002"}),
        ("muted_M1012=no\nmuted_messages=M1002,M1012", {"M1002"}),
        ("muted_M1002=no", set()),
        ("muted_messages=M1002\nmuted_M1002=", {"M1002"}),
    ],
)
def test_messages_are_muted_by_a_list_and_one_by_one_off(text: str, muted: set[str]) -> None:
    assert extension(text).muted == muted
    assert codes(text) == []


@pytest.mark.parametrize("line", ["muted_messages=M1002,M0000", "muted_M1000=yes"])
def test_muting_a_message_that_is_never_muted_warns_off(line: str) -> None:
    assert codes(line) == ["muted"]


def test_the_settings_of_an_extension_are_stronger_than_those_of_ivr_ini_off() -> None:
    common = read_ivr_ini("muted_messages=M1001,M1002\napi_say_tts=no\napi_end_goto=/5")
    own = read_ext_ini(f"{API}muted_M1001=no\napi_say_tts=yes\napi_end_goto=", common=common)
    assert own.extension.muted == {"M1002"}
    assert (own.extension.say_tts, own.extension.end_goto) == (True, None)
    assert own.warnings == ()
    other = read_ext_ini(API, common=common).extension
    assert other.muted == {"M1001", "M1002"}
    assert (other.say_tts, other.end_goto) == (False, "/5")


def test_a_setting_of_ivr_ini_that_is_not_simulated_has_a_note() -> None:
    ini = read_ivr_ini("start=min\napi_hangup_sent=no\npassword=1\ntimeout=2\ndigits=2")
    assert [(warning.line, warning.code) for warning in ini.warnings] == [
        (1, "not-simulated"),
        (2, "unknown-key"),
        (3, "not-simulated"),
        (4, "not-simulated"),
    ]
    assert read_ext_ini(API, common=ini).extension.notes == ini.warnings


@pytest.mark.parametrize("line", ["type=API", "type=Api"])
def test_a_type_in_upper_case_counts_and_warns(line: str) -> None:
    result = read_ext_ini(f"{line}\napi_link=http://127.0.0.1/yemot")
    assert result.extension.is_api
    assert [warning.code for warning in result.warnings] == ["value-case"]


@pytest.mark.parametrize(("value", "send"), [("No", False), ("NO", False), ("Yes", True)])
def test_yes_and_no_in_upper_case_count_and_warn(value: str, send: bool) -> None:  # noqa: FBT001
    assert extension(f"api_hangup_send={value}").hangup_send == send
    assert codes(f"api_hangup_send={value}") == ["value-case"]


def test_a_type_that_is_not_known_warns() -> None:
    (warning,) = read_ext_ini("type=palyfile").warnings
    assert (warning.code, warning.is_note) == ("unknown-type", False)
    assert "did you mean 'playfile'?" in warning.message


def test_a_known_type_that_is_not_simulated_has_a_note() -> None:
    result = read_ext_ini("type=record")
    assert result.warnings == ()
    assert [str(note).partition(" is ")[0] for note in result.extension.notes] == [
        "ext.ini:1: not-simulated: type=record"
    ]


@pytest.mark.parametrize(
    "line", ["", "type=\n", "type=menu\n", "TYPE=api\n", "type(2014-10-27-00-14-22)=api\n"]
)
def test_a_link_in_an_extension_that_asks_no_server_warns(line: str) -> None:
    result = read_ext_ini(f"{line}api_link=http://127.0.0.1/yemot")
    assert not result.extension.is_api
    assert "no-api" in [warning.code for warning in result.warnings]


def test_a_link_in_an_extension_of_another_type_may_have_its_own_use() -> None:
    assert (
        read_ext_ini("type=playfile\ncontrol_play1=send_api\napi_link=http://127.0.0.1/yemot").warnings == ()
    )
    assert "no-api" not in str(read_ext_ini("check_api=yes\napi_link=http://127.0.0.1/yemot").warnings)


def test_words_that_end_in_a_number_are_words_of_their_own() -> None:
    text = "api_answer_user_1=go_to_folder=/1\napi_answer_user_2=go_to_folder=/2"
    assert extension(text).answers == {"user_1": (GoToFolder("/1"),), "user_2": (GoToFolder("/2"),)}
    assert codes(text) == []


def test_a_setting_with_an_empty_value_is_no_word_without_a_number() -> None:
    text = "api_answer_user=\napi_answer_user_1=go_to_folder=/1"
    assert extension(text).answers == {"user_1": (GoToFolder("/1"),)}
    assert codes(text) == []


def test_numbered_actions_follow_the_word_without_a_number_off() -> None:
    text = (
        "api_answer_OK=id_list_message=t-א\napi_answer_OK_1=id_list_message=t-ב\n"
        "api_answer_OK_2=go_to_folder=/2\napi_answer_v_2=go_to_folder=/3"
    )
    answers = extension(text).answers
    assert [type(action).__name__ for action in answers["OK"]] == ["Play", "Play", "GoToFolder"]
    assert answers["v_2"] == (GoToFolder("/3"),)
    assert codes(text) == []


@pytest.mark.parametrize("number", ["2", "0", "01"])
def test_a_number_that_does_not_follow_warns_and_is_a_word(number: str) -> None:
    text = f"api_answer_OK=id_list_message=t-א\napi_answer_OK_{number}=go_to_folder=/2"
    answers = extension(text).answers
    assert (len(answers["OK"]), answers[f"OK_{number}"]) == (1, (GoToFolder("/2"),))
    assert codes(text) == ["answer-gap"]


def test_an_action_that_cannot_follow_warns_and_is_left_out_off() -> None:
    text = "api_answer_OK=go_to_folder=/1\napi_answer_OK_1=go_to_folder=/2"
    assert extension(text).answers["OK"] == (GoToFolder("/1"),)
    assert codes(text) == ["action"]


def test_continuations_of_a_message_must_follow_each_other_off() -> None:
    files = frozenset({"M0000.wav", "M0000-1.tts", "M0000-3.wav", "M1000-1.wav"})
    result = read_ext_ini(API, files=files)
    assert result.extension.message_files("M0000") == ("M0000", "M0000-1")
    assert result.extension.message_files("M1000") == ()
    assert [str(warning).partition(" is not")[0] for warning in result.warnings] == [
        "ext.ini: continuation: M0000-3",
        "ext.ini: continuation: M1000-1",
    ]


@pytest.mark.parametrize("kind", ["toplay_time", "playfile"])
def test_numbered_messages_of_another_type_may_have_another_use_off(kind: str) -> None:
    """[OFF] ``toplay_time`` plays ``M0000-2`` at the time of its setting 2, without ``M0000``."""
    assert read_ext_ini(f"type={kind}", files=frozenset({"M0000-2.wav"})).warnings == ()


@pytest.mark.parametrize(
    ("messages_max", "heard"),
    [
        ("3", ["", "-3", "-2", "-1"]),  # the example of the official text
        ("2", ["", "-2", "-1"]),
        ("9", ["", "-3", "-2", "-1"]),
        ("", ["", "-1", "-2", "-3"]),
        ("0", ["", "-1", "-2", "-3"]),
        ("x", ["", "-1", "-2", "-3"]),
    ],
)
def test_messages_max_turns_the_order_of_continuations_off(messages_max: str, heard: list[str]) -> None:
    files = frozenset({"M0000.wav", "M0000-1.wav", "M0000-2.wav", "M0000-3.wav"})
    settings = read_ext_ini(f"{API}messages_max={messages_max}", files=files).extension
    assert settings.message_files("M0000") == tuple(f"M0000{number}" for number in heard)
