"""Field 6 of a read, the keyboard, with the fields that count beside it; and the sounds of pre-questions."""

from __future__ import annotations

import pytest

from tests.line.apps import ASK, BYE, Script, dialled
from yemot_ai.protocol import lint
from yemot_ai.protocol.read_modes import KEYBOARD_LENGTHS
from yemot_ai_testing import Caller, Line
from yemot_ai_testing.errors import WrongVerbError
from yemot_ai_testing.line.platform.ext_ini import read_ext_ini
from yemot_ai_testing.line.platform.extension import Extension
from yemot_ai_testing.line.platform.tree import ExtensionTree

TOO_FEW, WRONG, NO_STAR, NO_ZERO = "M1035", "M1224", "M1368", "M1625"
LINK = "http://127.0.0.1:1/a"


def read(keyboard: str, limits: str = "10,1", rest: str = ",,,,") -> str:
    """Return a read without confirmation; ``rest`` are the fields 7 to 11."""
    return f"read=t-הקישו=x,no,{limits},7,{keyboard},{rest},,None,,no"


def result(response: str, keys: str) -> str:
    """Return the value that the server gets, or the system message that the caller hears."""
    app = Script(response, BYE)
    caller = dialled(app)
    heard = caller.presses(keys)
    return app.newest("x")[0] if len(app.sent) > 1 else heard.split()[0]


def line(app: object, *settings: str, files: str = "000", **folders: str) -> Line:
    """Return a line of one extension; ``folders`` are those in it, with the names of their files."""
    text = "\n".join(["type=api", f"api_link={LINK}", *settings])
    root = read_ext_ini(text, files=frozenset(f"{stem}.wav" for stem in files.split())).extension
    inside = {
        name: Extension(kind="menu", files=frozenset(f"{stem}.wav" for stem in stems.split()))
        for name, stems in folders.items()
    }
    return Line(ExtensionTree({"": root, **inside}), servers={LINK: app})


# -- fields 3 and 4


@pytest.mark.parametrize(
    ("keyboard", "limits", "keys", "expected"),
    [
        pytest.param("Phone", "10,10", "021234567#", TOO_FEW, id="Phone 10,10: nine digits [OFF]"),
        pytest.param("Phone", "10,9", "021234567#", "021234567", id="Phone 10,9: nine digits [OFF]"),
        pytest.param("Phone", "10,9", "0501234567", "0501234567", id="Phone 10,9: ten digits [OFF]"),
        pytest.param("TeudatZehut", "9,9", "12345674#", TOO_FEW, id="TeudatZehut 9,9: eight digits [OFF]"),
        pytest.param("TeudatZehut", "9,8", "1234567#", TOO_FEW, id="TeudatZehut 9,8: seven digits [OFF]"),
        pytest.param("Date", "6,6", "010126", "010126", id="Date 6,6 [OFF], its form [?]"),
        pytest.param("Date", "8,8", "0101202#", TOO_FEW, id="Date 8,8: seven digits [OFF]"),
        pytest.param("Date", "8,8", "01012026", "01-01-2026", id="Date 8,8 [LIVE]"),
        pytest.param("Date", ",1", "1#", "1", id="Date without limits [?]"),
        pytest.param("Date", "8,8", "0101*026", "0101*026", id="Date with a star [?]"),
        pytest.param("Time", "4,4", "1*30", "1*30", id="Time with a star [?]"),
        pytest.param("Time", "3,3", "930", "930", id="Time 3,3 [OFF], its form [?]"),
        pytest.param("Time", "8,8", "12345678", "12345678", id="Time 8,8 [OFF], its form [?]"),
        pytest.param("Time", "4,4", "103#", TOO_FEW, id="Time 4,4: three digits [OFF]"),
        pytest.param("Time", "4,4", "1030", "10-30", id="Time 4,4 [LIVE]"),
        pytest.param("HebrewDate", "8,6", "150457#", "150457", id="HebrewDate 8,6 [OFF]"),
        pytest.param("HebrewDate", "8,8", "1504578#", TOO_FEW, id="HebrewDate 8,8: seven digits [OFF]"),
        pytest.param("Number", "4,4", "12#", TOO_FEW, id="Number [OFF]"),
        pytest.param("Digits", "4,2", "12#", "12", id="Digits [OFF]"),
        pytest.param("Price", "5,4", "1*5#", TOO_FEW, id="Price [OFF]"),
        pytest.param("Price", "5,4", "12*5#", "12.5", id="Price with a point [OFF]"),
        pytest.param("No", "4,4", "12#", TOO_FEW, id="No [OFF]"),
        pytest.param("File", "3,3", "12#", TOO_FEW, id="File [OFF]"),
        pytest.param("TTS", "3,3", "12#", TOO_FEW, id="TTS [OFF]"),
        pytest.param("Alpha", "4,4", "12#", TOO_FEW, id="Alpha is a way of playing [OFF]"),
        pytest.param("Alpha", "4,4", "1234", "1234", id="Alpha with enough digits [OFF]"),
        pytest.param("DigitsKeyboard", "4,4", "12#", "12", id="DigitsKeyboard has no minimum [OFF]"),
        pytest.param("DigitsKeyboard", "4,4", "123456#", "123456", id="DigitsKeyboard has no maximum [OFF]"),
        pytest.param("HebrewKeyboard", "4,4", "דוד#", "דוד", id="HebrewKeyboard [?]"),
    ],
)
def test_fields_3_and_4_count_with_every_keyboard_that_has_limits(
    keyboard: str, limits: str, keys: str, expected: str
) -> None:
    assert result(read(keyboard, limits), keys) == expected


@pytest.mark.parametrize("keyboard", ["Number", "Date", "Phone", "Alpha"])
def test_more_keys_than_the_maximum_are_an_error(keyboard: str) -> None:
    caller = dialled(Script(read(keyboard, "3,1")))
    with pytest.raises(WrongVerbError, match="'4'"):
        caller.presses("1234")


@pytest.mark.parametrize("keyboard", KEYBOARD_LENGTHS)
def test_limits_that_do_not_fit_the_keyboard_are_a_warning_and_the_line_continues(keyboard: str) -> None:
    caller = dialled(Script(read(keyboard, "3,2")))
    assert caller.heard == "הקישו"
    assert [(problem.level, problem.code) for problem in caller.problems] == [("warning", "keyboard-length")]


@pytest.mark.parametrize(
    ("keyboard", "limits", "fits"),
    [
        ("Time", "4,4", True),
        ("Time", ",4", False),
        ("Time", "4,1", False),
        ("Date", "8,8", True),
        ("TeudatZehut", "9,8", True),
        ("TeudatZehut", "9,9", True),
        ("TeudatZehut", "10,8", False),
        ("Phone", "10,9", True),
        ("Phone", "10,10", True),
        ("Phone", "10,8", False),
        ("Number", ",1", True),
        ("DigitsKeyboard", "4,4", True),
    ],
)
def test_the_lint_says_which_limits_fit_a_keyboard(keyboard: str, limits: str, fits: bool) -> None:  # noqa: FBT001 - parametrized
    codes = [problem.code for problem in lint(read(keyboard, limits))]
    assert codes == ([] if fits else ["keyboard-length"])


# -- numbers that must be valid


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("123456782", "123456782"),
        ("123456789", WRONG),
        ("000000018", "000000018"),
        ("00000018#", "00000018"),
        ("12345674#", "12345674"),
        ("12345678#", WRONG),
        ("1234567*2", WRONG),
        ("*********", WRONG),
    ],
)
def test_only_an_identity_number_with_a_fitting_last_digit_is_taken(keys: str, expected: str) -> None:
    """[OFF] for the rule; that M1224 is said [?]."""
    assert result(read("TeudatZehut", "9,8"), keys) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("0501234567", "0501234567"),
        ("0721234567", "0721234567"),
        ("031234567#", "031234567"),
        ("9999999999", WRONG),
        ("999999999#", WRONG),
        ("1234567890", WRONG),
        ("050123456#", WRONG),
        ("0212345678", WRONG),
        ("0012345678", WRONG),
        ("05012*4567", WRONG),
    ],
)
def test_only_a_whole_israeli_phone_number_is_taken(keys: str, expected: str) -> None:
    """[OFF] for the rule; that M1224 is said [?]."""
    assert result(read("Phone", "10,9"), keys) == expected


@pytest.mark.parametrize(
    ("keyboard", "limits", "keys", "sent"),
    [
        ("Date", "8,8", "31022026", "31-02-2026"),
        ("Time", "4,4", "2460", "24-60"),
        ("HebrewDate", "8,8", "99999999", "99999999"),
    ],
)
def test_dates_and_times_are_not_checked(keyboard: str, limits: str, keys: str, sent: str) -> None:
    """[?] The official text promises validity of identity and phone numbers only."""
    assert result(read(keyboard, limits), keys) == sent


@pytest.mark.parametrize(
    ("keyboard", "limits", "keys"), [("Phone", "10,9", "123#"), ("TeudatZehut", "9,8", "1#")]
)
def test_a_number_that_is_too_short_is_met_with_the_message_of_field_4(
    keyboard: str, limits: str, keys: str
) -> None:
    assert result(read(keyboard, limits), keys) == TOO_FEW


def test_a_number_that_is_not_taken_is_asked_for_again() -> None:
    app = Script(read("Phone", "10,9"), BYE)
    caller = dialled(app)
    assert caller.presses("9999999999").endswith("הקישו")
    caller.presses("0501234567")
    assert app.newest("x") == ["0501234567"]


# -- digits and letters


@pytest.mark.parametrize("keyboard", ["Alpha", "DigitsKeyboard"])
@pytest.mark.parametrize(
    ("rest", "keys", "expected"),
    [
        ("yes,,,,", "1*#", NO_STAR),
        (",yes,,,", "00#", NO_ZERO),
        (",,*/,,", "1*2#", "1/2"),
        (",,,12,", "3#", WRONG),
        (",,,12,", "21#", "21"),
        (",,,11.22,", "22#", "22"),
    ],
)
def test_fields_7_to_10_count_with_keyboards_that_type_digits(
    keyboard: str, rest: str, keys: str, expected: str
) -> None:
    assert result(read(keyboard, rest=rest), keys) == expected


@pytest.mark.parametrize("keyboard", ["Alpha", "DigitsKeyboard", "Number", "TTS"])
def test_letters_cannot_be_typed_without_a_letter_keyboard(keyboard: str) -> None:
    caller = dialled(Script(read(keyboard)))
    with pytest.raises(WrongVerbError, match="no letter keyboard is open"):
        caller.presses("דוד")


@pytest.mark.parametrize(
    "keyboard", ["HebrewKeyboard", "EnglishKeyboard", "EmailKeyboard", "GetMail", "DigitsKeyboard"]
)
def test_a_keyboard_with_languages_can_be_changed(keyboard: str) -> None:
    app = Script(read(keyboard), BYE)
    caller = dialled(app)
    assert caller.changes_keyboard() == "הקישו"
    caller.presses("דוד2#")
    assert app.newest("x") == ["דוד2"]


def test_field_14_locks_the_keyboard_of_digits() -> None:
    caller = dialled(Script("read=t-הקישו=x,no,,,7,DigitsKeyboard,,,,,,,,InsertLettersTypeChangeNo,no"))
    assert caller.changes_keyboard().startswith("M4186")
    with pytest.raises(WrongVerbError):
        caller.presses("דוד")


@pytest.mark.parametrize("keyboard", ["Alpha", "Number", "No", "Phone"])
def test_any_other_keyboard_cannot_be_changed(keyboard: str) -> None:
    caller = dialled(Script(read(keyboard)))
    with pytest.raises(WrongVerbError, match="changes the keyboard"):
        caller.changes_keyboard()


def test_the_keyboard_of_digits_waits_for_any_number_of_keys() -> None:
    assert "any number" in dialled(Script(read("DigitsKeyboard", "4,4"))).waits_for


# -- playing back


@pytest.mark.parametrize("keyboard", ["Number", "Digits", "Alpha", "DigitsKeyboard", "Time"])
def test_a_typed_value_is_played_back_before_it_is_confirmed(keyboard: str) -> None:
    caller = dialled(Script(f"read=t-הקישו=x,no,4,4,7,{keyboard}"))
    assert caller.presses("1234#").split()[1] == "M1353"


def test_the_playback_of_tts_is_said_to_be_unknown_once() -> None:
    caller = dialled(Script("read=t-הקישו=x,no,2,1,7,TTS"))
    for keys in ("1#", "2", "3#"):
        caller.presses(keys)
    assert [problem.code for problem in caller.problems].count("tts-playback") == 1


def test_with_file_the_file_of_that_name_is_played_back() -> None:
    """[OFF] In a folder that has the name of the parameter."""
    caller = dialled(line(Script("read=t-הקישו=x,no,3,1,7,File"), x="256"))
    assert caller.presses("256").startswith("f-x/256 M1353")


def test_with_file_a_missing_file_is_silent_and_a_warning() -> None:
    caller = dialled(line(Script("read=t-הקישו=x,no,3,1,7,File"), x="256"))
    assert caller.presses("555").startswith("M1353")
    assert "missing-file" in [problem.code for problem in caller.problems]


# -- from_folder


@pytest.mark.parametrize(("keys", "expected"), [("256", ""), ("555", WRONG), ("25#", WRONG)])
def test_from_folder_means_the_folder_named_like_the_parameter(keys: str, expected: str) -> None:
    """[OFF] Not the extension itself, in which 555 lies."""
    question = "api_000=ZIP,no,3,1,7,File,no,no,,from_folder,,,,,no"
    app = Script(ASK)
    caller = dialled(line(app, question, files="000 555", ZIP="256"))
    heard = caller.presses(keys)
    assert heard.split()[0] == (expected or "מה")
    assert [request.get("ZIP") for request in app.requests] == ([] if expected else [keys])


def test_from_folder_of_a_read_is_in_api_dir() -> None:
    app = Script(read("File", "3,1", ",,,from_folder,"), BYE)
    tree = line(app, "api_dir=/5", **{"5/x": "256", "x": "111"})
    caller = dialled(tree)
    assert caller.presses("111").startswith(WRONG)
    caller.presses("256")
    assert app.newest("x") == ["256"]


def test_from_folder_without_such_a_folder_takes_nothing_and_says_so_once() -> None:
    caller = dialled(line(Script(read("File", "3,1", ",,,from_folder,")), y="256"))
    assert caller.presses("256").startswith(WRONG)
    caller.presses("256")
    assert [problem.message for problem in caller.problems if problem.code == "no-folder"] == [
        "no value is taken: field 10 is from_folder, and there are no files in /x"
    ]


def test_from_folder_takes_anything_if_the_files_are_not_known() -> None:
    assert result(read("File", "3,1", ",,,from_folder,"), "123") == "123"


@pytest.mark.slow
def test_from_folder_counts_for_keys_in_a_poll() -> None:
    app = Script(ASK, "read=t-רגע=w,no,1,1,1,File,,,,from_folder,1,Ok,None,,no", BYE)
    caller = dialled(line(app, w="7"))
    caller.interrupts("5")
    assert WRONG in caller.says("שלום")


# -- sounds of pre-questions


def two_questions(app: object, *settings: str, files: str = "000 001 100") -> Caller:
    first = "api_000=A,no,1,1,7,No,,,,,,,,,no"
    second = "api_001=B,no,1,1,7,No,,,,,,,,,no"
    return dialled(line(app, first, second, *settings, files=files))


def test_after_the_sound_of_a_key_the_datum_is_asked_again() -> None:
    """[OFF] At the end of the sound the user types the value again."""
    app = Script(ASK)
    caller = two_questions(app, "api_000_key_2_say=100")
    assert caller.presses("2") == "f-100 f-000"
    assert caller.presses("1") == "f-001"
    caller.presses("2")
    assert (app.newest("A"), app.newest("B")) == (["1"], ["2"])


@pytest.mark.parametrize(
    ("fields", "key", "keys"),
    [
        pytest.param("A,no,9,9,7,No,,,,,,,,,no", "2", "2#", id="below the minimum"),
        pytest.param("A,no,9,8,7,TeudatZehut", "*", "*", id="a star, at a keyboard"),
        pytest.param("A,no,2,1,7,No,,,,13,,,,,no", "2", "2", id="a key that is not allowed"),
        pytest.param("A,no,2,1,7,Number", "2", "2#", id="before the confirmation"),
        pytest.param("A,no,2,1,7,No", "#", "#", id="the hash key"),
        pytest.param("A,no,voice", "2", "2", id="speech"),
    ],
)
def test_the_sound_of_a_key_comes_before_the_rules_of_the_datum(fields: str, key: str, keys: str) -> None:
    app = Script(ASK)
    caller = dialled(line(app, f"api_000={fields}", f"api_000_key_{key}_say=100", files="000 100"))
    assert caller.presses(keys) == "f-100 f-000"
    assert app.sent == []


def test_the_key_of_a_sound_may_stand_inside_a_longer_value() -> None:
    app = Script(ASK)
    caller = dialled(line(app, "api_000=A,no,2,2,7,No", "api_000_key_2_say=100", files="000 100"))
    caller.presses("22")
    assert app.newest("A") == ["22"]


def test_a_missing_sound_of_a_key_is_silent_and_a_warning() -> None:
    caller = two_questions(Script(ASK), "api_000_key_2_say=200")
    assert caller.presses("2") == "f-000"
    assert [problem.code for problem in caller.problems] == ["missing-file"]


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        pytest.param("ID,yes,5,4,50,Number,yes,no,*/,", [], id="the official example [OFF]"),
        pytest.param("ID,no,6,6,7,Date", ["pre-question"], id="limits of the keyboard [OFF]"),
        pytest.param("ID,no,8,8,7,Date", [], id="the right limits [OFF]"),
        pytest.param("ID,no,1,1,7,No,,,,,,no", ["pre-question"], id="a word for the default [?]"),
    ],
)
def test_a_doubtful_field_of_a_pre_question_is_a_warning(fields: str, warned: list[str]) -> None:
    text = f"type=api\napi_link={LINK}\napi_000={fields}"
    result = read_ext_ini(text, files=frozenset({"000.wav"}))
    assert [warning.code for warning in result.warnings] == warned
    assert len(result.extension.pre_questions) == 1


def test_the_file_before_the_confirmation_is_played_before_the_datum() -> None:
    """[OFF] "Play a file before the datum"."""
    app = Script(ASK)
    caller = dialled(line(app, "api_000=N,no,2,1,7,Number", files="000 000-AskBeforeOk"))
    assert caller.presses("12").startswith("f-000-AskBeforeOk 12 M1353")


def test_the_file_before_the_confirmation_is_played_without_a_playback_too() -> None:
    caller = dialled(
        line(Script(ASK), "api_000=N,no,2,1,7,No", files="000 000-AskBeforeOk"), confirmation="always"
    )
    assert caller.presses("12").startswith("f-000-AskBeforeOk M1353")


def test_the_sounds_of_pre_questions_are_in_api_dir() -> None:
    """[OFF] `api_dir` has all files that are played."""
    question = "api_000=N,no,2,1,7,Number"
    caller = dialled(
        line(Script(ASK), question, "api_dir=/5", files="000-AskBeforeOk", **{"5": "000 000-AskBeforeOk"})
    )
    assert caller.heard == "f-000"
    assert caller.presses("12").startswith("f-000-AskBeforeOk 12 M1353")
    assert caller.problems == ()


def test_a_file_before_the_confirmation_that_is_not_in_api_dir_is_not_heard() -> None:
    question = "api_000=N,no,2,1,7,Number"
    caller = dialled(line(Script(ASK), question, "api_dir=/5", files="000-AskBeforeOk", **{"5": "000"}))
    assert caller.presses("12").startswith("12 M1353")
