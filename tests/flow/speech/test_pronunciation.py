"""A developer's pronunciation: a table of words and a function, in everything that callers hear."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, DialogSettings, YemotAI
from yemot_ai.errors import ConfigurationError
from yemot_ai_testing import Caller, ScriptedProvider

AI = {"AI": "איי איי"}

REPLACED = [
    (AI, "AI עונה", "איי איי עונה"),
    (AI, "(AI) או **AI**", "(איי איי) או **איי איי**"),
    (AI, "AI, AI! AI? AI.", "איי איי, איי איי! איי איי? איי איי."),
    # Hebrew letters before a word stay.
    (AI, "בAI, ה-AI, ומה־AI", "באיי איי, ה-איי איי, ומה־איי איי"),
    # Only whole words, as they are written.
    (AI, "OpenAI, AIR, ai, AI2, גAI", "OpenAI, AIR, ai, AI2, גAI"),
    ({"בת": "בַּת"}, "שבת, בת, ב-בת", "שבת, בַּת, ב-בַּת"),
    ({"של": "שלל"}, "שֶׁל של", "שֶׁל שלל"),
    # The longest word that fits counts, and what is said for a word is not looked up again.
    ({"תל": "גבעה", "תל אביב": "העיר", "העיר": "לא"}, "תל  אביב ותל", "העיר ותל"),
    # Quotation marks of any kind.
    ({'צה"ל': "צבא הגנה לישראל"}, "צה״ל, צה''ל, צה”ל", "צבא הגנה לישראל, צה''ל, צבא הגנה לישראל"),
    ({"ג'ירף": "גמל נמרי"}, "ג׳ירף ליד הג'ירף", "גמל נמרי ליד הג'ירף"),
    ({"עו": "עיר"}, 'עו"ד עו', 'עו"ד עיר'),
    # An acronym is found after prefix letters as well.
    ({'עו"ד': "פרקליט"}, 'בעו"ד, לעו״ד, ה-עו"ד, רעו"ד', 'בפרקליט, לפרקליט, ה-פרקליט, רעו"ד'),
    # A part of a number is no word.
    ({"3": "שלוש"}, "3, 3.5, 13, 12:3, 3", "שלוש, 3.5, 13, 12:3, שלוש"),
    # Signs have no meaning of patterns.
    (
        {"C++": "סי פלוס פלוס", ".NET": "דוט נט", "a.b": "איי בי"},
        "C++ או .NET, axb",
        "סי פלוס פלוס או דוט נט, axb",
    ),
    ({"AI": r"\1 \g<0>"}, "AI", r"\1 \g<0>"),
    ({"כלומר": ""}, "כלומר, פתוח", ", פתוח"),
]


@pytest.mark.parametrize(("pronounce", "text", "spoken"), REPLACED)
def test_whole_words_are_replaced(pronounce: dict[str, str], text: str, spoken: str) -> None:
    assert DialogSettings(pronounce=pronounce).rewrite(text) == spoken


def flow_with(provider: ScriptedProvider, dialog: DialogSettings, *, stream: bool = True) -> AIFlow:
    flow = AIFlow(YemotAI(provider=provider), dialog=dialog)
    flow.ai_agent("", greeting="שלום מAI", stream=stream)(lambda call, text: None)
    return flow


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_is_spoken_with_the_words_of_the_table(provider: ScriptedProvider, *, stream: bool) -> None:
    provider.answers(["הAI פתוח. ", "ועוד A", "I אחד. ", "סוף AI"], every=4)
    caller = Caller(flow_with(provider, DialogSettings(pronounce=AI), stream=stream))

    assert caller.dial() == "שלום מאיי איי"
    said = "האיי איי פתוח ועוד איי איי אחד סוף איי איי"
    assert caller.says("מתי?").replace(",", "").replace("רק רגע ", "") == said
    assert caller.presses("*").replace(",", "") == said
    caller.hangs_up()


TEXT = "הספרייה פתוחה בAI. ביום *שישי* עד 12:30!\n\n1. סגור. ב.מ. 3.5 ש״ח? כן"


@pytest.mark.parametrize("size", range(1, len(TEXT) + 1))
def test_the_function_gets_the_same_sentences_whole_and_at_every_split_point(size: int) -> None:
    heard: dict[bool, list[str]] = {}
    for stream in (True, False):
        sentences = heard[stream] = []

        def shout(sentence: str, sentences: list[str] = sentences) -> str:
            sentences.append(sentence)
            return sentence

        parts = [TEXT[:size], TEXT[size:]] if size < len(TEXT) else list(TEXT)
        provider = ScriptedProvider().answers(parts, every=0.8)
        caller = Caller(flow_with(provider, DialogSettings(speech=shout, pronounce=AI), stream=stream))
        caller.dial()
        caller.says("מתי?")
        caller.hangs_up()

    dialog = {"שלום מאיי איי", "רק רגע"}
    whole, streamed = (
        dict.fromkeys(text for text in heard[key] if text not in dialog) for key in (False, True)
    )
    assert list(streamed) == list(whole)
    assert list(whole) == [
        "הספרייה פתוחה באיי איי.",
        "ביום *שישי* עד 12:30!",
        "1. סגור.",
        "ב.מ. 3.5 ש״ח?",
        "כן",
    ]


def test_what_the_function_returns_is_made_speakable(provider: ScriptedProvider) -> None:
    provider.answers(["פתוח. ", "סגור."])
    line = Line(flow_with(provider, DialogSettings(speech=lambda text: f'{text} & "סוף"-read=t-x.')))
    line.enter("")

    assert line.send(("ai_1", "מתי?")).startswith(
        "read=t-פתוח, ו סוף read שווה t מינוס x, סגור, ו סוף read שווה t מינוס x=ai_2,"
    )


def raising(text: str) -> str:
    raise KeyError(text)


def returning_nothing(text: str) -> str:
    return None  # type: ignore[return-value]  # as without mypy


@pytest.mark.parametrize(
    ("speech", "logged"),
    [
        (
            raising,
            "speech raised; the text is spoken without it (tests.flow.speech.test_pronunciation.raising)",
        ),
        (returning_nothing, "returned NoneType instead of a text"),
        (returning_nothing, "(tests.flow.speech.test_pronunciation.returning_nothing)"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_a_function_that_fails_is_logged_and_the_text_is_spoken_without_it(
    provider: ScriptedProvider,
    caplog: pytest.LogCaptureFixture,
    speech: Callable[[str], str],
    logged: str,
    *,
    stream: bool,
) -> None:
    caplog.set_level(logging.INFO, logger="yemot_ai")
    provider.answers(["הAI פתוח. ", "סגור."])
    caller = Caller(flow_with(provider, DialogSettings(speech=speech, pronounce=AI), stream=stream))
    caller.dial()

    assert caller.says("מתי?") == "האיי איי פתוח, סגור"
    caller.hangs_up()
    assert logged in caplog.text
    assert "פתוח" not in caplog.text


@pytest.mark.parametrize("nothing", ["", " ", "...", "-", "😀", "\0"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_caller_stays_when_the_function_leaves_nothing_to_speak(
    provider: ScriptedProvider, nothing: str, *, stream: bool
) -> None:
    provider.answers(["פתוח. ", "סגור."])
    caller = Caller(flow_with(provider, DialogSettings(speech=lambda _: nothing), stream=stream))

    assert caller.dial() == "שלום מAI"
    assert caller.says("מתי?") == "פתוח, סגור"
    assert caller.presses("*") == "פתוח, סגור"
    caller.hangs_up()


def test_the_sentences_of_the_dialog_and_the_texts_of_handlers_are_spoken_with_it(
    provider: ScriptedProvider,
) -> None:
    dialog = DialogSettings(
        filler="AI חושב", not_heard="AI לא שמע", goodbye="להתראות מAI", pronounce=AI, speech=str.strip
    )
    flow = flow_with(provider, dialog)

    @flow.ai_agent("a", greeting="שלום")
    def function(call: AICall, text: str) -> str:
        call.play_message("AI אומר")
        return "AI עונה"

    @flow.get("b")
    def handler(call: AICall) -> None:
        call.read([("text", "AI שואל")], pre_message="AI לפני", val_name="menu")

    line = Line(flow)
    line.enter("a")
    assert line.send(("ai_1", "")).startswith("read=t-איי איי לא שמע=")
    assert line.send(("ai_2", "מי?")).startswith("read=t-איי איי אומר.t-איי איי עונה=")
    assert line.send(("ai_3", "להתראות")).startswith("id_list_message=t-להתראות מאיי איי&")
    assert line.enter("b").startswith("id_list_message=t-איי איי לפני&read=t-איי איי שואל=menu,")
    line.enter("")
    provider.answers("כן", after=60)
    line.send(("ai_4", "מי?"))
    assert "t-איי איי חושב=" in line.response


def test_an_agent_has_its_own_table(provider: ScriptedProvider) -> None:
    flow = AIFlow(YemotAI(provider=provider), dialog=DialogSettings(pronounce=AI))
    flow.ai_agent("a", greeting="AI", dialog=DialogSettings(pronounce={"AI": "בינה"}))(
        lambda call, text: None
    )
    flow.ai_agent("b", greeting="AI")(lambda call, text: None)

    assert Line(flow).enter("a").startswith("read=t-בינה=")
    assert Line(flow, call_id="c2").enter("b").startswith("read=t-איי איי=")


async def asynchronous(text: str) -> str:
    return text


class AsyncObject:
    async def __call__(self, text: str) -> str:
        return text


@pytest.mark.parametrize(
    "settings",
    [
        {"pronounce": {"": "א"}},
        {"pronounce": {" ": "א"}},
        {"pronounce": {"AI": None}},
        {"pronounce": {3: "שלוש"}},
        {"pronounce": ["AI"]},
        {"pronounce": "AI"},
        {"speech": "upper"},
        {"speech": asynchronous},
        {"speech": AsyncObject()},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"pronounce=|speech="):
        DialogSettings(**settings)  # type: ignore[arg-type]  # as without mypy
