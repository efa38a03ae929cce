"""A note before the next prompt: the caller has not heard the end of the answer."""

from __future__ import annotations

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai._turns.conversation import INTERRUPTION_NOTES
from yemot_ai.errors import ConfigurationError
from yemot_ai.providers import Exchange
from yemot_ai_testing import ScriptedProvider

HEBREW, ENGLISH = INTERRUPTION_NOTES
THREE = ["הספרייה פתוחה. ", "ביום שישי עד אחת. ", "בשבת סגור."]


def line_to(flow: AIFlow, call_id: str = "c1") -> Line:
    line = Line(flow, call_id=call_id)
    line.enter("a")
    return line


def flow_of(provider: ScriptedProvider, **settings: object) -> AIFlow:
    flow = AIFlow(YemotAI(provider=provider, **settings))  # type: ignore[arg-type]  # those of YemotAI
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    return flow


def interrupt(line: Line, provider: ScriptedProvider, *, text: str = "מתי?", key: str = "5") -> None:
    """Let the caller interrupt an answer after its first sentence."""
    provider.answers(THREE, after=1, every=60)
    line.gives(text)
    assert line.is_polling
    line.gives(key)


def prompts(provider: ScriptedProvider) -> list[str]:
    return [request.prompt for request in provider.requests]


def test_the_prompt_after_a_key_that_interrupts_begins_with_the_note(provider: ScriptedProvider) -> None:
    line = line_to(flow_of(provider))
    interrupt(line, provider)
    provider.answers("בבקשה").answers("להתראות")
    heard = line.says("תודה")
    line.says("שלום")
    line.hang_up()

    assert prompts(provider) == ["מתי?", f"{HEBREW} תודה", "שלום"]
    assert provider.requests[1].history == (Exchange("מתי?", "הספרייה פתוחה."),)
    assert heard.startswith("read=t-בבקשה=")


def test_the_note_stays_in_the_history_of_a_conversation_that_is_rebuilt(provider: ScriptedProvider) -> None:
    line = line_to(flow_of(provider))
    interrupt(line, provider)
    provider.answers("בבקשה")
    line.says("תודה")
    interrupt(line, provider, text="ועוד?")
    provider.answers("זהו")
    line.says("די")
    line.hang_up()

    assert provider.requests[-1].prompt == f"{HEBREW} די"
    assert provider.requests[-1].history == (
        Exchange("מתי?", "הספרייה פתוחה."),
        Exchange(f"{HEBREW} תודה", "בבקשה"),
        Exchange("ועוד?", "הספרייה פתוחה."),
    )


def test_the_transcript_and_the_history_of_the_developer_have_no_note(provider: ScriptedProvider) -> None:
    seen: list[tuple[Exchange, ...]] = []
    flow = AIFlow(YemotAI(provider=provider))

    @flow.ai_agent("a", greeting="שלום")
    def agent(call: AICall, agent: object) -> None:
        seen.append(agent.history)  # type: ignore[attr-defined]  # an Agent

    texts: list[str] = []
    flow.ai.on_call_end(lambda transcript, _usage: texts.extend(turn.text for turn in transcript))
    line = line_to(flow)
    interrupt(line, provider)
    provider.answers("בבקשה")
    line.says("תודה")
    line.hang_up()

    assert seen == [(), (Exchange("מתי?", "הספרייה פתוחה."),)]
    assert texts == ["מתי?", "תודה"]


@pytest.mark.parametrize(
    ("note", "said", "prompt"),
    [
        (None, "תודה", f"{HEBREW} תודה"),
        (None, "", f"{HEBREW} (שתיקה)"),
        ("", "תודה", "תודה"),
        ("[нет]", "תודה", "[нет] תודה"),
    ],
)
def test_the_note_is_a_setting(provider: ScriptedProvider, note: str | None, said: str, prompt: str) -> None:
    ai = YemotAI(provider=provider, interruption_note=note)
    flow = AIFlow(ai)
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    line = line_to(flow)
    interrupt(line, provider)
    provider.answers("בבקשה")
    ai.reply("c1", said)
    line.hang_up()

    assert prompts(provider) == ["מתי?", prompt]


def test_the_note_is_in_the_language_of_the_conversation(provider: ScriptedProvider) -> None:
    line = line_to(flow_of(provider))
    provider.answers(["We are open. ", "On Friday until one. "], after=1, every=60).answers("Yes")
    line.gives("When?")
    line.gives("5")
    line.says("Thanks")
    line.hang_up()

    assert prompts(provider) == ["When?", f"{ENGLISH} Thanks"]


def test_a_conversation_that_is_new_has_no_note(provider: ScriptedProvider) -> None:
    line = line_to(flow_of(provider))
    interrupt(line, provider, key="0")
    provider.answers("בבקשה")
    line.says("תודה")
    line.hang_up()

    assert prompts(provider) == ["מתי?", "תודה"]


def test_an_answer_that_was_spoken_to_its_end_has_no_note(provider: ScriptedProvider) -> None:
    line = line_to(flow_of(provider))
    provider.answers(THREE, after=1, every=1)
    line.gives("מתי?")
    while line.is_polling:
        line.polls()
    provider.answers("בבקשה")
    line.says("תודה")
    line.hang_up()

    assert prompts(provider) == ["מתי?", "תודה"]


def test_another_conversation_has_no_note(provider: ScriptedProvider) -> None:
    flow = flow_of(provider)
    flow.ai_agent("b", greeting="שלום", instructions="ענה בקצרה")(lambda call, text: None)
    line = line_to(flow)
    interrupt(line, provider, key="9")
    line.enter("b")
    provider.answers("בבקשה")
    line.says("תודה")
    line.hang_up()

    assert prompts(provider) == ["מתי?", "תודה"]


def test_the_next_call_of_a_caller_who_hung_up_in_an_answer_has_the_note(provider: ScriptedProvider) -> None:
    flow = flow_of(provider, remember="caller")
    line = line_to(flow)
    provider.answers(THREE, after=1, every=60)
    line.gives("מתי?")
    line.hang_up()
    provider.answers("בבקשה")
    line = line_to(flow, "c2")
    line.says("חזרתי")
    line.hang_up()

    assert prompts(provider) == ["מתי?", f"{HEBREW} חזרתי"]
    assert provider.requests[-1].history == (Exchange("מתי?", "הספרייה פתוחה."),)


def test_a_step_of_the_function_has_it_too(provider: ScriptedProvider) -> None:
    flow = AIFlow(YemotAI(provider=provider))
    flow.ai_agent("a", greeting="שלום")(lambda call, text: call.ask_ai("שלב") if text == "תודה" else None)
    line = line_to(flow)
    interrupt(line, provider)
    provider.answers("בבקשה")
    line.says("תודה")
    line.hang_up()

    assert prompts(provider) == ["מתי?", f"{HEBREW} שלב"]


def test_a_note_that_is_no_text_is_refused(provider: ScriptedProvider) -> None:
    with pytest.raises(ConfigurationError, match="interruption_note=5"):
        YemotAI(provider=provider, interruption_note=5)  # type: ignore[arg-type]  # as without mypy
