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
    def answer_turn(call: AICall, text: str) -> None:
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


def test_a_repeated_request_asks_once(caller: Caller, provider: ScriptedProvider) -> None:
    provider.answers("בשמונה")
    caller.dial()

    assert caller.presses("מתי#") == caller.repeats() == "בשמונה"


def test_a_slow_answer_to_typed_text_is_polled_for(caller: Caller, provider: ScriptedProvider) -> None:
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


def test_a_typed_exit_word_leaves(caller: Caller) -> None:
    caller.dial()

    assert caller.presses("להתראות#") == "להתראות"
    assert caller.ended


def test_single_keys_work_after_switching_the_keyboard_to_digits(
    caller: Caller, provider: ScriptedProvider
) -> None:
    provider.answers("בשמונה")
    caller.dial()
    caller.presses("מתי#")

    assert caller.presses("*#") == "בשמונה"
    assert caller.presses("0#") == "כתבו שאלה"
    assert caller.presses("9#") == "להתראות"


def test_nine_leaves_while_the_model_works(caller: Caller, provider: ScriptedProvider) -> None:
    provider.answers("בשמונה", after=50)
    caller.dial()
    caller.interrupts("9", after=3)

    assert caller.presses("מתי#").endswith("להתראות")


def test_an_unknown_input_mode_is_refused_with_the_known_modes(flow: AIFlow) -> None:
    with pytest.raises(ConfigurationError, match="'telepathy': use one of 'voice', 'keyboard', 'record'"):
        flow.ai_agent("", listen="telepathy")
