from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import PurePosixPath

import pytest

from yemot_ai.errors import ConfigurationError
from yemot_ai.flow.compat.messages import to_messages


def rendered(playable: object) -> list[str]:
    return [str(message) for message in to_messages(playable)]  # type: ignore[arg-type]  # as without mypy


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (("file", "welcome.wav"), "f-welcome"),
        (("file", "/8/error.OGG"), "f-/8/error"),
        (("file", 100), "f-100"),
        (("f", "welcome"), "f-welcome"),
        (("speech", "hours.tts"), "s-hours"),
        (("system_message", "M1005"), "m-1005"),
        (("system_message", 1005), "m-1005"),
        (("m", "1005"), "m-1005"),
        (("zmanim", "T"), "z-T"),
        (("z", "sunset,IL/Bney_Brak,+,D1"), "z-sunset,IL/Bney_Brak,+,D1"),
        (("music_on_hold", "calm,20"), "h-calm,20"),
        (("h", "calm"), "h-calm"),
        (("date", "31/12/2026"), "date-31/12/2026"),
        (("date", "31.12.2026"), "date-31/12/2026"),
        (("date", "2026-12-31"), "date-31/12/2026"),
        (("date", dt.date(2026, 12, 31)), "date-31/12/2026"),
        (("date", dt.datetime(2026, 12, 31, 9, tzinfo=dt.UTC)), "date-31/12/2026"),
        (("dateH", "31/12/2026"), "dateH-31/12/2026"),
        (("go_to_folder", "/5"), "g-/5"),
        (("go_to_folder", "\u200fhangup "), "g-hangup"),
        (("file", " welcome.wav\u200f"), "f-welcome"),
        (("noop", "a comment"), "noop-a comment"),
        (("noop", ""), "noop"),
        (("noop", None), "noop"),
        (("file", PurePosixPath("/1/hello.wav")), "f-/1/hello"),
        (("system_message", 1005.0), "m-1005"),
        (("text", 150), "t-150"),
    ],
    ids=str,
)
def test_a_pair_becomes_the_message_of_the_line(pair: tuple[str, object], expected: str) -> None:
    assert rendered([pair]) == [expected]
    assert rendered(pair) == [expected]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("150", "n-150"),
        (150, "n-150"),
        (0, "n-0"),
        ("0", "n-0"),
        (3.0, "n-3"),
        ("1,234,567", "n-1234567"),
        ("1 234", "n-1234"),
        (5_000_000_000, "n-5000000000"),
        ("5000000000", "n-5000000000"),
        ("05012345678", "d-05012345678"),
        ("٣", "n-3"),
        ("0501234567", "d-0501234567"),
        ("050 123 4567", "d-0501234567"),
        ("\u200f050\u00a0123 4567 ", "d-0501234567"),
        ("00", "d-00"),
        ("007", "d-007"),
        ("+972501234567", "d-972501234567"),
        ("4580000000000000", "d-4580000000000000"),
        (1e20, "d-100000000000000000000"),
        (Decimal("1e30"), "d-1" + "0" * 30),
        (2.5, "t-2 נקודה 5"),
        (Decimal("12.50"), "t-12 נקודה 50"),
        ("0.5", "t-0 נקודה 5"),
        (-5, "t-מינוס 5"),
        ("12 שקלים", "t-12 שקלים"),
        ("שלום", "t-שלום"),
        ("#", "t-סולמית"),
    ],
    ids=repr,
)
def test_a_number_is_read_as_one_unless_it_is_a_code_or_no_whole_number(
    number: object, expected: str
) -> None:
    assert rendered([("number", number)]) == [expected]
    assert rendered([("n", number)]) == [expected]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("1234", ["d-1234"]),
        (1234, ["d-1234"]),
        ("3b7f", ["d-3", "a-b", "d-7", "a-f"]),
        ("c0ffee", ["a-c", "d-0", "a-ffee"]),
        ("050-1234567", ["d-050", "d-1234567"]),
        ("12*4#", ["d-12", "t-כוכבית", "d-4", "t-סולמית"]),
        ("12.5", ["d-12", "t-נקודה", "d-5"]),
        ("דירה 5", ["t-דירה", "d-5"]),
    ],
    ids=repr,
)
def test_digits_are_read_one_by_one_and_what_is_no_digit_is_read_too(
    code: object, expected: list[str]
) -> None:
    assert rendered([("digits", code)]) == expected


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("abc 12", ["a-abc 12"]),
        ("AB-12", ["a-AB 12"]),
        ("a.b", ["a-a", "t-נקודה", "a-b"]),
        ("דוד", ["t-דוד"]),
    ],
    ids=repr,
)
def test_letters_are_spelled_and_others_are_spoken(letters: str, expected: list[str]) -> None:
    assert rendered([("alpha", letters)]) == expected


@pytest.mark.parametrize(
    ("playable", "expected"),
    [
        (5, ["t-5"]),
        (["text", "שלום"], ["t-שלום"]),
        (["number", 5], ["n-5"]),
        (["a", "b"], ["t-a", "t-b"]),
        ([["text", "שלום"], ["number", 5]], ["t-שלום", "n-5"]),
        ((("text", "א"), ("text", "ב")), ["t-א", "t-ב"]),
        ((text for text in ("א", "ב")), ["t-א", "t-ב"]),
    ],
    ids=["number", "list-of-JSON", "list-with-a-number", "letters", "lists", "tuple-of-pairs", "generator"],
)
def test_all_that_can_be_played_is_played(playable: object, expected: list[str]) -> None:
    assert rendered(playable) == expected


@pytest.mark.parametrize(
    "empty",
    [("digits", ""), ("number", ""), ("number", " "), ("file", "\u200f"), ("text", None), ("file", None)],
    ids=ascii,
)
def test_an_empty_value_is_left_out_with_a_warning(
    empty: tuple[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    assert rendered([empty, ("text", "שלום")]) == ["t-שלום"]
    assert rendered(empty) == []
    assert f"{__file__}:" in caplog.text
    assert f"('{empty[0]}', …) was given nothing to play, and is left out" in caplog.text


def test_a_number_with_other_text_is_spoken_with_a_warning_that_does_not_repeat_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert rendered([("number", "הסוד 5")]) == ["t-הסוד 5"]

    (record,) = caplog.records
    assert "('number', …) was given other text than a number; it is spoken as a text" in record.getMessage()
    assert "הסוד" not in record.getMessage()


@pytest.mark.parametrize(
    "playable",
    [
        [("zmanim", "sunset,IL/Jerusalem,+,D1,more")],
        [("music_on_hold", "calm,soon")],
        [("file", "a.b")],
        [("date", "31/13/2026")],
        [("number", float("nan"))],
        [("number", float("inf"))],
        [("number", Decimal("1e9999"))],
        [("number", True)],
        [("number", "--")],
        [("digits", "--")],
        {"text": "שלום"},
        b"text",
        [True],
    ],
    ids=repr,
)
def test_what_cannot_be_played_is_refused(playable: object) -> None:
    with pytest.raises(ConfigurationError):
        rendered(playable)


@pytest.mark.parametrize("alone", [False, True], ids=["in-a-list", "alone"])
@pytest.mark.parametrize(
    "data",
    [{"time": "T"}, ["T"], ("T",), {"T"}, b"T", True, dt.time(3, 4), dt.timedelta(1), object()],
    ids=lambda data: type(data).__name__,
)
@pytest.mark.parametrize(
    "kind",
    [
        *("text", "file", "speech", "digits", "number", "alpha", "system_message", "zmanim"),
        *("music_on_hold", "noop", "go_to_folder", "date", "dateH"),
    ],
)
def test_data_of_a_type_that_has_no_text_is_refused_and_never_spoken(
    kind: str, data: object, *, alone: bool
) -> None:
    pair = (kind, data)
    with pytest.raises(ConfigurationError, match=f"{type(data).__name__}"):
        rendered(pair if alone else [pair])


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (
            ("zmanim", {"time": "T"}),
            "('zmanim', …) cannot be given a dict: write ('zmanim', 'T,IL/Jerusalem,+,D1')",
        ),
        (("music_on_hold", {"name": "calm"}), "a dict: write ('music_on_hold', 'calm,20')"),
        (
            ("music_on_hold", "calm,soon"),
            "('music_on_hold', …): the seconds after the comma are a whole number",
        ),
        (("date", "tomorrow"), "('date', …): give a day such as '31/12/2026', or a datetime.date"),
        (("file", "a.b"), "('file', …): path: '.' is not allowed here"),
    ],
    ids=str,
)
def test_an_error_about_a_pair_names_its_type_and_says_what_to_write(
    pair: tuple[str, object], message: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        rendered([pair])
    assert message in str(refused.value)


def test_a_set_is_refused_because_it_has_no_order() -> None:
    with pytest.raises(ConfigurationError, match="set cannot be played"):
        rendered({"א", "ב"})


def test_an_unknown_type_is_refused_with_the_known_types() -> None:
    with pytest.raises(ConfigurationError, match="no message type 'say'; the line plays: a, alpha, d, date"):
        to_messages([("say", "hello")])
