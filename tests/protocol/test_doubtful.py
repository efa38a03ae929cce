"""What public servers send and no source calls wrong is accepted; each case has the label of its source.

``[OFF]``: the official text says so. ``[?]``: no source says that the line refuses it.
"""

from __future__ import annotations

from contextlib import suppress

import pytest

from yemot_ai.errors import InvalidValueError, ResponseSyntaxError
from yemot_ai.protocol import (
    Action,
    CreditCard,
    File,
    GoTo,
    GoToFolder,
    GoToFolderAndPlay,
    MusicOnHold,
    Number,
    Play,
    Read,
    Record,
    Request,
    Response,
    Routing,
    RoutingYemot,
    SimpleAnswer,
    Tap,
    Text,
    Voice,
    lint,
)
from yemot_ai.protocol.actions import ACTIONS
from yemot_ai.protocol.fields.codecs import Choice, Codec
from yemot_ai.protocol.fields.layout import Layout
from yemot_ai.protocol.messages import MESSAGE_TYPES
from yemot_ai.protocol.read_modes import READ_RECORD, READ_TAP, READ_VOICE
from yemot_ai.protocol.times import Zmanim

LAYOUTS = [
    READ_TAP, READ_VOICE, READ_RECORD,
    *(cls.LAYOUT for cls in (*ACTIONS.values(), *MESSAGE_TYPES.values())),
]  # fmt: skip
CHOICES = [
    (layout, number, codec)
    for layout in LAYOUTS
    for number, codec in enumerate(layout.codecs.values())
    if isinstance(codec, Choice) and "" in codec.values and not codec.ignores_others
]


def codes(text: str) -> list[str]:
    """Return the codes of the warnings; there must be no errors."""
    problems = lint(text)
    assert [problem for problem in problems if problem.level == "error"] == []
    return [problem.code for problem in problems]


def asked(fields: str) -> Read:
    (read,) = Response.parse(f"read=t-a={fields}")
    assert isinstance(read, Read)
    return read


def parse_fields(layout: Layout, text: str) -> tuple[list[object], list[str]]:
    """Return the values of the fields in ``text``, and the codes of its problems."""
    reported: list[str] = []
    parts = layout.parse(text, 0, lambda code, _reason, _position: reported.append(code))
    return [part.value for part in parts], reported


@pytest.mark.parametrize(
    ("fields", "mode", "warnings"),
    [
        pytest.param("x,no,record,,,yes,no,no,,", Record(), ["undocumented-value"], id="[?] record confirm"),
        pytest.param("x,no,voice,,yes", Voice(), ["undocumented-value"], id="[?] voice keys allowed"),
        pytest.param("x,no,voice,,YES", Voice(), ["undocumented-value"], id="[?] in capitals"),
        pytest.param("x,no,voice,,,,no", Voice(), ["undocumented-value"], id="[?] no record engine"),
        pytest.param(
            "x,no,1,1,7,Number,no,no,,,,,,,yes",
            Tap(1, keyboard="Number", confirm=True),
            ["undocumented-value", "confirmation"],
            id="[OFF] asks by default",
        ),
        pytest.param(
            "x,no,1,1,7,No,no,no,,,,no,,no,no",
            Tap(1),
            ["undocumented-value", "undocumented-value"],
            id="[?] tap fields 12 and 14",
        ),
        pytest.param("x,no,voice,,,,,,,", Voice(), ["empty-fields"], id="[?] ten fields of speech"),
        pytest.param("x,no,voice,,,,,,,,,,", Voice(), ["empty-fields"], id="[?] thirteen fields of speech"),
        pytest.param("x,no,record,,,,,,,,,", Record(), ["empty-fields"], id="[?] twelve of a recording"),
        pytest.param(
            "x,no,1,1,7,No,,,,,,,None,,no,", Tap(1), ["empty-fields"], id="[?] sixteen fields of keys"
        ),
        pytest.param(
            "x,no,10,9,7,Phone,no,no,,,,,,,no,no",
            Tap(10, 9, keyboard="Phone"),
            ["undescribed-field"],
            id="[OFF] mentions the sixteenth value",
        ),
        pytest.param(
            "x,no,1,1,7,No,,,,,,,,,no,no,,",
            Tap(1),
            ["undescribed-field", "empty-fields"],
            id="[OFF] sixteen and two empty",
        ),
        pytest.param("x,,voice,,,2147483647", Voice(max_digits=2147483647), [], id="[?] ten digits"),
        pytest.param("x,no,99999999999", Tap(99999999999, confirm=True), [], id="[?] eleven digits"),
        pytest.param("x,no,0", Tap(confirm=True), ["undocumented-value"], id="[?] 0 as no limit"),
        pytest.param("x,no,voice,,,0,,0,0", Voice(), ["undocumented-value"] * 3, id="[?] 0 in speech"),
        pytest.param("x,no,record,,,,,,0,0", Record(min_seconds=0), ["undocumented-value"], id="[?] 0 s"),
        pytest.param(
            "x,no,1,1,7,File,,,,From_Folder,00,,,,no",
            Tap(1, keyboard="File", allowed=("from_folder",)),
            ["letter-case", "undocumented-value", "padded-number"],
            id="[?] a word's case, and 00",
        ),
        pytest.param("x,no,1,1,007,No,,,,,,,,,no", Tap(1), ["padded-number"], id="[?] 007"),
        pytest.param(
            "x,no,2,1,7,No,,,,.11..12.,,,,,no", Tap(2, allowed=("11", "12")), ["empty-key"], id="[?] dots"
        ),
        pytest.param(
            "x, no, voice , en-US", Voice(language="en-US"), ["white-space"] * 3, id="[?] spaces after commas"
        ),
        pytest.param(
            "x,no,1,1,7,No ,no\t,,,,,,,,no", Tap(1), ["white-space"] * 2, id="[?] spaces after words"
        ),
        pytest.param("x,no,Record", Record(), ["letter-case"], id="[?] mode in capitals"),
        pytest.param(
            "x,no,4,4,Digits\u200f,no,,,,,,,,no",
            Tap(4, 4, keyboard="Digits"),
            ["missing-seconds", "white-space"],
            id="[OFF] an example's shape, and a mark",
        ),
        pytest.param("x,no,voice\u200f", Voice(), ["white-space"], id="[?] a mark after the mode"),
        pytest.param("x,no,\ufeffrecord", Record(), ["white-space"], id="[?] a mark before the mode"),
        pytest.param("x,no,1,1,7,No,,,* ,,,,,,no", Tap(1, replace="* "), [], id="[OFF] a star is a space"),
    ],
)
def test_the_fields_of_a_read_are_accepted(
    fields: str, mode: Tap | Voice | Record, warnings: list[str]
) -> None:
    assert asked(fields) == Read([Text("a")], "x", mode)
    assert codes(f"read=t-a={fields}") == warnings


@pytest.mark.parametrize(
    ("text", "action", "warnings"),
    [
        pytest.param("music_on_hold=x,30,no", MusicOnHold("x", 30), ["undocumented-value"], id="[?] returns"),
        pytest.param("music_on_hold=x,30,,", MusicOnHold("x", 30), ["empty-fields"], id="[?] four fields"),
        pytest.param(
            "credit_card=icredit,100,999,3,1,,,,,no",
            CreditCard("icredit", "100", "999", 3, "1", return_all=False),
            [],
            id="[OFF] any other answer is not all",
        ),
        pytest.param(
            "credit_card=icredit,100,,,,,,,,yes",
            CreditCard("icredit", "100", return_all=False),
            ["undocumented-value"],
            id="[OFF] yes is not all",
        ),
        pytest.param(
            "credit_card=icredit,100,,,,,,,,code",
            CreditCard("icredit", "100", return_all=False),
            ["undocumented-value"],
            id="[OFF] any other word is not all",
        ),
        pytest.param(
            "credit_card=p,,,,,,,,,,no,no,no,no,no",
            CreditCard("p"),
            ["undocumented-value"] * 5,
            id="[?] no in fields 11 to 15",
        ),
        pytest.param(
            "credit_card=p,1,,9999999999", CreditCard("p", "1", "", 9999999999), [], id="[?] ten digits"
        ),
        pytest.param(
            "routing=05,,no,no,,,,no", Routing(("05",)), ["undocumented-value"] * 2, id="[?] left empty"
        ),
        pytest.param("routing_yemot=sip:101", RoutingYemot("sip:101"), ["phone-number"], id="[?] sip"),
        pytest.param(
            "routing=+972501234567.sip:5",
            Routing(("+972501234567", "sip:5")),
            ["phone-number"],
            id="[?] international",
        ),
        pytest.param(
            "go_to_folder=hangup ", GoToFolder("hangup "), ["hangup-space"], id="[?] hangup and a space"
        ),
        pytest.param(
            "go_to_folder=\u200fhangup", GoToFolder("\u200fhangup"), ["hangup-space"], id="[?] and a mark"
        ),
        pytest.param(
            "go_to_folder=hang\u200fup",
            GoToFolder("hang\u200fup"),
            ["white-space"],
            id="[?] a mark in a target",
        ),
        pytest.param(
            "go_to_folder=hang up", GoToFolder("hang up"), ["hangup-space"], id="[?] hangup as two words"
        ),
        pytest.param("go_to_folder=HANGUP", GoToFolder("HANGUP"), ["letter-case"], id="[?] in capitals"),
        pytest.param("go_to_folder=/1 ", GoToFolder("/1 "), ["white-space"], id="[?] folder and a space"),
        pytest.param(
            "go_to_folder='/1'", GoToFolder("'/1'"), ["unconfirmed-character"], id="[LIB] a target in quotes"
        ),
        pytest.param("go_to_folder= /", GoToFolder("/"), ["white-space"], id="[?] the root after a space"),
        pytest.param("\u200fgo_to_folder=/1", GoToFolder("/1"), ["white-space"], id="[?] a mark before all"),
        pytest.param(
            "go_to_folder\u200e=/1", GoToFolder("/1"), ["white-space"], id="[?] a mark after an action's name"
        ),
        pytest.param("go_to_folder=. ", GoToFolder("."), ["white-space"], id="[?] this one and a space"),
        pytest.param(
            "go_to_folder_and_play=/1 ,000,5",
            GoToFolderAndPlay("/1 ", "000", 5),
            ["white-space"],
            id="[?] folder to play in",
        ),
        pytest.param(
            "go_to_folder_and_play=/1, 000, 5",
            GoToFolderAndPlay("/1", " 000", 5),
            ["white-space"] * 2,
            id="[?] file to play",
        ),
        pytest.param(
            "routing=05,,,,,,,,,/1 ", Routing(("05",), end_goto="/1 "), ["white-space"], id="[?] end_goto"
        ),
        pytest.param("music_on_hold= x", MusicOnHold(" x"), ["white-space"], id="[?] music"),
        pytest.param("go_to_folder=/1\n", GoToFolder("/1"), ["line-end"], id="[?] line end"),
        pytest.param("\r\n\r\ngo_to_folder=/1", GoToFolder("/1"), ["line-end"], id="[?] line ends before"),
        pytest.param(
            "\ufeffgo_to_folder=/1", GoToFolder("/1"), ["byte-order-mark"], id="[?] byte order mark"
        ),
        pytest.param(
            "go_to_folder=/1\n\u200f", GoToFolder("/1"), ["line-end"], id="[?] a mark after a line end"
        ),
        pytest.param(
            "go_to_folder=/1&\u200f", GoToFolder("/1"), ["empty-action"], id="[?] a mark after an &"
        ),
        pytest.param(
            "music_on_hold=x,30,,\u200f",
            MusicOnHold("x", 30),
            ["empty-fields"],
            id="[?] a mark after a comma",
        ),
        pytest.param("OK\n", SimpleAnswer("OK"), ["line-end"], id="[?] line end after a word"),
        pytest.param("&go_to_folder=/1&&", GoToFolder("/1"), ["empty-action"] * 2, id="[?] surplus &"),
        pytest.param(
            "api_answer_OK", SimpleAnswer("api_answer_OK"), ["answer-setting"], id="[OFF] a key of ext.ini"
        ),
    ],
)
def test_an_action_is_accepted(text: str, action: Action, warnings: list[str]) -> None:
    assert Response.parse(text) == Response([action])
    assert codes(text) == warnings


@pytest.mark.parametrize(
    ("messages", "play", "warnings"),
    [
        pytest.param(
            "n-0501234567",
            Play([Number("0501234567")]),
            ["leading-zero"],
            id="[?] the zero of a phone number",
        ),
        pytest.param("n-5000000000", Play([Number(5_000_000_000)]), [], id="[?] ten digits"),
        pytest.param("t-\u200f", Play([Text("\u200f")]), ["empty-text"], id="[?] a text of a mark"),
        pytest.param("f-a\u00adb", Play([File("a\u00adb")]), ["white-space"], id="[?] a mark in a path"),
        pytest.param("n- 5", Play([Number(5)]), ["white-space"], id="[?] number after a space"),
        pytest.param("t-2 ועוד 2 = 4", Play([Text("2 ועוד 2 = 4")]), ["equals-sign"], id="[?] = in a text"),
        pytest.param("f-a=b", Play([File("a=b")]), ["equals-sign"], id="[?] = in a file name"),
        pytest.param("t-א|ב", Play([Text("א|ב")]), ["text-bar"], id="[LIB] libraries refuse |"),
        pytest.param("t-א\nב", Play([Text("א\nב")]), ["text-line-end"], id="[?] line end in a text"),
        pytest.param(
            "t-א.g-hangup ", Play([Text("א"), GoTo("hangup ")]), ["hangup-space"], id="[?] hangup and a space"
        ),
        pytest.param("\u200ft-א", Play([Text("א")]), ["white-space"], id="[?] a mark before a type"),
        pytest.param("t-א.\ufefff-1", Play([Text("א"), File("1")]), ["white-space"], id="[?] and later"),
        pytest.param(
            "t-א. g-/1", Play([Text("א"), GoTo("/1")]), ["white-space"], id="[?] type after a space"
        ),
        pytest.param("f-000 .g-/1 ", Play([File("000 "), GoTo("/1 ")]), ["white-space"] * 2, id="[?] paths"),
        pytest.param("z-T, IL/Eilat", Play([Zmanim("T", " IL/Eilat")]), ["white-space"], id="[?] zone"),
    ],
)
def test_messages_are_accepted(messages: str, play: Play, warnings: list[str]) -> None:
    text = f"id_list_message={messages}&go_to_folder=/1"
    assert [code for code in codes(text) if code != "unreachable"] == warnings
    assert Response.parse(text) == Response([play, GoToFolder("/1")])


def test_an_official_example_without_its_seconds_is_accepted() -> None:  # [OFF]
    example = "read=f-YM_LOCAL/library/file.f-Methods_of_Payment=MOP,,4,4,Digits,yes"
    mode = Tap(4, 4, keyboard="Digits", block_star=True, confirm=True)
    files = [File("YM_LOCAL/library/file"), File("Methods_of_Payment")]
    assert Response.parse(example) == Response([Read(files, "MOP", mode)])
    assert codes(example) == ["missing-seconds", "confirmation"]


@pytest.mark.parametrize(("layout", "number", "codec"), CHOICES)
def test_every_closed_field_accepts_the_word_for_its_default(  # [?]
    layout: Layout, number: int, codec: Choice
) -> None:
    default = codec.values[""]
    word = "no" if codec.values.get("no", default) == default else "yes"
    for spelling in (word, word.upper()):
        assert codec.decode(spelling) == default
        if spelling not in codec.values:
            values, reported = parse_fields(layout, "," * number + spelling)
            assert values[number] == default
            assert {"undocumented-value", "letter-case"}.intersection(reported)


REQUIRED = {"name": "x", "numbers": "05", "provider": "p", "folder": "/1", "file": "a", "time": "T"}


def _sample(name: str, codec: Codec) -> str:
    if isinstance(codec, Choice):
        return next((word for word in codec.values if word), "")
    return REQUIRED.get(name) or codec.encode(codec.decode("")) or _first_valid(codec, "1", "D1", "en")


def _first_valid(codec: Codec, *texts: str) -> str:
    for text in texts:
        with suppress(InvalidValueError):
            codec.decode(text)
            return text
    return ""


FIELDS = [
    (layout, number, _sample(name, codec))
    for layout in LAYOUTS
    if len(layout.codecs) > 1
    for number, (name, codec) in enumerate(layout.codecs.items())
    if name != "replace"  # two characters, each of which may be a space
]


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\u200f"])
@pytest.mark.parametrize(("layout", "number", "text"), FIELDS)
def test_white_space_after_a_field_is_never_silent(
    layout: Layout, number: int, text: str, blank: str
) -> None:  # [?]
    fields = [_sample(name, codec) for name, codec in layout.codecs.items()]
    fields[number] = f"{text}{blank}"
    _, reported = parse_fields(layout, ",".join(fields))
    assert {"white-space", "name-space", "name", "character"}.intersection(reported)


def test_a_number_of_any_common_length_is_constructible() -> None:
    assert str(Number(5_000_000_000)) == "n-5000000000"
    assert str(Number("05012345678")) == "n-05012345678"
    assert Number("5") == Number(5)
    with pytest.raises(InvalidValueError, match="more than 100 digits"):
        Number(10**100)


@pytest.mark.parametrize("text", ["n-0501234567", "n-007.n-0.n-00"])
def test_no_leading_zero_of_a_number_is_dropped(text: str) -> None:
    assert str(Response.parse(f"id_list_message={text}")) == f"id_list_message={text}"


def test_a_number_beyond_the_bound_is_not_called_no_whole_number() -> None:
    (problem,) = lint("read=t-a=x,no,1,1," + "9" * 101)
    assert problem.message == (
        f"seconds: {'9' * 40!r}… has 101 digits; write up to 100 digits 0-9, without a sign"
    )


@pytest.mark.parametrize("text", ["read=t-a=x,no,voice,,,,,,,surplus", "music_on_hold=x,30,,5"])
def test_a_surplus_field_with_a_value_may_be_a_shift_and_is_an_error(text: str) -> None:  # [OFF]
    assert [problem.code for problem in lint(text)] == ["too-many-fields"]


def test_an_equals_sign_stays_structural_in_a_read() -> None:  # [OFF]
    with pytest.raises(ResponseSyntaxError, match="3 = instead of 2"):
        Response.parse("read=t-2=2=x,no,1")
    with pytest.raises(InvalidValueError, match="ends the question"):
        Read([Text("2=2")], "x")


@pytest.mark.parametrize("name", ["hangup_reason", "hangupAt", "api_name"])
def test_a_name_that_resembles_one_of_the_lines_own_is_accepted(name: str) -> None:  # [?]
    assert lint(f"read=t-a={name},no,voice") == []
    assert Request.parse({name: "a"}).values == ((name, "a"),)


@pytest.mark.parametrize("name", ["hangup", "hangup ", "ApiPhone"])
def test_a_name_of_the_line_is_an_error(name: str) -> None:  # [OFF]
    assert [problem.code for problem in lint(f"read=t-a={name},no,voice")] == ["name"]
