"""The text of an answer, from the messages of a turn: what is passed on, and when."""

from __future__ import annotations

import pytest

from yemot_ai.providers.codex.app_server.answer_text import AnswerText

ANSWER = "השעה שמונה. נא להתקשר מחר."
THOUGHT = "המשתמש שואל שעה. צריך לענות קצר."

CHANNELS = ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>")

NO_ANSWERS = {
    "think": f"<think>{THOUGHT}</think>{ANSWER}",
    "a thought after a sentence": f"השעה שמונה. <thinking>{THOUGHT}</thinking>נא להתקשר מחר.",
    "channels": f"{CHANNELS[0]}{THOUGHT}{CHANNELS[1]}{ANSWER}",
    "a control token": f"{ANSWER}<|im_end|>",
    "a call of a tool": f'{ANSWER}\n<tool_call>{{"name": "clock", "arguments": {{}}}}</tool_call>',
    "a call of a tool as JSON": f'{{"name": "clock", "arguments": {{"zone": "x. y"}}}}\n{ANSWER}',
}


def pieces_of(text: str, size: int, *, thought_end: str = "") -> list[str]:
    """Return the pieces of a message whose deltas have ``size`` characters."""
    pieces: list[str] = []
    answer = AnswerText(pieces.append, thought_end=thought_end)
    for start in range(0, len(text), size):
        answer.add("msg_1", text[start : start + size])
    answer.complete("msg_1", text)
    assert "".join(pieces) == answer.text
    return pieces


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("name", NO_ANSWERS)
def test_what_is_no_answer_is_not_passed_on(name: str, size: int) -> None:
    assert "".join(pieces_of(NO_ANSWERS[name], size)).strip() == ANSWER


def test_a_sentence_is_passed_on_before_a_thought_ends() -> None:
    pieces: list[str] = []
    answer = AnswerText(pieces.append)
    answer.add("msg_1", f"השעה שמונה. <think>{THOUGHT}")
    assert pieces == ["השעה שמונה. "]


def test_a_thought_that_a_restart_cuts_does_not_hide_the_answer() -> None:
    pieces: list[str] = []
    answer = AnswerText(pieces.append)
    answer.add("msg_1", f"השעה שמונה. <think>{THOUGHT}")
    answer.restart()
    answer.complete("msg_1", NO_ANSWERS["a thought after a sentence"])
    assert "".join(pieces) == ANSWER


def test_a_call_of_a_tool_that_a_restart_cuts_does_not_hide_the_answer() -> None:
    pieces: list[str] = []
    answer = AnswerText(pieces.append)
    answer.add("msg_1", '<tool_call>{"name": "clo')
    answer.restart()
    answer.complete("msg_1", ANSWER)
    assert "".join(pieces) == ANSWER


def test_each_message_is_filtered_by_itself() -> None:
    answer = AnswerText(None)
    answer.complete("msg_1", f"<think>{THOUGHT}")
    answer.complete("msg_2", '<tool_call>{"name": "clock"}</tool_call>')
    answer.complete("msg_3", "השעה שמונה.<|im_end|>")
    answer.complete("msg_4", "נא להתקשר מחר.")
    assert answer.text == "השעה שמונה.\nנא להתקשר מחר."


def test_an_incomplete_sentence_before_a_lone_end_of_thoughts_is_not_passed_on() -> None:
    assert "".join(pieces_of(f"צריך לענות קצר</think>\n\n{ANSWER}", 4)) == ANSWER


def test_a_whole_answer_has_nothing_from_before_a_lone_end_of_thoughts() -> None:
    answer = AnswerText(None)
    answer.complete("msg_1", f"{THOUGHT}\n</think>\n\n{ANSWER}")
    assert (answer.text, answer.thought_end) == (ANSWER, "</think>")


def test_with_a_known_end_of_thoughts_nothing_is_passed_on_before_it() -> None:
    assert "".join(pieces_of(f"{THOUGHT}\n</think>\n\n{ANSWER}", 4, thought_end="</think>")) == ANSWER
    assert "".join(pieces_of(ANSWER, 4, thought_end="</think>")) == ANSWER


def test_an_end_of_thoughts_is_known_until_a_message_has_none() -> None:
    answer = AnswerText(None)
    known = []
    for text in (f"{THOUGHT}</think>{ANSWER}", f"{THOUGHT}</think>{ANSWER}", ANSWER):
        answer.complete("msg_1", text)
        known.append(answer.thought_end)
    assert known == ["</think>", "</think>", ""]


def test_without_listeners_a_restart_drops_the_whole_message() -> None:
    answer = AnswerText(None)
    answer.add("msg_1", "פתוח עד שבע. בש")
    answer.restart()
    answer.complete("msg_1", "אנחנו פתוחים עד שבע.")
    assert answer.text == "אנחנו פתוחים עד שבע."
