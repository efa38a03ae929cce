from __future__ import annotations

import pytest

from yemot_ai import AICall, AIFlow
from yemot_ai.errors import ConfigurationError
from yemot_ai_testing import Caller
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

LISTEN = "no,,1,7,HebrewKeyboard,,,,,,Ok,None,,no"


@pytest.fixture
def caller(flow: AIFlow) -> Caller:
    @flow.ai_agent("", greeting="כתבו שאלה", listen="keyboard")
    def letters(call: AICall, text: str) -> None:
        """Let the AI answer."""

    return Caller(flow)


def prompts(provider: ScriptedProvider) -> list[str]:
    return [request.prompt for request in provider.requests]


def test_typed_hebrew_is_answered_and_the_line_listens_to_the_keyboard_again(
    caller: Caller, provider: ScriptedProvider
) -> None:
    provider.answers("בשמונה").answers("בתשע")

    assert caller.dial() == "כתבו שאלה"
    assert caller.raw == f"read=t-כתבו שאלה=ai_1,{LISTEN}"
    assert caller.presses("מתי פתוח#") == "בשמונה"
    assert caller.presses("ומחר#") == "בתשע"
    assert prompts(provider) == ["מתי פתוח", "ומחר"]
    caller.hangs_up()


def test_what_was_typed_is_asked_once_though_the_line_repeats(
    caller: Caller, provider: ScriptedProvider
) -> None:
    provider.answers("בשמונה")
    caller.dial()

    assert caller.presses("מתי#") == caller.repeats() == "בשמונה"


def test_a_slow_answer_to_typed_words_is_polled_for(caller: Caller, provider: ScriptedProvider) -> None:
    provider.answers("בשמונה", after=6)
    caller.dial()

    assert caller.presses("מתי#").split() == ["רק", "רגע", "רק", "רגע", "בשמונה"]
    assert prompts(provider) == ["מתי"]


def test_typing_nothing_is_silence_and_three_silences_leave(caller: Caller) -> None:
    caller.dial()

    assert caller.silent() == "לא שמעתי, אפשר לחזור?"
    assert caller.presses("#") == "לא שמעתי, אפשר לחזור?"
    assert caller.silent() == "לא שמעתי אותך, להתראות"
    assert caller.ended


def test_a_typed_farewell_leaves(caller: Caller) -> None:
    caller.dial()

    assert caller.presses("להתראות#") == "להתראות"
    assert caller.ended


def test_a_caller_who_has_changed_to_digits_has_the_single_keys(
    caller: Caller, provider: ScriptedProvider
) -> None:
    provider.answers("בשמונה")
    caller.dial()
    caller.presses("מתי#")

    assert caller.presses("*#") == "בשמונה"
    assert caller.presses("0#") == "כתבו שאלה"
    assert caller.presses("9#") == "להתראות"


def test_nine_leaves_while_the_model_thinks(caller: Caller, provider: ScriptedProvider) -> None:
    provider.answers("בשמונה", after=50)
    caller.dial()
    caller.interrupts("9", after=3)

    assert caller.presses("מתי#").endswith("להתראות")


def test_an_unknown_way_to_listen_is_refused_with_the_ways_there_are(flow: AIFlow) -> None:
    with pytest.raises(ConfigurationError, match="'telepathy': use one of 'voice', 'keyboard', 'record'"):
        flow.ai_agent("", listen="telepathy")
