from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from yemot_ai.errors import InvalidValueError, YemotAIError
from yemot_ai.protocol import (
    CreditCard,
    Date,
    Digits,
    File,
    GoTo,
    GoToFolder,
    GoToFolderAndPlay,
    HebrewDate,
    Letters,
    MusicOnHold,
    MusicOnHoldMessage,
    Noop,
    Number,
    Play,
    Read,
    Record,
    Routing,
    RoutingYemot,
    SimpleAnswer,
    SpeechFile,
    SystemMessage,
    Tap,
    Text,
    Voice,
    Zmanim,
)

# Values of a wrong type are what an untyped caller would pass: Any lets them through to the check.
WRONG: Any = 5
NOTHING: Any = None
DAY = dt.date(2022, 7, 28)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Text("שלום"), "t-שלום"),
        (File("/8/error"), "f-/8/error"),
        (Digits("105"), "d-105"),
        (Number(5), "n-5"),
        (Number("5"), "n-5"),
        (Number("0501234567"), "n-0501234567"),
        (Number(5_000_000_000), "n-5000000000"),
        (Text("a=b|c"), "t-a=b|c"),
        (Letters("abc"), "a-abc"),
        (SpeechFile("abc"), "s-abc"),
        (SystemMessage("1005"), "m-1005"),
        (Zmanim("sunset", "IL/Bney_Brak", "+", "D1"), "z-sunset,IL/Bney_Brak,+,D1"),
        (Zmanim("T"), "z-T"),
        (Date(DAY), "date-28/07/2022"),
        (HebrewDate(DAY), "dateH-28/07/2022"),
        (GoTo("hangup"), "g-hangup"),
        (MusicOnHoldMessage("ztomao", 10), "h-ztomao,10"),
        (GoToFolderAndPlay("/1/5", "005", 1001), "go_to_folder_and_play=/1/5,005,1001"),
        (MusicOnHold("name", 30, no_return=True), "music_on_hold=name,30,no_return"),
        (MusicOnHold("name"), "music_on_hold=name"),
        (RoutingYemot("0773137770"), "routing_yemot=0773137770"),
        (Routing(("0581234567",), email="a@b.co"), "routing=0581234567,,,,,,,,,,,,,,a@b.co"),
        (
            CreditCard("pelecard", "100", "999", 3, "2", "DebitPaymntsType"),
            "credit_card=pelecard,100,999,3,2,DebitPaymntsType",
        ),
        (CreditCard("p", "1", return_all=True, go_back=True), "credit_card=p,1,,,,,,,,all,,,,,GoBack"),
        (CreditCard("p", "1", return_all=False), "credit_card=p,1,,,,,,,,no"),
        (Noop("a=b.c"), "noop=a=b.c"),
        (Noop(), "noop"),
        (SimpleAnswer("OK"), "OK"),
    ],
)
def test_a_value_renders_in_its_official_form(value: object, text: str) -> None:
    assert str(value) == text


@pytest.mark.parametrize("target", ["/", "/1/1", "1", ".", "..", "../..", "../1", "hangup", "ai_agent"])
def test_every_documented_target_is_accepted(target: str) -> None:
    assert str(GoToFolder(target)) == f"go_to_folder={target}"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: Text("סוף. עוד"), "text-character"),
        (lambda: Text("10-12"), "text-character"),
        (lambda: Text("10 \n"), "text-character"),
        (lambda: Text(WRONG), "text-character"),
        (lambda: File("a.wav"), "character"),
        (lambda: File(""), "empty-value"),
        (lambda: Digits("1 2"), "format"),
        (lambda: Digits(WRONG), "format"),
        (lambda: Number(-1), "number"),
        (lambda: Number(10**100), "number"),
        (lambda: Number("5a"), "number"),
        (lambda: Number(""), "number"),
        (lambda: Number(value=True), "number"),
        (lambda: Number(NOTHING), "number"),
        (lambda: Letters("שלום"), "format"),
        (lambda: SystemMessage("M1005"), "format"),
        (lambda: Zmanim(""), "format"),
        (lambda: Zmanim("sunset", amount="1D"), "format"),
        (lambda: Zmanim("sunset", sign=WRONG), "choice"),
        (lambda: Date(dt.datetime(2022, 7, 28)), "format"),  # noqa: DTZ001 - a date with a time is the mistake
        (lambda: GoTo(".."), "target"),
        (lambda: GoToFolder("/.."), "target"),
        (lambda: GoToFolder(""), "target"),
        (lambda: GoToFolder("1&read"), "target"),
        (lambda: Play([]), "empty-messages"),
        (lambda: Play([GoTo("/1"), Text("a")]), "go-to-not-last"),
        (lambda: Play("שלום"), "message-type"),  # type: ignore[arg-type]  # a bare text is the mistake
        (lambda: Read([Text("a")], ""), "name"),
        (lambda: Read([Text("a")], "ApiPhone"), "name"),
        (lambda: Read([Text("a")], " "), "name"),
        (lambda: Read([Text("a")], WRONG), "name"),
        (lambda: Read([Text("a")], "x", WRONG), "choice"),
        (lambda: Tap(max_digits=0), "number"),
        (lambda: Tap(max_digits=1, min_digits=2), "min-above-max"),
        (lambda: Tap(seconds=NOTHING), "number"),
        (lambda: Tap(keyboard=WRONG), "choice"),
        (lambda: Tap(replace="*"), "format"),
        (lambda: Tap(allowed=("10",)), "format"),
        (lambda: Tap(allowed=("a",)), "format"),
        (lambda: Tap(allowed=WRONG), "format"),
        (lambda: Tap(empty_value=""), "empty-value"),
        (lambda: Tap(empty_value="a,b"), "character"),
        (lambda: Voice(language="Hebrew!"), "format"),
        (lambda: Record(folder="1/2"), "record-folder"),
        (lambda: Record(folder="/1/"), "record-folder"),
        (lambda: Record(min_seconds=5, max_seconds=2), "min-above-max"),
        (lambda: Routing(()), "empty-value"),
        (lambda: Routing(("05.06",)), "format"),
        (lambda: Routing(("05,06",)), "format"),
        (lambda: Routing(("",)), "format"),
        (lambda: Read([Text("a=b")], "x"), "read-shape"),
        (lambda: Read([Text("a"), File("b=c")], "x"), "read-shape"),
        (lambda: CreditCard("p", "1,000"), "format"),
        (lambda: SimpleAnswer("read"), "simple-answer"),
        (lambda: SimpleAnswer(""), "simple-answer"),
        (lambda: SimpleAnswer("two words"), "simple-answer"),
    ],
    ids=map(str, count()),
)
def test_an_invalid_value_cannot_be_constructed(make: Callable[[], object], code: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        make()
    assert caught.value.code == code


def test_an_invalid_value_is_a_value_error_with_field_and_position() -> None:
    with pytest.raises(ValueError, match="text: '-' is not allowed here") as caught:
        Text("אבג-ד")
    assert isinstance(caught.value, InvalidValueError)
    assert isinstance(caught.value, YemotAIError)
    assert caught.value.position == 3


def test_values_are_frozen_and_hashable() -> None:
    assert len({Play([Text("a")]), Play((Text("a"),)), Tap(), Tap(), Voice()}) == 3
    with pytest.raises(AttributeError):
        Text("a").text = "b"  # type: ignore[misc]  # that it cannot be set is tested
